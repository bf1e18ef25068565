import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../keys/keys";
import { Link, navigate, type Place } from "../router/router";
import { setTheme, show, type Theme, theme } from "../theme";
import { Help } from "./help";

const PAGES = [
  { to: "/", name: "Overview", keys: "g o" },
  { to: "/traces", name: "Traces", keys: "g t" },
  { to: "/breakers", name: "Breakers", keys: "g b" },
  { to: "/messages", name: "Messages", keys: "g m" },
  { to: "/contracts", name: "Contracts", keys: "g c" },
] as const;

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function current(to: string, path: string): "page" | undefined {
  const within = to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
  return within ? "page" : undefined;
}

export function Layout({ place, children }: { place: Place; children: ComponentChildren }) {
  const [help, setHelp] = useState(false);
  const [chosen, choose] = useState<Theme>(theme());
  const find = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLElement>(null);
  const before = useRef(place.path);

  useEffect(() => show(chosen), [chosen]);

  // A new page is announced by its heading: focus goes to the content, not back to the top of the frame.
  useEffect(() => {
    if (before.current === place.path) return;
    before.current = place.path;
    // Unless the reader already types the next question.
    if (document.activeElement !== find.current) main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [place.path]);

  useKeys("Everywhere", [
    { keys: "?", does: "this list", run: () => setHelp(true) },
    { keys: "/", does: "find a trace or service", run: () => find.current?.focus() },
    ...PAGES.map((page) => ({
      keys: page.keys,
      does: `go to ${page.name.toLowerCase()}`,
      run: () => navigate(page.to, "push"),
    })),
  ]);

  const open = (event: Event) => {
    event.preventDefault();
    const text = find.current?.value.trim() ?? "";
    if (text === "") return;
    if (find.current) find.current.value = "";
    find.current?.blur();
    const id = /^[0-9a-f]{1,32}$/i.test(text) && text.length >= 16;
    navigate(id ? `/traces/${text}` : `/traces?service=${encodeURIComponent(text)}`, "push");
  };

  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="bar">
        <Link to="/" class="brand">
          tracepact
        </Link>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map((page) => (
              <li key={page.to}>
                <Link to={page.to} aria-current={current(page.to, place.path)}>
                  {page.name}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <form role="search" onSubmit={open}>
          <input
            ref={find}
            type="search"
            aria-label="Find a trace by its id, or a service"
            placeholder="Trace id or service  ( / )"
            spellcheck={false}
            autocomplete="off"
          />
        </form>
        <div class="tools">
          <button
            type="button"
            onClick={() => {
              const next = NEXT[chosen];
              setTheme(next);
              choose(next);
            }}
            title="Switch between the system's colours, light and dark"
          >
            Colours: {chosen}
          </button>
          <button
            type="button"
            aria-label="Keyboard help"
            title="Keyboard help ( ? )"
            onClick={() => setHelp(true)}
          >
            ?
          </button>
        </div>
      </header>
      <main ref={main} tabIndex={-1}>
        {children}
      </main>
      {help ? <Help onClose={() => setHelp(false)} /> : null}
    </>
  );
}
