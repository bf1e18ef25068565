//! The present state of what can be wrong, typed, as the collector and the broker know it. Healthy states come too:
//! "2 of 3 instances" needs the third.

use tracepact_base::{Edge, ServiceName};

/// The state of one thing that can be wrong.
#[derive(Debug, Clone)]
pub enum Summary {
    /// A circuit breaker of one instance.
    Breaker(BreakerSummary),
    /// A consumer group on one topic.
    Lag(LagSummary),
    /// Messages of one flow judged lost.
    Lost(LostSummary),
    /// One answer of the deploy gate.
    Gate(GateSummary),
    /// The error rate of one service or edge.
    Errors(ErrorSummary),
    /// Something wrong with tracepact itself.
    Collector(CollectorSummary),
}

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// A trial call may pass.
    HalfOpen,
    /// Calls are refused because someone said so.
    ForcedOpen,
    /// Calls pass and nothing is counted.
    Disabled,
}

/// A circuit breaker of one instance.
#[derive(Debug, Clone)]
pub struct BreakerSummary {
    /// Who owns the breaker.
    pub service: ServiceName,
    /// Which instance.
    pub instance: String,
    /// The breaker's name.
    pub breaker: String,
    /// Whom it protects.
    pub callee: Option<ServiceName>,
    /// Its state.
    pub state: BreakerState,
    /// Since when it is in this state, nanoseconds since 1970.
    pub since_ns: Option<u64>,
}

/// What is thought of a group's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LagVerdict {
    /// Keeping up.
    Ok,
    /// Not enough is known.
    Unknown,
    /// Falling behind.
    Warn,
    /// Commits arrive, but the offset does not move.
    Stall,
    /// No commits while messages wait.
    Stop,
    /// The committed offset went back.
    Rewind,
}

/// A consumer group on one topic.
#[derive(Debug, Clone)]
pub struct LagSummary {
    /// The group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The verdict.
    pub verdict: LagVerdict,
    /// Messages behind, when known.
    pub lag_messages: Option<u64>,
    /// Seconds behind, when known.
    pub lag_seconds: Option<f64>,
    /// Since when the verdict holds, nanoseconds since 1970.
    pub since_ns: Option<u64>,
}

/// Messages of one flow judged lost.
#[derive(Debug, Clone)]
pub struct LostSummary {
    /// The flow's name.
    pub flow: String,
    /// The topic whose messages got no answer.
    pub request_topic: String,
    /// The group that committed past them.
    pub group: String,
    /// How many are lost.
    pub lost: u64,
    /// When the first was judged, nanoseconds since 1970.
    pub since_ns: Option<u64>,
    /// The trace of one of them.
    pub trace_id: Option<String>,
}

/// One answer of the deploy gate.
#[derive(Debug, Clone)]
pub struct GateSummary {
    /// What was to be deployed, under its name at the broker.
    pub pacticipant: String,
    /// Which version.
    pub version: String,
    /// Where to.
    pub environment: String,
    /// The answer; `None` is unknown, which does not deploy either.
    pub deployable: Option<bool>,
    /// Why.
    pub reason: String,
    /// When it was given, nanoseconds since 1970.
    pub at_ns: u64,
    /// The trace that shows what would break.
    pub trace_id: Option<String>,
}

/// The error rate of one service, or of one edge seen from its caller, over a recent window.
#[derive(Debug, Clone)]
pub struct ErrorSummary {
    /// Whose requests fail.
    pub service: ServiceName,
    /// Towards whom, when known.
    pub edge: Option<Edge>,
    /// Requests in the window.
    pub requests: u64,
    /// Failed requests in the window.
    pub errors: u64,
    /// The window's length in seconds.
    pub window_seconds: u64,
    /// Since when the rate is this high, nanoseconds since 1970.
    pub since_ns: Option<u64>,
}

/// Something wrong with tracepact itself.
#[derive(Debug, Clone)]
pub struct CollectorSummary {
    /// What is wrong, one line.
    pub title: String,
    /// Whether data is lost or refused because of it.
    pub severe: bool,
    /// Since when, nanoseconds since 1970.
    pub since_ns: Option<u64>,
}
