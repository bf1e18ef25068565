// What the native API answers. Absent (or null) always means "unknown", never zero.
// Instants are RFC 3339 strings; durations and offsets are microseconds and may have a fraction.

import type { components } from "./schema";

export type Instant = string;
export type Maybe<T> = T | null | undefined;

interface Answer {
  as_of: Instant;
}

interface ListAnswer extends Answer {
  complete?: Maybe<boolean>;
  cut?: Maybe<string>;
}

type Schemas = components["schemas"];

export type ApiLink = Schemas["Link"];
export type Edge = Schemas["ProblemEdge"];

// --- overview and services

export type Problem = Schemas["Problem"];
export type Counts = Schemas["Counts"];
export type OverviewAnswer = Schemas["OverviewAnswer"];
export type Service = Schemas["Service"];
export type ServicesAnswer = Schemas["ServicesAnswer"];

// --- traces

export type TraceSummary = Schemas["TraceSummary"];
export type TracesAnswer = Schemas["TracesAnswer"];
export type Span = Schemas["TraceSpan"];
export type TraceAnswer = Schemas["TraceAnswer"];

// --- breakers and bulkheads

export type BreakerState = "closed" | "open" | "half_open" | "forced_open" | "disabled";

export interface Transition {
  at: Instant;
  from: string;
  to: string;
  cause?: Maybe<string>;
}

export interface Breaker {
  service: string;
  instance: string;
  name: string;
  callee?: Maybe<string>;
  state: BreakerState;
  since?: Maybe<Instant>;
  window_requests?: Maybe<number>;
  error_percent?: Maybe<number>;
  rejected_total?: Maybe<number>;
  source?: Maybe<string>;
  last_seen?: Maybe<Instant>;
  transitions: Transition[];
}

export interface BreakersAnswer extends ListAnswer {
  breakers: Breaker[];
}

export interface Bulkhead {
  service: string;
  instance: string;
  name: string;
  kind: "bulkhead" | "permits";
  group?: Maybe<string>;
  topic?: Maybe<string>;
  in_use?: Maybe<number>;
  limit?: Maybe<number>;
  waiting?: Maybe<number>;
  rejected_total?: Maybe<number>;
  paused?: Maybe<boolean>;
  paused_seconds_total?: Maybe<number>;
  last_seen?: Maybe<Instant>;
}

export interface BulkheadsAnswer extends ListAnswer {
  bulkheads: Bulkhead[];
}

// --- lag and messages

export type LagVerdict = "ok" | "warn" | "stall" | "stop" | "rewind" | "unknown";

export interface PartitionLag {
  partition: number;
  committed?: Maybe<number>;
  end?: Maybe<number>;
  start?: Maybe<number>;
  lag_messages?: Maybe<number>;
  lag_seconds?: Maybe<number>;
  lost_messages?: Maybe<number>;
  /** The seconds are a lower bound. */
  lag_seconds_at_least?: Maybe<boolean>;
  owner?: Maybe<string>;
  verdict: LagVerdict;
}

export interface TopicLag {
  topic: string;
  lag_messages?: Maybe<number>;
  lag_seconds?: Maybe<number>;
  lost_messages?: Maybe<number>;
  worst_partition?: Maybe<number>;
  partitions: PartitionLag[];
}

export interface GroupLag {
  group: string;
  service?: Maybe<string>;
  state?: Maybe<string>;
  members?: Maybe<number>;
  rebalances?: Maybe<number>;
  verdict: LagVerdict;
  topics: TopicLag[];
}

export interface LagAnswer extends ListAnswer {
  groups: GroupLag[];
  error?: Maybe<string>;
}

export type MessageVerdict =
  | "open"
  | "answered"
  | "queued"
  | "late"
  | "lost"
  | "dead_lettered"
  | "duplicated";

export interface Flow {
  name: string;
  request_topic: string;
  result_topic: string;
  dead_letter_topic?: Maybe<string>;
  group: string;
  window_ms: number;
  /** Why its topics could not be read. */
  error?: Maybe<string>;
  counts: { [verdict in MessageVerdict]?: Maybe<number> };
}

export interface Message {
  flow: string;
  key: string;
  verdict: MessageVerdict;
  requested_at?: Maybe<Instant>;
  deadline_at?: Maybe<Instant>;
  answered_at?: Maybe<Instant>;
  decided_at?: Maybe<Instant>;
  trace_id?: Maybe<string>;
  partition: number;
  offset: number;
  reason: string;
}

export interface MessagesAnswer extends ListAnswer {
  flows: Flow[];
  messages: Message[];
}

// --- events

export type EventsAnswer = Schemas["EventsAnswer"];

// --- contracts

export type Verification = "ok" | "failed" | "pending" | "none";

export interface ContractsAnswer extends Answer {
  environments: { name: string; production: boolean }[];
  pacticipants: {
    name: string;
    main_branch?: Maybe<string>;
    latest_version?: Maybe<string>;
    deployed: { environment: string; version: string; instance?: Maybe<string> }[];
  }[];
  pacts: {
    consumer: string;
    provider: string;
    consumer_version: string;
    branch?: Maybe<string>;
    content_id: string;
    verification: Verification;
    verified_by_version?: Maybe<string>;
    verified_at?: Maybe<Instant>;
  }[];
}

export interface CanIDeployRow {
  consumer: string;
  consumer_version?: Maybe<string>;
  provider: string;
  provider_version?: Maybe<string>;
  kind: "pact" | "accepted";
  success?: Maybe<boolean>;
  mismatches: { interaction: string; operation?: Maybe<string>; description: string }[];
  clears?: Maybe<string>;
  clears_by?: Maybe<string>;
  verification_url?: Maybe<string>;
}

export interface CanIDeployAnswer extends Answer {
  deployable?: Maybe<boolean>;
  reason: string;
  rows: CanIDeployRow[];
  notices: (string | { type?: Maybe<string>; text: string })[];
  trace?: Maybe<string | ApiLink>;
}

export interface Proposal {
  id: string;
  state: string;
  title: string;
  consumer: string;
  consumer_branch: string;
  provider: string;
  team?: Maybe<string>;
  author?: Maybe<string>;
  pull_request_url?: Maybe<string>;
  created_at: Instant;
  updated_at: Instant;
}

export interface ProposalDetail extends Proposal, Answer {
  history: { state: string; who?: Maybe<string>; reason?: Maybe<string>; at: Instant }[];
  interactions: string[];
  difference?: Maybe<string>;
}

export interface ProposalsAnswer extends ListAnswer {
  proposals: Proposal[];
}

export interface Decision {
  at: Instant;
  pacticipant: string;
  version: string;
  environment: string;
  deployable?: Maybe<boolean>;
  reason: string;
  trace?: Maybe<string | ApiLink>;
}

export interface DecisionsAnswer extends ListAnswer {
  decisions: Decision[];
}
