// What the native API answers. Absent (or null) always means "unknown", never zero.
// Instants are RFC 3339 strings; durations and offsets are microseconds and may have a fraction.

import type { components } from "./schema";

export type Instant = string;
export type Maybe<T> = T | null | undefined;

type Schemas = components["schemas"];

export type ApiLink = Schemas["Link"];
export type Edge = Schemas["ProblemEdge"];

// --- overview and services

export type Problem = Schemas["OverviewProblem"];
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

export type ContractsAnswer = Schemas["ContractsOverview"];
export type Verification = "ok" | "failed" | "pending" | "none";
export type CanIDeployAnswer = Schemas["GateAnswer"];
export type CanIDeployRow = Schemas["GateRow"];
export type Proposal = Schemas["Proposal"];
export type ProposalDetail = Schemas["ProposalDetail"];
export type ProposalsAnswer = Schemas["Proposals"];
export type Decision = Schemas["Decision"];
export type DecisionsAnswer = Schemas["Decisions"];
