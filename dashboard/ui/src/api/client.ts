// One way to ask the API: a path below the page's own base address, a deadline, and refusals as sentences.

import { apiAddress } from "../router/base";

const DEADLINE_MS = 15_000;

/** Why there is no answer, in words a reader can act on. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** `path` with those parameters that have a value; lists repeat their name. */
export function withQuery(path: string, query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "" || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}

export function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask(path, { headers: { accept: "application/json" } }, signal);
}

/** Changes something. The token goes out with this one request and is kept nowhere. */
export function postJson<T>(path: string, body: unknown, token?: string): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json", "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function ask<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  let response: Response;
  try {
    response = await fetch(apiAddress(path), {
      ...init,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    if (deadline.aborted) throw new ApiError(0, `no answer within ${DEADLINE_MS / 1000} s`);
    throw new ApiError(0, "tracepact cannot be reached; check that the process runs and the network is up");
  }
  if (!response.ok) throw await refusal(response);
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(
      response.status,
      "the answer is not JSON: is something else listening at this address?",
    );
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const fallback = `the server answered ${response.status}`;
  try {
    const problem: unknown = await response.json();
    if (typeof problem === "object" && problem !== null) {
      const { detail, title, code } = problem as { detail?: unknown; title?: unknown; code?: unknown };
      const said = typeof detail === "string" ? detail : typeof title === "string" ? title : fallback;
      return new ApiError(response.status, said, typeof code === "string" ? code : undefined);
    }
  } catch {
    // Not a problem body: the status alone has to do.
  }
  return new ApiError(response.status, fallback);
}
