import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { place, ticks, windowed } from "./ticks";

describe("ticks", () => {
  it.each([
    [184_300, 5, [0, 50_000, 100_000, 150_000]],
    [1_000_000, 5, [0, 500_000, 1_000_000]],
    [0, 5, [0]],
    [3, 4, [0, 1, 2, 3]],
  ])("%d µs with at most %d", (total, most, expected) => expect(ticks(total, most)).toEqual(expected));

  it("are round, rising, within the trace and never too many", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1e12, noNaN: true }),
        fc.integer({ min: 2, max: 12 }),
        (total, most) => {
          const found = ticks(total, most);
          expect(found[0]).toBe(0);
          expect(found.length).toBeLessThanOrEqual(most);
          expect(found.at(-1) ?? 0).toBeLessThanOrEqual(total * (1 + 1e-6));
          const step = found[1];
          if (step !== undefined)
            expect(step / 10 ** Math.floor(Math.log10(step) + 1e-9)).toSatisfy((f: number) =>
              [1, 2, 5, 10].some((r) => Math.abs(f - r) < 1e-6),
            );
        },
      ),
    );
  });
});

describe("bars", () => {
  it("never leave the axis and are never invisible", () => {
    const any = fc.double({ min: -1e6, max: 2e6, noNaN: true });
    fc.assert(
      fc.property(
        any,
        fc.option(any),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (offset, took, total) => {
          const bar = place(offset, took, total);
          expect(bar?.left).toBeGreaterThanOrEqual(0);
          expect((bar?.left ?? 0) + (bar?.width ?? 0)).toBeLessThanOrEqual(100.01);
          expect(bar?.width).toBeGreaterThan(0);
        },
      ),
    );
  });
  it("without a start there is none", () => expect(place(null, 5, 10)).toBeUndefined());
});

describe("windowing", () => {
  it("mounts what is in view and a bounded number around it", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(3_000_000), fc.nat(2_000), (total, scroll, view) => {
        const [first, last] = windowed(total, 26, scroll, view, 12);
        expect(first).toBeLessThanOrEqual(last);
        expect(last - first).toBeLessThanOrEqual(Math.ceil(view / 26) + 1 + 2 * 12 + 2);
        const inView = Math.floor(scroll / 26);
        if (inView < total && view > 0) expect(first <= inView && inView < last).toBe(true);
      }),
    );
  });
});
