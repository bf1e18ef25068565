// Asks once, then again when something changed, and every few seconds in between while the page is visible. An answer
// stays on screen while the next one is fetched, and when the next one fails: with the failure beside it.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { onChange } from "./changes";
import { type ApiError, getJson } from "./client";

export interface QueryState<T> {
  /** The newest answer to this very question; absent until there is one. */
  data: T | undefined;
  /** Why the newest attempt failed; absent when it did not. */
  error: ApiError | undefined;
  loading: boolean;
  refresh: () => void;
}

interface Options {
  /** Pause between two attempts; absent asks once. */
  pollMs?: number;
  /** Also ask when the server says that something changed. */
  live?: boolean;
}

/** At most one attempt per this long because of changes: under load something changes all the time. */
const CHANGE_PAUSE_MS = 1000;

interface Kept<T> {
  path: string | null;
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
}

/** `path` null asks nothing. */
export function useQuery<T>(path: string | null, { pollMs, live = false }: Options = {}): QueryState<T> {
  const [kept, setKept] = useState<Kept<T>>({ path: null, data: undefined, error: undefined, loading: true });
  const running = useRef<AbortController | undefined>(undefined);

  const ask = useCallback(async () => {
    if (path === null || running.current) return;
    const controller = new AbortController();
    running.current = controller;
    setKept((k) =>
      k.path === path ? { ...k, loading: true } : { path, data: undefined, error: undefined, loading: true },
    );
    try {
      const data = await getJson<T>(path, controller.signal);
      if (!controller.signal.aborted) setKept({ path, data, error: undefined, loading: false });
    } catch (error) {
      if (!controller.signal.aborted) {
        setKept((k) => ({
          path,
          data: k.path === path ? k.data : undefined,
          error: error as ApiError,
          loading: false,
        }));
      }
    } finally {
      if (running.current === controller) running.current = undefined;
    }
  }, [path]);

  useEffect(() => {
    void ask();
    return () => {
      running.current?.abort();
      running.current = undefined;
    };
  }, [ask]);

  useEffect(() => {
    if (pollMs === undefined) return;
    const timer = setInterval(() => {
      if (!document.hidden) void ask();
    }, pollMs);
    const shown = () => {
      if (!document.hidden) void ask();
    };
    document.addEventListener("visibilitychange", shown);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", shown);
    };
  }, [ask, pollMs]);

  useEffect(() => {
    if (!live) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onChange(() => {
      if (document.hidden) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        void ask();
      }, CHANGE_PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [ask, live]);

  const current = kept.path === path;
  return {
    data: current ? kept.data : undefined,
    error: current ? kept.error : undefined,
    loading: current ? kept.loading : path !== null,
    refresh: () => void ask(),
  };
}
