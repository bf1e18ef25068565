// The time axis: round steps, never more than fit.

/** Offsets in microseconds from 0 to at most `total_us`, at steps of 1, 2 or 5 times a power of ten. */
export function ticks(total_us: number, most: number): number[] {
  if (!(total_us > 0) || most < 2) return [0];
  const rough = total_us / (most - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((f) => f * power >= rough * (1 - 1e-9)) ?? 10;
  const step = factor * power;
  const found: number[] = [];
  for (let n = 0; n * step <= total_us * (1 + 1e-9); n++) found.push(n * step);
  return found;
}

/** Where a span stands in a trace of `total_us`, in percent. A bar never leaves the axis and is never invisible. */
export function place(
  offset_us: number | null | undefined,
  duration_us: number | null | undefined,
  total_us: number,
): { left: number; width: number } | undefined {
  if (offset_us === null || offset_us === undefined) return undefined;
  if (!(total_us > 0)) return { left: 0, width: 100 };
  const left = Math.min(100, Math.max(0, (offset_us / total_us) * 100));
  const end = Math.min(100, Math.max(left, ((offset_us + (duration_us ?? 0)) / total_us) * 100));
  return { left: Math.min(left, 99.8), width: Math.max(0.2, end - Math.min(left, 99.8)) };
}

/** The rows of fixed height to mount: those in view and some around them. */
export function windowed(
  total: number,
  rowPx: number,
  scrollPx: number,
  viewPx: number,
  extra: number,
): [number, number] {
  const first = Math.min(total, Math.max(0, Math.floor(scrollPx / rowPx) - extra));
  const last = Math.min(total, Math.ceil((scrollPx + viewPx) / rowPx) + extra);
  return [first, Math.max(first, last)];
}
