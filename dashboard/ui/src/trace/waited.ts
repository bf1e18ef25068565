// What a trace waited for, and on whose clock: from the API's computed members to what the waterfall draws.

import type { Maybe, Span, TraceAnswer } from "../api/types";

/** A stretch of time in which the trace waited for one span's own work. */
export interface Stretch {
  /** After the trace's start. */
  start_us: number;
  length_us: number;
}

/** The critical path by the index of the row it leads through. */
export function waitedFor(trace: TraceAnswer): Map<number, Stretch[]> {
  const rows = new Map<number, Stretch[]>();
  for (const segment of trace.critical_path ?? []) {
    const stretch = { start_us: segment.start_offset_us, length_us: segment.duration_us };
    const known = rows.get(segment.row);
    if (known) known.push(stretch);
    else rows.set(segment.row, [stretch]);
  }
  return rows;
}

/** An offset on the clock of the span's caller: a host that is behind is moved by what it lacks. */
export function moved(offset_us: Maybe<number>, span: Span): Maybe<number> {
  return offset_us === null || offset_us === undefined ? offset_us : offset_us + (span.skew_us ?? 0);
}
