// The router: the address bar is the state. Going somewhere pushes, adjusting a view replaces.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ownPath, pageAddress } from "./base";

export interface Place {
  /** The path below the base, such as `/traces/463ac35c9f6413ad`. */
  path: string;
  query: URLSearchParams;
}

type Listener = () => void;
const listeners = new Set<Listener>();

function here(): Place {
  return { path: ownPath(window.location.pathname), query: new URLSearchParams(window.location.search) };
}

function moved(): void {
  for (const listener of listeners) listener();
}

if (typeof window !== "undefined") window.addEventListener("popstate", moved);

/** Shows `to` (path and query). `push` makes a step that Back undoes; `replace` adjusts the present one. */
export function navigate(to: string, how: "push" | "replace"): void {
  const address = pageAddress(to);
  if (how === "push") window.history.pushState(null, "", address);
  else window.history.replaceState(null, "", address);
  moved();
}

/** Changes parameters of the present page; null or empty takes one away. */
export function adjust(changes: Record<string, string | null | undefined>, how: "push" | "replace"): void {
  const place = here();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") place.query.delete(name);
    else place.query.set(name, value);
  }
  const text = place.query.toString();
  navigate(text === "" ? place.path : `${place.path}?${text}`, how);
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const listener = () => setPlace(here());
    listeners.add(listener);
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return place;
}

/** The parameters of `path` when it has the shape of `pattern` (`/traces/:id`), else undefined. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const found = path.replace(/(.)\/$/, "$1").split("/");
  if (wanted.length !== found.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const actual = found[index] ?? "";
    if (segment.startsWith(":")) {
      try {
        params[segment.slice(1)] = decodeURIComponent(actual);
      } catch {
        return undefined;
      }
      if (actual === "") return undefined;
    } else if (segment !== actual) {
      return undefined;
    }
  }
  return params;
}

interface LinkProps extends Omit<JSX.AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  to: string;
  children: ComponentChildren;
}

/** A link within the dashboard; with a modifier key the browser does what it always does. */
export function Link({ to, children, onClick, ...rest }: LinkProps) {
  const go = (event: JSX.TargetedMouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    ) {
      return;
    }
    event.preventDefault();
    navigate(to, "push");
  };
  return (
    <a href={pageAddress(to)} onClick={go} {...rest}>
      {children}
    </a>
  );
}
