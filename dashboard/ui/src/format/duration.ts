// Durations for people, from nanoseconds to hours: three significant digits, always with the unit.

const UNITS = [
  { name: "h", us: 3_600_000_000 },
  { name: "min", us: 60_000_000 },
  { name: "s", us: 1_000_000 },
  { name: "ms", us: 1_000 },
  { name: "µs", us: 1 },
  { name: "ns", us: 0.001 },
] as const;

/** `us` microseconds: "1.50 ms", "2 min 5 s", "unknown" when absent. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return "unknown";
  if (us < 0) return `−${duration(-us)}`;
  if (us === 0) return "0 ms";
  const ns = Math.round(us * 1000);
  if (ns < 1000) return `${Math.max(1, ns)} ns`;
  // What rounds up to a minute must say so: 59.97 s is "1 min", not "60.0 s".
  if (us >= 59_950_000) {
    const seconds = Math.round(us / 1_000_000);
    if (seconds >= 3600) {
      const minutes = Math.round(seconds / 60);
      return compound(Math.floor(minutes / 60), "h", minutes % 60, "min");
    }
    return compound(Math.floor(seconds / 60), "min", seconds % 60, "s");
  }
  for (const unit of UNITS) {
    // Rounding may carry into the unit above: 999.96 µs is "1.00 ms".
    if (us >= unit.us * 0.9995) return `${significant(us / unit.us)} ${unit.name}`;
  }
  return `${ns} ns`;
}

/** Seconds as {@link duration}. */
export function seconds(s: number | null | undefined): string {
  return s === null || s === undefined ? "unknown" : s === 0 ? "0 s" : duration(s * 1_000_000);
}

function compound(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

function significant(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

/** Reads "150ms", "1.5 s", "2min", "300" (milliseconds); undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|s|min|m|h)?\s*$/i.exec(text);
  if (!found) return undefined;
  const name = (found[2] ?? "ms")
    .toLowerCase()
    .replace(/^(us|μs)$/, "µs")
    .replace(/^m$/, "min");
  const unit = UNITS.find((u) => u.name === name);
  return unit ? Number(found[1]) * unit.us : undefined;
}
