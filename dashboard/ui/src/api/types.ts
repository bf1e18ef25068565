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

export type Breaker = Schemas["BreakerView"];
export type BreakerState = Breaker["state"];
export type Transition = Schemas["TransitionView"];
export type BreakersAnswer = Schemas["BreakersAnswer"];
export type Bulkhead = Schemas["BulkheadView"];
export type BulkheadsAnswer = Schemas["BulkheadsAnswer"];

// --- lag and messages

export type GroupLag = Schemas["GroupView"];
export type LagVerdict = GroupLag["verdict"];
export type TopicLag = Schemas["TopicView"];
export type LagAnswer = Schemas["LagAnswer"];
export type Flow = Schemas["FlowView"];
export type Message = Schemas["MessageView"];
export type MessageVerdict = Message["verdict"];
export type MessagesAnswer = Schemas["MessagesAnswer"];

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
