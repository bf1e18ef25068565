//! Faults switched on at run time, for demos and for tests of whoever watches the shop.
//!
//! Only a service started with `--faults` has them, and only on loopback with a token. What was injected is kept with
//! the key of each record, so that what a monitor reports can be compared with what really happened, as sets of ids.

pub mod api;
pub mod http_layer;
mod rule;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;
use tracepact_base::SharedClock;

pub use rule::{FaultKind, FaultRule, RuleError};

/// How many injections are remembered; older ones are forgotten first.
pub const INJECTIONS_MAX: usize = 20_000;

/// One fault that was done to a record or a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Injection {
    /// Which kind.
    pub kind: FaultKind,
    /// Topic of the record; absent for a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Key of the record (an order id), or method and path of the request.
    pub key: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// A rule and how often it struck.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActiveRule {
    /// The rule.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// Requests and records it was applied to.
    pub injected: u64,
}

/// What to do to a record, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordFaults {
    /// Abort the process.
    pub crash: bool,
    /// Wait this long before handling it.
    pub wait: Option<Duration>,
    /// Commit it without handling it.
    pub drop: bool,
    /// Put it on the dead-letter topic instead of handling it.
    pub dead_letter: bool,
    /// Handle it twice.
    pub duplicate: bool,
}

/// What to do to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestFaults {
    /// Abort the process.
    pub crash: bool,
    /// Wait this long before handling it.
    pub wait: Option<Duration>,
    /// Answer this status instead of handling it.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
struct State {
    rules: BTreeMap<FaultKind, ActiveRule>,
    /// Keys a record fault struck: a redelivered record meets the same fault and is not counted again.
    struck: BTreeSet<(FaultKind, String, String)>,
    injected: std::collections::VecDeque<Injection>,
    requests_seen: u64,
}

/// The fault switches of one process.
#[derive(Debug)]
pub struct Faults {
    state: Mutex<State>,
    stopped: watch::Sender<bool>,
    clock: SharedClock,
}

