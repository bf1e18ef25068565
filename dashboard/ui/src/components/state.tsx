// A state is a shape, a word and only then a colour.

import type { BreakerState, LagVerdict, MessageVerdict, Verification } from "../api/types";

export type Tone = "ok" | "warn" | "bad" | "off";
export type ShapeName =
  | "disc"
  | "ring"
  | "half"
  | "square"
  | "triangle"
  | "cross"
  | "dash"
  | "question"
  | "right"
  | "down";

const PATHS: Record<ShapeName, string> = {
  disc: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z",
  ring: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2z",
  half: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2.2v9.6a4.8 4.8 0 0 1 0-9.6z",
  square: "M1.5 1.5h13v13h-13z",
  triangle: "M8 1l7.5 14H.5z",
  cross: "M3.4 1 8 5.6 12.6 1 15 3.4 10.4 8l4.6 4.6-2.4 2.4L8 10.4 3.4 15 1 12.6 5.6 8 1 3.4z",
  dash: "M1 6.5h14v3H1z",
  question:
    "M4.4 5.2C4.4 2.7 6 1 8.2 1c2.1 0 3.7 1.5 3.7 3.5 0 1.6-.8 2.4-1.9 3.2-.8.6-1 .9-1 1.9H6.9c0-1.8.5-2.4 1.6-3.2.8-.6 1.1-.9 1.1-1.7s-.6-1.4-1.5-1.4c-1 0-1.5.7-1.5 1.9zM6.8 11.6h2.4V14H6.8z",
  right: "M4 1l9 7-9 7z",
  down: "M1 4l7 9 7-9z",
};

export function Shape({ name }: { name: ShapeName }) {
  return (
    <svg class="shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}

interface Look {
  word: string;
  tone: Tone;
  shape: ShapeName;
}

export function State({ look }: { look: Look }) {
  return (
    <span class={`state tone-${look.tone}`}>
      <Shape name={look.shape} />
      {look.word}
    </span>
  );
}

const UNKNOWN: Look = { word: "unknown", tone: "off", shape: "question" };

function pick<K extends string>(table: Record<K, Look>, key: string | null | undefined): Look {
  if (key === null || key === undefined) return UNKNOWN;
  // A word this page does not know yet is shown as it came, not hidden.
  return Object.hasOwn(table, key) ? table[key as K] : { ...UNKNOWN, word: key.replaceAll("_", " ") };
}

const BREAKER: Record<BreakerState, Look> = {
  closed: { word: "closed", tone: "ok", shape: "disc" },
  open: { word: "open", tone: "bad", shape: "square" },
  half_open: { word: "half-open", tone: "warn", shape: "half" },
  forced_open: { word: "forced open", tone: "bad", shape: "cross" },
  disabled: { word: "disabled", tone: "off", shape: "dash" },
};
export const breakerLook = (state: string | null | undefined) => pick(BREAKER, state);

const LAG: Record<LagVerdict, Look> = {
  ok: { word: "keeping up", tone: "ok", shape: "disc" },
  warn: { word: "falling behind", tone: "warn", shape: "triangle" },
  stall: { word: "stalled", tone: "bad", shape: "square" },
  stop: { word: "stopped", tone: "bad", shape: "cross" },
  rewind: { word: "went back", tone: "bad", shape: "half" },
  unknown: UNKNOWN,
};
export const lagLook = (verdict: string | null | undefined) => pick(LAG, verdict);

const MESSAGE: Record<MessageVerdict, Look> = {
  open: { word: "open", tone: "off", shape: "ring" },
  answered: { word: "answered", tone: "ok", shape: "disc" },
  queued: { word: "queued", tone: "off", shape: "ring" },
  late: { word: "late", tone: "warn", shape: "triangle" },
  lost: { word: "lost", tone: "bad", shape: "cross" },
  dead_lettered: { word: "dead-lettered", tone: "bad", shape: "square" },
  duplicated: { word: "duplicated", tone: "warn", shape: "half" },
};
export const messageLook = (verdict: string | null | undefined) => pick(MESSAGE, verdict);

const VERIFICATION: Record<Verification, Look> = {
  ok: { word: "verified", tone: "ok", shape: "disc" },
  failed: { word: "failed", tone: "bad", shape: "cross" },
  pending: { word: "pending", tone: "warn", shape: "half" },
  none: { word: "not verified", tone: "off", shape: "ring" },
};
export const verificationLook = (verification: string | null | undefined) => pick(VERIFICATION, verification);

const PROPOSAL: Record<string, Look> = {
  draft: { word: "draft", tone: "off", shape: "ring" },
  proposed: { word: "proposed", tone: "warn", shape: "half" },
  accepted: { word: "accepted", tone: "ok", shape: "disc" },
  enforced: { word: "enforced", tone: "ok", shape: "square" },
  rejected: { word: "rejected", tone: "bad", shape: "cross" },
  withdrawn: { word: "withdrawn", tone: "off", shape: "dash" },
  superseded: { word: "superseded", tone: "off", shape: "dash" },
  retired: { word: "retired", tone: "off", shape: "dash" },
};
export const proposalLook = (state: string | null | undefined) => pick(PROPOSAL, state);

const SEVERITY: Record<"error" | "warning", Look> = {
  error: { word: "error", tone: "bad", shape: "square" },
  warning: { word: "warning", tone: "warn", shape: "triangle" },
};
export const severityLook = (severity: string) => pick(SEVERITY, severity);

/** yes, no or unknown: unknown does not deploy. */
export function answerLook(deployable: boolean | null | undefined): Look {
  if (deployable === true) return { word: "yes", tone: "ok", shape: "disc" };
  if (deployable === false) return { word: "no", tone: "bad", shape: "cross" };
  return UNKNOWN;
}

/** Whether one row of an answer holds. */
export function rowLook(success: boolean | null | undefined): Look {
  if (success === true) return { word: "holds", tone: "ok", shape: "disc" };
  if (success === false) return { word: "broken", tone: "bad", shape: "cross" };
  return { word: "unverified", tone: "off", shape: "question" };
}
