import { useEffect, useState } from "preact/hooks";
import { ago, both, clock, lasting } from "../format/time";

const listeners = new Set<(now: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The present, once a second, from one timer for the whole page. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    listeners.add(setNow);
    timer ??= setInterval(() => {
      if (!document.hidden) for (const listener of listeners) listener(Date.now());
    }, 1000);
    return () => {
      listeners.delete(setNow);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  return now;
}

/** "3 min ago"; pointing at it tells local time and UTC. */
export function Ago({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <span class="soft">unknown</span>;
  return (
    <time dateTime={at} title={both(at)} class="nowrap">
      {ago(at, now)}
    </time>
  );
}

/** "for 3 min", or that it is unknown since when. */
export function Since({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <span class="soft">since unknown</span>;
  return (
    <time dateTime={at} title={`since ${both(at)}`} class="nowrap">
      for {lasting(at, now)}
    </time>
  );
}

/** "03:04:05" local; pointing at it tells the rest. */
export function At({ at }: { at: string | null | undefined }) {
  if (!at) return <span class="soft">unknown</span>;
  return (
    <time dateTime={at} title={both(at)} class="nowrap">
      {clock(at)}
    </time>
  );
}
