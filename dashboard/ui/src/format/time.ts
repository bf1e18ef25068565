// Instants: relative for reading, UTC and local for copying.

import { duration } from "./duration";

function millis(at: string | null | undefined): number | undefined {
  if (at === null || at === undefined) return undefined;
  const parsed = Date.parse(at);
  return Number.isNaN(parsed) ? undefined : parsed;
}

const two = (n: number) => String(n).padStart(2, "0");

/** "2026-11-21 03:04:05.678 UTC" */
export function utc(at: string): string {
  const ms = millis(at);
  return ms === undefined ? at : `${new Date(ms).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** "03:04:05" in the reader's zone, with the day when it is not today. */
export function clock(at: string, now = Date.now()): string {
  const ms = millis(at);
  if (ms === undefined) return at;
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** Local and UTC, for a tooltip. */
export function both(at: string): string {
  const ms = millis(at);
  return ms === undefined ? at : `${new Date(ms).toLocaleString()} (local), ${utc(at)}`;
}

/** "3 min 12 s ago", "just now", "in 5 s". */
export function ago(at: string, now = Date.now()): string {
  const ms = millis(at);
  if (ms === undefined) return at;
  const past = now - ms;
  if (Math.abs(past) < 1000) return "just now";
  const text = coarse(Math.abs(past));
  return past > 0 ? `${text} ago` : `in ${text}`;
}

/** How long it has lasted: "3 min 12 s". */
export function lasting(since: string, now = Date.now()): string {
  const ms = millis(since);
  return ms === undefined ? "unknown" : coarse(Math.max(0, now - ms));
}

function coarse(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  if (days >= 2) return `${days} days`;
  return duration(Math.max(1, Math.floor(ms / 1000)) * 1_000_000).replace(/\.\d+ s$/, " s");
}
