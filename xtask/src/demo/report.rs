//! The demo's report: the form of `--json PATH`. Filled from what the public APIs answered, never from what was done.

use std::collections::BTreeMap;

use serde::Serialize;

/// The whole report.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) ok: bool,
    pub(crate) addresses: BTreeMap<&'static str, String>,
    pub(crate) traces: Traces,
    pub(crate) outage: Outages,
    pub(crate) breakers: Vec<Breaker>,
    pub(crate) lag: Vec<Lag>,
    pub(crate) messages: Messages,
    pub(crate) gate: Vec<Gate>,
    pub(crate) kill: Kill,
    pub(crate) scenes: Vec<SceneReport>,
}

/// Orders and spans.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Traces {
    pub(crate) orders_placed: u64,
    pub(crate) orders_with_prescribed_tree: u64,
    pub(crate) spans_ended: u64,
    pub(crate) spans_stored: u64,
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// Orders whose tree is not the prescribed one, with the difference (the first few).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) mismatches: Vec<String>,
}

/// The same rollout without and with the gate.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outages {
    pub(crate) without_gate: Outage,
    pub(crate) with_gate: Outage,
}

/// What callers felt.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct Outage {
    pub(crate) failed_orders: u64,
    pub(crate) seconds: f64,
}

/// One breaker's history.
#[derive(Debug, Serialize)]
pub(crate) struct Breaker {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) transitions: Vec<Transition>,
}

/// One change of state.
#[derive(Debug, Serialize)]
pub(crate) struct Transition {
    pub(crate) at: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) cause: String,
}

/// One group on one topic.
#[derive(Debug, Serialize)]
pub(crate) struct Lag {
    pub(crate) group: String,
    pub(crate) topic: String,
    pub(crate) max_messages: u64,
    pub(crate) max_seconds: f64,
    pub(crate) final_messages: u64,
    pub(crate) rebalances: u64,
}

/// What was done to messages (as the services themselves recorded it) and what tracepact said about them.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Messages {
    pub(crate) dropped: Vec<String>,
    pub(crate) reported_lost: Vec<String>,
    pub(crate) delayed: Vec<String>,
    pub(crate) reported_late: Vec<String>,
    pub(crate) dead_lettered: Vec<String>,
    pub(crate) reported_dead_lettered: Vec<String>,
    pub(crate) duplicated: Vec<String>,
    pub(crate) reported_duplicated: Vec<String>,
    pub(crate) verdicts_in_fault_free_phase: u64,
}

/// One answer of the gate.
#[derive(Debug, Serialize)]
pub(crate) struct Gate {
    pub(crate) pacticipant: String,
    pub(crate) version: String,
    pub(crate) environment: String,
    pub(crate) deployable: Option<bool>,
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

/// The kill -9 of tracepact.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Kill {
    pub(crate) acked_spans: u64,
    pub(crate) found_after_restart: u64,
}

/// One scene.
#[derive(Debug, Serialize)]
pub(crate) struct SceneReport {
    pub(crate) name: &'static str,
    pub(crate) ok: bool,
    pub(crate) observed: String,
}
