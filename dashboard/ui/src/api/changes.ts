// Server-sent events that say only *that* something changed; every listener then asks for what it shows.

import { apiAddress } from "../router/base";

type Listener = () => void;

const listeners = new Set<Listener>();
let source: EventSource | undefined;

function open(): void {
  if (source || typeof EventSource === "undefined") return;
  source = new EventSource(apiAddress("/tracepact/v1/events/stream"));
  source.addEventListener("changed", () => {
    for (const listener of listeners) listener();
  });
}

/** Calls `listener` after each change, until the returned function is called. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  open();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      source?.close();
      source = undefined;
    }
  };
}
