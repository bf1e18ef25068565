//! The gate's answers as a series: `tracepact_gate_decisions_total{pacticipant,environment,result}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracepact_broker::{CountedDecision, DecisionCounter};
use tracepact_store::{Labels, Point, SeriesStore};

/// The name of the series.
const SERIES: &str = "tracepact_gate_decisions_total";
/// Most answers waiting to be written; more are counted together with the next one.
const WAITING_MAX: usize = 1_024;
/// Most series; answers of further pacticipants and environments are not counted.
const SERIES_MAX: usize = 10_000;

type Key = (String, String, &'static str);

/// Takes answers without waiting; a task writes them.
pub(crate) struct GateCounter {
    answers: mpsc::Sender<(Key, u64)>,
}

impl GateCounter {
    /// A counter and the task that writes to `store` until `stop` is cancelled. Totals begin at 0 with the process,
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
                let point = point(&key, *total, at_ns);
                if let Err(error) = store.append_points(vec![point]).await {
                    tracing::warn!(%error, "an answer of the gate was not kept as a series");
                }
            }
        };
        (Arc::new(Self { answers: sender }), task)
    }
}

impl DecisionCounter for GateCounter {
    fn count(&self, decision: CountedDecision<'_>) {
        let key = (decision.pacticipant.to_owned(), decision.environment.to_owned(), decision.result);
        if self.answers.try_send((key, decision.at_ns)).is_err() {
            tracing::warn!("more answers of the gate than can be counted");
        }
    }
}

fn point((pacticipant, environment, result): &Key, total: u64, at_ns: u64) -> Point {
    let labels = Labels::from([
        ("environment".to_owned(), environment.clone()),
        ("pacticipant".to_owned(), pacticipant.clone()),
        ("result".to_owned(), (*result).to_owned()),
    ]);
    Point { name: SERIES.to_owned(), labels, at_ns, value: total as f64 }
}
