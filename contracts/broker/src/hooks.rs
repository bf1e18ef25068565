//! What the binary may plug in: where a refusal's trace is found, and who counts the gate's answers.

use futures::future::BoxFuture;
use tracepact_base::Link;

/// A failed interaction whose effect may have been seen in traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceQuestion {
    /// Who calls.
    pub consumer: String,
    /// Who answers.
    pub provider: String,
    /// The interaction's description.
    pub interaction: String,
    /// `GET`, for an HTTP interaction.
    pub method: Option<String>,
    /// `/item/1`, for an HTTP interaction.
    pub path: Option<String>,
}

/// Finds a trace in which the breakage that a refusal is about was seen.
pub trait TraceFinder: Send + Sync {
    /// A link to the latest such trace; `None` when there is none. Answer within half a second: the gate waits no longer.
    fn find<'a>(&'a self, question: &'a TraceQuestion) -> BoxFuture<'a, Option<Link>>;
}

/// An answer of the gate, as it is counted: `tracepact_gate_decisions_total{pacticipant,environment,result}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedDecision<'a> {
    /// What would have been deployed.
    pub pacticipant: &'a str,
    /// Where to.
    pub environment: &'a str,
    /// `yes`, `no` or `unknown`.
    pub result: &'static str,
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
}

/// Told of every answer of the gate.
pub trait DecisionCounter: Send + Sync {
    /// One answer was given. Must not block.
    fn count(&self, decision: CountedDecision<'_>);
}
