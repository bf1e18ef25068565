//! Counters of what the broker tells, kept as series: answers of the gate and deployments.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracepact_broker::{CountedDecision, DecisionCounter};
use tracepact_store::{Labels, Point, SeriesStore};

/// Answers of the gate, by `pacticipant`, `environment` and `result`.
const GATE_DECISIONS: &str = "tracepact_gate_decisions_total";
/// Recorded deployments, by `service` and `environment`: where a graph of any other series has its cause.
const DEPLOYMENTS: &str = "tracepact_deployments_total";
/// Most counts waiting to be written; more are not counted.
const WAITING_MAX: usize = 1_024;
/// Most series; what would begin a further one is not counted.
const SERIES_MAX: usize = 10_000;

type Key = (&'static str, Labels);

/// Takes counts without waiting; a task writes them.
pub(crate) struct Counted {
    counts: mpsc::Sender<(Key, u64)>,
}

impl Counted {
    /// The counters and the task that writes to `store` until `stop` is cancelled. Totals begin at 0 with the process,
    /// as Prometheus expects of counters.
    pub(crate) fn new(
        store: Arc<dyn SeriesStore>,
        stop: CancellationToken,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let (sender, mut receiver) = mpsc::channel::<(Key, u64)>(WAITING_MAX);
        let task = async move {
            let mut totals: BTreeMap<Key, u64> = BTreeMap::new();
            loop {
                let next = tokio::select! {
                    next = receiver.recv() => next,
                    () = stop.cancelled() => receiver.try_recv().ok(),
                };
                let Some((key, at_ns)) = next else { return };
                if totals.len() >= SERIES_MAX && !totals.contains_key(&key) {
                    continue;
                }
                let total = totals.entry(key.clone()).or_default();
                *total += 1;
                let (name, labels) = key;
                let point = Point { name: name.to_owned(), labels, at_ns, value: *total as f64 };
                if let Err(error) = store.append_points(vec![point]).await {
                    tracing::warn!(%error, name, "a count was not kept as a series");
                }
            }
        };
        (Arc::new(Self { counts: sender }), task)
    }

    /// One deployment was recorded.
    pub(crate) fn deployed(&self, service: &str, environment: &str, at_ns: u64) {
        self.count(DEPLOYMENTS, &[("environment", environment), ("service", service)], at_ns);
    }

    fn count(&self, name: &'static str, labels: &[(&str, &str)], at_ns: u64) {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        if self.counts.try_send(((name, labels), at_ns)).is_err() {
            tracing::warn!(name, "more happens than can be counted");
        }
    }
}

impl DecisionCounter for Counted {
    fn count(&self, decision: CountedDecision<'_>) {
        let labels = [
            ("environment", decision.environment),
            ("pacticipant", decision.pacticipant),
            ("result", decision.result),
        ];
        Self::count(self, GATE_DECISIONS, &labels, decision.at_ns);
    }
}
