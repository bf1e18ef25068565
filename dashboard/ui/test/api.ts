import { vi } from "vitest";

/** Answers the API's questions by path; a path without an answer is a 404 as the server writes it. */
export function serve(answers: Record<string, unknown>): ReturnType<typeof vi.fn> {
  const fetch = vi.fn(async (input: RequestInfo | URL) => {
    const url = new URL(String(input), "http://localhost");
    const found = Object.entries(answers).find(
      ([path]) => path === url.pathname || path === url.pathname + url.search,
    );
    const answer = typeof found?.[1] === "function" ? found[1](url) : found?.[1];
    if (answer instanceof Error) throw answer;
    const body = answer ?? {
      title: "The named thing does not exist",
      detail: `there is no ${url.pathname}`,
      code: "TP-NOT-FOUND",
    };
    return new Response(JSON.stringify(body), {
      status: answer === undefined ? 404 : 200,
      headers: { "content-type": "application/json" },
    });
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

export const AS_OF = "2026-11-21T03:04:05Z";
