//! What the overview answers: one ranked list of problems, and how many of each there are.

use serde::Serialize;
use tracepact_base::Link;
use utoipa::ToSchema;

/// Answer of `GET /tracepact/v1/overview`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OverviewAnswer {
    /// When this was true (RFC 3339).
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every source answered.
    pub complete: bool,
    /// Which source did not answer, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// What is wrong, most urgent first.
    pub problems: Vec<Problem>,
    /// How much is wrong. What no source covers, or a source failed to tell, is absent.
    pub counts: Counts,
}

/// How urgent a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Requests fail or messages are lost now.
    Error,
    /// It will become an error, or it was prevented.
    Warning,
}

/// What kind of problem it is. The order is the overview's order among equals: what blinds us, what callers feel,
/// what is late, what was prevented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Something is wrong with tracepact itself.
    Collector,
    /// A circuit breaker is not closed.
    BreakerOpen,
    /// Messages were consumed and never answered.
    MessageLost,
    /// Requests fail more often than they should.
    Errors,
    /// A consumer group falls behind.
    Lag,
    /// The gate refused a deploy, and nothing newer was allowed since.
    GateRefused,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewProblem)]
pub struct Problem {
    /// What kind of problem.
    pub kind: ProblemKind,
    /// How urgent.
    pub severity: Severity,
    /// The service it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The edge it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<ProblemEdge>,
    /// The topic it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// One line for people.
    pub title: String,
    /// Since when (RFC 3339); absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// Where to look, best first.
    pub links: Vec<Link>,
}

/// One service calling another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProblemEdge {
    /// Who calls.
    pub caller: String,
    /// Who is called.
    pub callee: String,
}

/// How much is wrong. An absent number is unknown, not zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Services known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<u64>,
    /// Breakers open or forced open, each counted once over its instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakers_open: Option<u64>,
    /// Consumer groups whose verdict is neither ok nor unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_lagging: Option<u64>,
    /// Messages judged lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_lost: Option<u64>,
    /// Pacticipant and environment pairs whose newest gate answer is not yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploys_refused: Option<u64>,
}
