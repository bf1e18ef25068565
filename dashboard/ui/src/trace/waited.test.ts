import { describe, expect, it } from "vitest";
import type { Span, TraceAnswer } from "../api/types";
import { moved, waitedFor } from "./waited";

describe("what a trace waited for", () => {
  it("is told by row, in order of time", () => {
    const critical_path = [
      { row: 0, start_offset_us: 0, duration_us: 5 },
      { row: 2, start_offset_us: 5, duration_us: 10 },
      { row: 0, start_offset_us: 15, duration_us: 1 },
    ];
    const rows = waitedFor({ critical_path } as TraceAnswer);
    expect(rows.get(0)).toEqual([
      { start_us: 0, length_us: 5 },
      { start_us: 15, length_us: 1 },
    ]);
    expect(rows.get(1)).toBeUndefined();
    expect(rows.get(2)).toHaveLength(1);
    expect(waitedFor({} as TraceAnswer).size).toBe(0);
  });

  it("lies on the caller's clock, and what is unknown stays unknown", () => {
    expect(moved(-9_000, { skew_us: 10_000 } as Span)).toBe(1_000);
    expect(moved(7, {} as Span)).toBe(7);
    expect(moved(undefined, { skew_us: 1 } as Span)).toBeUndefined();
    expect(moved(null, { skew_us: 1 } as Span)).toBeNull();
  });
});
