//! The board of circuit breakers: the one place where transitions are derived.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::RwLock;
use serde::Serialize;

use super::{FORGET_AFTER_NS, make_room};
use crate::breaker::{BreakerKey, BreakerSample, BreakerState, Memory, Source, Transition};

/// Transitions kept per breaker for answers; older ones are in the event feed.
const TRANSITIONS_MAX: usize = 50;

/// A transition in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TransitionView {
    /// When it was seen.
    #[serde(rename = "at", with = "tracepact_base::time_format::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at_ns: u64,
    /// State before.
    pub from: BreakerState,
    /// State after.
    pub to: BreakerState,
    /// Why.
    pub cause: String,
}

/// A breaker in an answer.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct BreakerView {
    /// The service whose calls it guards.
    pub service: String,
    /// The process; empty when unknown.
    pub instance: String,
    /// Its name within the process.
    pub name: String,
    /// The service it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callee: Option<String>,
    /// Its state.
    pub state: BreakerState,
    /// Since when it has this state; absent when it had it before we looked.
    #[serde(rename = "since", skip_serializing_if = "Option::is_none", with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since_ns: Option<u64>,
    /// Requests in its window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_requests: Option<f64>,
    /// Share of failures in its window, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<f64>,
    /// Calls turned away by it since its process began, rejected and short-circuited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_total: Option<f64>,
    /// Where the last sample came from.
    pub source: Source,
    /// When the last sample was taken.
    #[serde(rename = "last_seen", with = "tracepact_base::time_format::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_ns: u64,
    /// Its last transitions, oldest first.
    pub transitions: Vec<TransitionView>,
}

pub(super) mod optional_rfc3339 {
    use serde::Serializer;

    #[expect(clippy::ref_option, reason = "serde's with passes a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(ns: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match ns {
            Some(ns) => tracepact_base::time_format::rfc3339::serialize(ns, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[derive(Debug)]
struct Entry {
    memory: Memory,
    view: BreakerView,
    state_known: bool,
    transitions: VecDeque<TransitionView>,
}

/// All breakers seen lately.
#[derive(Debug)]
pub struct BreakerBoard {
    entries: RwLock<BTreeMap<BreakerKey, Entry>>,
    watching_since_ns: u64,
}

impl BreakerBoard {
    /// An empty board that begins to watch at `now_ns`.
    pub fn new(now_ns: u64) -> Self {
        Self { entries: RwLock::default(), watching_since_ns: now_ns }
    }

    /// Takes a sample and tells which transitions it shows, oldest first. A sample older than the last one is ignored.
    pub fn observe(&self, sample: &BreakerSample) -> Vec<Transition> {
        let mut entries = self.entries.write();
        make_room(&mut entries, &sample.key, |entry| entry.view.last_seen_ns);
        let entry = entries.entry(sample.key.clone()).or_insert_with(|| Entry::new(sample));
        if sample.at_ns < entry.view.last_seen_ns {
            return Vec::new();
        }
        let transitions = entry.memory.advance(sample, self.watching_since_ns);
        entry.absorb(sample, &transitions);
        transitions
    }

    /// The breakers seen within the last hour before `now_ns`, by service, instance and name.
    pub fn snapshot(&self, now_ns: u64) -> Vec<BreakerView> {
        let lately = now_ns.saturating_sub(FORGET_AFTER_NS);
        let entries = self.entries.read();
        let seen = entries.values().filter(|entry| entry.state_known && entry.view.last_seen_ns >= lately);
        seen.map(|entry| {
            let mut view = entry.view.clone();
            view.transitions = entry.transitions.iter().cloned().collect();
            view
        })
        .collect()
    }
}

impl Entry {
    fn new(sample: &BreakerSample) -> Self {
        let view = BreakerView {
            service: sample.key.service.to_string(),
            instance: sample.key.instance.clone(),
            name: sample.key.name.clone(),
            callee: None,
            state: BreakerState::Closed,
            since_ns: None,
            window_requests: None,
            error_percent: None,
            rejected_total: None,
            source: sample.source,
            last_seen_ns: 0,
            transitions: Vec::new(),
        };
        Self { memory: Memory::default(), view, state_known: false, transitions: VecDeque::new() }
    }

    fn absorb(&mut self, sample: &BreakerSample, transitions: &[Transition]) {
        let view = &mut self.view;
        view.last_seen_ns = sample.at_ns;
        view.source = sample.source;
        if let Some(callee) = &sample.callee {
            view.callee = Some(callee.to_string());
        }
        view.window_requests = sample.window_requests.or(view.window_requests);
        view.error_percent = sample.error_percent.or(view.error_percent);
        let turned_away = ["rejected", "short_circuited"].map(|outcome| sample.calls.get(outcome));
        if turned_away.iter().any(Option::is_some) {
            view.rejected_total = Some(turned_away.into_iter().flatten().sum());
        }
        if let Some(state) = sample.state.or(transitions.last().map(|last| last.to)) {
            view.state = state;
            self.state_known = true;
        }
        for transition in transitions {
            view.since_ns = Some(transition.at_ns);
            if self.transitions.len() == TRANSITIONS_MAX {
                self.transitions.pop_front();
            }
            self.transitions.push_back(TransitionView {
                at_ns: transition.at_ns,
                from: transition.from,
                to: transition.to,
                cause: transition.cause.clone(),
            });
        }
    }
}
