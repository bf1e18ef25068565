const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** A number for people; "unknown" when absent. */
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "unknown" : whole.format(n);
}

/** "1 span", "2 spans", "unknown spans". */
export function counted(n: number | null | undefined, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** "12.5 %"; "unknown" when absent. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return "unknown";
  return `${share >= 10 || Number.isInteger(share) ? share.toFixed(0) : share.toFixed(1)} %`;
}
