import { describe, expect, it } from "vitest";
import { count, counted, percent } from "./count";
import { ago, clock, lasting, utc } from "./time";

describe("numbers", () => {
  it("calls what is absent unknown", () => {
    expect(count(undefined)).toBe("unknown");
    expect(percent(null)).toBe("unknown");
    expect(counted(null, "rebalance")).toBe("unknown rebalances");
    expect(count(0)).toBe("0");
  });
  it("agrees with its noun", () => {
    expect(counted(1, "span")).toBe("1 span");
    expect(counted(1200, "span")).toBe("1,200 spans");
  });
  it("keeps what a percentage needs", () => {
    expect(percent(87.5)).toBe("88 %");
    expect(percent(0.4)).toBe("0.4 %");
    expect(percent(0)).toBe("0 %");
  });
});

describe("instants", () => {
  const now = Date.parse("2026-11-21T03:04:05Z");
  it.each([
    ["2026-11-21T03:04:04.500Z", "just now"],
    ["2026-11-21T03:03:05Z", "1 min ago"],
    ["2026-11-21T03:00:53Z", "3 min 12 s ago"],
    ["2026-11-21T03:04:10Z", "in 5 s"],
    ["2026-11-18T03:04:05Z", "3 days ago"],
  ])("%s is %s", (at, text) => expect(ago(at, now)).toBe(text));
  it("tells how long something lasts, never less than nothing", () => {
    expect(lasting("2026-11-21T03:04:00Z", now)).toBe("5 s");
    expect(lasting("2026-11-21T03:05:00Z", now)).toBe("1 s");
  });
  it("writes UTC with its name and shows garbage as it came", () => {
    expect(utc("2026-11-21T03:04:05.678Z")).toBe("2026-11-21 03:04:05.678 UTC");
    expect(utc("yesterday")).toBe("yesterday");
    expect(clock("yesterday")).toBe("yesterday");
  });
});
