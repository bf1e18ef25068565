import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { searchPath } from "../pages/traces";
import { EMPTY, fromQuery, LIMITS, RANGES, SORTS, splitTags, toQuery } from "./search";

const word = fc.string({ maxLength: 20 }).map((s) => s.trim());

describe("the search in the address bar", () => {
  it("is the same after a round trip", () => {
    const searches = fc.record({
      service: word,
      name: word,
      tags: fc.array(
        word.filter((t) => t !== ""),
        { maxLength: 4 },
      ),
      errors: fc.boolean(),
      minDuration: word,
      range: fc.constantFrom(...RANGES),
      start: word,
      end: word,
      limit: fc.constantFrom(...LIMITS),
      sort: fc.constantFrom(...SORTS),
      cursor: word,
    });
    fc.assert(
      fc.property(searches, (search) => {
        const text = toQuery(search).toString();
        expect(fromQuery(new URLSearchParams(text))).toEqual(search);
      }),
    );
  });

  it("is empty when nothing is asked, and takes garbage for the default", () => {
    expect(toQuery(EMPTY).toString()).toBe("");
    expect(fromQuery(new URLSearchParams("limit=7&range=99y&errors=yes&sort=best"))).toEqual(EMPTY);
  });

  it("becomes the API's question", () => {
    const now = Date.parse("2026-11-21T04:00:00Z");
    const path =
      searchPath({ ...EMPTY, service: "orders", tags: ["a=b c"], errors: true, minDuration: "2 s" }, now) ??
      "";
    const url = new URL(path, "http://x");
    expect(url.pathname).toBe("/tracepact/v1/traces");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      service: "orders",
      tag: "a=b c",
      errors: "true",
      min_duration_us: "2000000",
      start: "2026-11-21T03:00:00.000Z",
      limit: "20",
    });
    expect(searchPath({ ...EMPTY, minDuration: "fast" }, now)).toBeNull();
    const fixed = new URL(searchPath({ ...EMPTY, start: "2026-11-20T00:00:00Z" }, now) ?? "", "http://x");
    expect(fixed.searchParams.get("start")).toBe("2026-11-20T00:00:00Z");
    const next = new URL(
      searchPath({ ...EMPTY, sort: "longest", cursor: "longest.1" }, now) ?? "",
      "http://x",
    );
    expect(next.searchParams.get("sort")).toBe("longest");
    expect(next.searchParams.get("cursor")).toBe("longest.1");
  });

  it("splits tags at commas", () => expect(splitTags(" a=b, c=d=e ,\n")).toEqual(["a=b", "c=d=e"]));
});