impl Faults {
    /// Every switch off.
    pub fn new(clock: SharedClock) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), stopped: watch::Sender::new(false), clock })
    }

    /// Switches a fault on, in place of the rule of the same kind.
    pub fn set(&self, rule: FaultRule) {
        let mut state = self.state.lock();
        if rule.kind == FaultKind::StopConsuming {
            self.stopped.send_replace(true);
        }
        state.rules.insert(rule.kind, ActiveRule { rule, injected: 0 });
    }

    /// Switches one fault off, or all of them. What was injected stays known.
    pub fn clear(&self, kind: Option<FaultKind>) {
        let mut state = self.state.lock();
        match kind {
            Some(kind) => drop(state.rules.remove(&kind)),
            None => state.rules.clear(),
        }
        if !state.rules.contains_key(&FaultKind::StopConsuming) {
            self.stopped.send_replace(false);
        }
    }

    /// Rules that are on, and everything injected since the process started, oldest first.
    pub fn report(&self) -> (Vec<ActiveRule>, Vec<Injection>) {
        let state = self.state.lock();
        (state.rules.values().cloned().collect(), state.injected.iter().cloned().collect())
    }

    /// Whether consuming is stopped, now and whenever that changes.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.subscribe()
    }

    /// Decides what happens to a record, and remembers it.
    pub fn on_record(&self, topic: &str, key: &str) -> RecordFaults {
        let mut state = self.state.lock();
        let mut faults = RecordFaults::default();
        let mut fated = false;
        for kind in FaultKind::ON_RECORDS {
            if kind.is_fate() && fated {
                continue;
            }
            let Some(wait) = self.strikes(&mut state, kind, Some(topic), key) else { continue };
            fated |= kind.is_fate();
            match kind {
                FaultKind::Crash => faults.crash = true,
                FaultKind::Latency | FaultKind::Delay => {
                    faults.wait = Some(faults.wait.unwrap_or_default() + wait);
                }
                FaultKind::Drop => faults.drop = true,
                FaultKind::DeadLetter => faults.dead_letter = true,
                FaultKind::Duplicate => faults.duplicate = true,
                FaultKind::Error | FaultKind::StopConsuming => {}
            }
        }
        faults
    }

    /// Decides what happens to a request, and remembers it.
    pub fn on_request(&self, method: &str, path: &str) -> RequestFaults {
        let mut state = self.state.lock();
        state.requests_seen += 1;
        let key = format!("{method} {path}");
        let mut faults = RequestFaults::default();
        for kind in FaultKind::ON_REQUESTS {
            let Some(wait) = self.strikes(&mut state, kind, None, &key) else { continue };
            match kind {
                FaultKind::Crash => faults.crash = true,
                FaultKind::Latency => faults.wait = Some(wait),
                FaultKind::Error => {
                    faults.status = state.rules.get(&kind).map(|active| active.rule.status());
                }
                _ => {}
            }
        }
        faults
    }

    /// Whether the fault of `kind` strikes, and how long it makes wait.
    fn strikes(
        &self,
        state: &mut State,
        kind: FaultKind,
        topic: Option<&str>,
        key: &str,
    ) -> Option<Duration> {
        let requests_seen = state.requests_seen;
        let struck_before =
            topic.is_some_and(|t| state.struck.contains(&(kind, t.to_owned(), key.to_owned())));
        let active = state.rules.get_mut(&kind)?;
        let wait = active.rule.wait();
        if struck_before {
            return Some(wait);
        }
        // A record is drawn by its key, so the same seed strikes the same orders; a request by its turn.
        let draw = topic.map_or_else(|| format!("{key}#{requests_seen}"), |_| key.to_owned());
        if !active.rule.applies_to(topic) || !active.rule.draws(&draw, active.injected) {
            return None;
        }
        active.injected += 1;
        if let Some(topic) = topic {
            state.struck.insert((kind, topic.to_owned(), key.to_owned()));
        }
        if state.injected.len() >= INJECTIONS_MAX
            && let Some(oldest) = state.injected.pop_front()
            && let Some(topic) = oldest.topic
        {
            state.struck.remove(&(oldest.kind, topic, oldest.key));
        }
        state.injected.push_back(Injection {
            kind,
            topic: topic.map(str::to_owned),
            key: key.to_owned(),
            at_ms: self.clock.now_ns() / 1_000_000,
        });
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use tracepact_base::ManualClock;

    use super::*;

    fn faults() -> Arc<Faults> {
        Faults::new(ManualClock::at(5_000_000_000))
    }

    fn rule(json: serde_json::Value) -> FaultRule {
        serde_json::from_value::<FaultRule>(json).unwrap().checked().unwrap()
    }

    #[test]
    fn a_count_strikes_that_many_keys_and_a_redelivery_meets_it_again() {
        let faults = faults();
        faults.set(rule(serde_json::json!({"kind": "drop", "count": 2, "topic": "order-placed"})));
        assert!(!faults.on_record("order-cancelled", "o-0").drop);
        let dropped: Vec<bool> =
            ["o-1", "o-2", "o-3", "o-1"].iter().map(|id| faults.on_record("order-placed", id).drop).collect();
        assert_eq!(dropped, [true, true, false, true]);
        let (rules, injected) = faults.report();
        assert_eq!(rules[0].injected, 2);
        let keys: Vec<_> = injected.iter().map(|i| (i.key.as_str(), i.at_ms)).collect();
        assert_eq!(keys, [("o-1", 5_000), ("o-2", 5_000)]);
        faults.clear(Some(FaultKind::Drop));
        assert!(!faults.on_record("order-placed", "o-1").drop);
        assert_eq!(faults.report().1.len(), 2);
    }

    #[test]
    fn a_record_has_one_fate_so_that_the_sets_are_disjoint() {
        let faults = faults();
        for kind in ["drop", "duplicate", "dead_letter", "delay"] {
            faults.set(rule(serde_json::json!({"kind": kind, "count": 1, "ms": 5})));
        }
        for id in ["o-1", "o-2", "o-3", "o-4", "o-5"] {
            faults.on_record("order-placed", id);
        }
        let (_, injected) = faults.report();
        let keys: BTreeSet<&str> = injected.iter().map(|injection| injection.key.as_str()).collect();
        assert_eq!((injected.len(), keys.len()), (4, 4));
    }

    #[test]
    fn a_probability_with_a_seed_strikes_the_same_orders_in_any_order() {
        let ids: Vec<String> = (0..2_000).map(|n| format!("o-{n}")).collect();
        let strike = |seed: u64, ids: &mut dyn Iterator<Item = &String>| -> BTreeSet<String> {
            let faults = faults();
            faults.set(rule(serde_json::json!({"kind": "duplicate", "probability": 0.1, "seed": seed})));
            ids.filter(|id| faults.on_record("order-placed", id).duplicate).cloned().collect()
        };
        let first = strike(7, &mut ids.iter());
        assert_eq!(first, strike(7, &mut ids.iter().rev()));
        assert_ne!(first, strike(8, &mut ids.iter()));
        assert!((120..280).contains(&first.len()), "{} of 2000", first.len());
    }

    #[test]
    fn requests_meet_latency_and_errors_only() {
        let faults = faults();
        faults.set(rule(serde_json::json!({"kind": "latency", "ms": 30})));
        faults.set(rule(serde_json::json!({"kind": "error", "count": 1, "status": 503})));
        faults.set(rule(serde_json::json!({"kind": "drop"})));
        let first = faults.on_request("GET", "/product/p-1");
        assert_eq!(
            first,
            RequestFaults { crash: false, wait: Some(Duration::from_millis(30)), status: Some(503) }
        );
        assert_eq!(faults.on_request("GET", "/product/p-1").status, None);
        assert_eq!(faults.on_record("order-placed", "o-1").wait, Some(Duration::from_millis(30)));
    }

    #[test]
    fn consuming_is_stopped_until_the_switch_is_off() {
        let faults = faults();
        let stopped = faults.stopped();
        faults.set(rule(serde_json::json!({"kind": "stop_consuming"})));
        assert!(*stopped.borrow());
        faults.clear(Some(FaultKind::Drop));
        assert!(*stopped.borrow());
        faults.clear(None);
        assert!(!*stopped.borrow());
    }
}
