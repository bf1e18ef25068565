// Around every answer: loading, failed, partial, stale, and when it was true.

import type { ComponentChildren } from "preact";
import type { QueryState } from "../api/use_query";
import { clock } from "../format/time";
import { Shape } from "./state";
import { useNow } from "./time";

interface Like {
  as_of?: string | null;
  complete?: boolean | null;
  cut?: string | null;
}

/** An answer is called stale when it is this old although it should be renewed. */
const STALE_MS = 30_000;

export function Notice(props: {
  tone: "ok" | "warn" | "bad" | "plain";
  children: ComponentChildren;
  alert?: boolean;
}) {
  const shape = { ok: "disc", warn: "triangle", bad: "square", plain: "ring" } as const;
  return (
    <div class={`notice ${props.tone}`} role={props.alert ? "alert" : undefined}>
      <Shape name={shape[props.tone]} />
      <div>{props.children}</div>
    </div>
  );
}

/** Nothing to show, and what to do about it. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <Notice tone="plain">{children}</Notice>;
}

export function AsOf<T extends Like>({ query, live = false }: { query: QueryState<T>; live?: boolean }) {
  const now = useNow();
  const at = query.data?.as_of;
  const stale = live && at ? now - Date.parse(at) > STALE_MS : false;
  return (
    <span class="asof">
      {at ? (
        <span title={at}>
          as of {clock(at, now)}
          {stale ? " (stale)" : ""}
        </span>
      ) : null}
      <button type="button" class="quiet" onClick={query.refresh}>
        Refresh
      </button>
    </span>
  );
}

interface AnswerProps<T> {
  query: QueryState<T>;
  /** What is asked, as in "Loading traces". */
  what: string;
  /** What a 404 means here. */
  missing?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}

export function Answer<T extends Like>({ query, what, missing, children }: AnswerProps<T>) {
  const { data, error } = query;
  if (data === undefined) {
    if (error) {
      if (error.status === 404 && missing) return <Empty>{missing}</Empty>;
      return (
        <Notice tone="bad" alert>
          <strong>No {what}:</strong> {error.message}
          {error.code ? <span class="soft"> ({error.code})</span> : null}{" "}
          <button type="button" class="quiet" onClick={query.refresh}>
            Try again
          </button>
        </Notice>
      );
    }
    return <p class="soft" role="status">{`Loading ${what}…`}</p>;
  }
  return (
    <>
      {error ? (
        <Notice tone="warn">
          <strong>Not renewed:</strong> {error.message}. What follows is the last answer.
        </Notice>
      ) : null}
      {data.complete === false || data.cut ? (
        <Notice tone="warn">
          <strong>Not complete:</strong> {data.cut ?? "the server left something out and did not say why"}.
          What is missing is unknown, not absent.
        </Notice>
      ) : null}
      {children(data)}
    </>
  );
}
