import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { duration, parseDuration, seconds } from "./duration";

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [0.001, "1 ns"],
    [0.5, "500 ns"],
    [1, "1.00 µs"],
    [999.96, "1.00 ms"],
    [1_234, "1.23 ms"],
    [41_250, "41.3 ms"],
    [184_300, "184 ms"],
    [1_500_000, "1.50 s"],
    [59_970_000, "1 min"],
    [125_000_000, "2 min 5 s"],
    [3_600_000_000, "1 h"],
    [5_430_000_000, "1 h 31 min"],
    [-1_500, "−1.50 ms"],
  ])("%d µs is %s", (us, text) => expect(duration(us)).toBe(text));

  it("calls what is absent unknown, never zero", () => {
    expect(duration(undefined)).toBe("unknown");
    expect(duration(null)).toBe("unknown");
    expect(seconds(null)).toBe("unknown");
    expect(seconds(0)).toBe("0 s");
  });

  it("always has a unit, and reads back near to what it was", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 59_000_000, noNaN: true }), (us) => {
        const text = duration(us);
        expect(text).toMatch(/^\d+(\.\d+)? (ns|µs|ms|s)$/);
        const back = parseDuration(text) ?? Number.NaN;
        expect(Math.abs(back - us)).toBeLessThanOrEqual(Math.max(us * 0.006, 0.0006));
      }),
    );
  });
});

describe("parseDuration", () => {
  it.each([
    ["150ms", 150_000],
    ["2 s", 2_000_000],
    ["1.5s", 1_500_000],
    ["300", 300_000],
    ["2 min", 120_000_000],
    ["5us", 5],
    ["1h", 3_600_000_000],
  ])("%s", (text, us) => expect(parseDuration(text)).toBe(us));

  it.each(["", "fast", "-1s", "1 parsec", "1s2"])("refuses %j", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});
