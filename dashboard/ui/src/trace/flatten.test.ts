import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Span } from "../api/types";
import { ancestors, nextError, parentIndex, rowsOf, visible } from "./flatten";

function spans(depths: number[], errors: number[] = []): Span[] {
  return depths.map((depth, n) => ({
    span_id: `s${n}`,
    depth: depth + 1,
    service: "orders",
    name: `step ${n}`,
    error: errors.includes(n),
    tags: {},
    events: [],
    links: [],
  })) as unknown as Span[];
}

/** Depths of a real tree in tree order: each at most one below the one before. */
const trees = fc.array(fc.nat(6), { minLength: 1, maxLength: 60 }).map((wanted) => {
  let before = -1;
  return wanted.map((depth) => {
    before = Math.min(depth, before + 1);
    return before;
  });
});

describe("rows of a trace", () => {
  it("counts what stands below and beside", () => {
    const rows = rowsOf(spans([0, 1, 2, 2, 1]));
    expect(rows.map((r) => r.level)).toEqual([1, 2, 3, 3, 2]);
    expect(rows.map((r) => r.descendants)).toEqual([4, 2, 0, 0, 0]);
    expect(rows.map((r) => `${r.position}/${r.siblings}`)).toEqual(["1/1", "1/2", "1/2", "2/2", "2/2"]);
  });

  it("finds parents by level", () => {
    const rows = rowsOf(spans([0, 1, 2, 2, 1, 0]));
    expect(rows.map((_, n) => parentIndex(rows, n))).toEqual([undefined, 0, 1, 1, 0, undefined]);
    expect(ancestors(rows, 3)).toEqual([1, 0]);
  });

  it("folding hides exactly the descendants", () => {
    fc.assert(
      fc.property(trees, fc.nat(59), (depths, pick) => {
        const rows = rowsOf(spans(depths));
        const index = pick % rows.length;
        const hidden = rows.filter((r) => ancestors(rows, r.index).includes(index)).map((r) => r.index);
        const shown = visible(rows, new Set([index])).map((r) => r.index);
        expect(shown).toEqual(rows.map((r) => r.index).filter((i) => !hidden.includes(i)));
        expect(rows[index]?.descendants).toBe(hidden.length);
      }),
    );
  });

  it("nothing folded shows everything, all roots folded shows the roots", () => {
    fc.assert(
      fc.property(trees, (depths) => {
        const rows = rowsOf(spans(depths));
        expect(visible(rows, new Set()).length).toBe(rows.length);
        const all = visible(rows, new Set(rows.map((r) => r.index)));
        expect(all.every((r) => r.level === 1)).toBe(true);
      }),
    );
  });

  it("goes from error to error, around the end", () => {
    const rows = rowsOf(spans([0, 1, 1, 1], [1, 3]));
    expect(nextError(rows, 0, 1)).toBe(1);
    expect(nextError(rows, 3, 1)).toBe(1);
    expect(nextError(rows, 1, -1)).toBe(3);
    expect(nextError(rowsOf(spans([0])), 0, 1)).toBeUndefined();
  });
});
