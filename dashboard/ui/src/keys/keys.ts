// Every shortcut stands in one table: what is bound is what the help lists. Inactive while typing; single letters can
// be switched off (WCAG 2.1.4).

import { useEffect, useRef } from "preact/hooks";

export interface Binding {
  /** `?`, `e`, `g t` (one after the other), `Escape`. */
  keys: string;
  does: string;
  run: () => void;
}

const LETTERS_OFF = "tracepact.keys.off";
const SECOND_KEY_MS = 1500;

const active = new Set<{ title: string; bindings: readonly Binding[] }>();

/** Everything bound now, grouped as the help shows it. */
export function bound(): { title: string; bindings: readonly Binding[] }[] {
  return [...active];
}

export function lettersOn(): boolean {
  try {
    return localStorage.getItem(LETTERS_OFF) === null;
  } catch {
    return true;
  }
}

export function setLetters(on: boolean): void {
  try {
    if (on) localStorage.removeItem(LETTERS_OFF);
    else localStorage.setItem(LETTERS_OFF, "yes");
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** Binds while the component is on screen; `title` groups them in the help. */
export function useKeys(title: string, bindings: readonly Binding[]): void {
  const newest = useRef(bindings);
  newest.current = bindings;
  useEffect(() => {
    const group = {
      title,
      get bindings() {
        return newest.current;
      },
    };
    active.add(group);
    return () => {
      active.delete(group);
    };
  }, [title]);
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    (target as HTMLInputElement).type !== "checkbox"
  );
}

let first: { key: string; at: number } | undefined;

/** What a key press runs, if anything. */
export function bindingFor(key: string, now: number): Binding | undefined {
  const all = bound().flatMap((group) => group.bindings);
  if (first && now - first.at <= SECOND_KEY_MS) {
    const pair = `${first.key} ${key}`;
    first = undefined;
    const found = all.find((b) => b.keys === pair);
    if (found) return found;
  }
  first = all.some((b) => b.keys.startsWith(`${key} `)) ? { key, at: now } : undefined;
  return all.find((b) => b.keys === key);
}

export function listen(): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target))
      return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key.length === 1 && !lettersOn()) return;
    const binding = bindingFor(event.key, event.timeStamp);
    if (binding) {
      event.preventDefault();
      binding.run();
    }
  };
  window.addEventListener("keydown", pressed);
  return () => window.removeEventListener("keydown", pressed);
}
