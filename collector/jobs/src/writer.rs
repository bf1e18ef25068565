//! The way into the store. What cannot be written now: events wait (bounded), points are let go and counted.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tracepact_base::Event;
use tracepact_resilience::Measure;
use tracepact_store::{EventStore, Point, SeriesStore};

/// Events that wait while the store refuses them; beyond it the oldest go.
const EVENTS_MAX: usize = 10_000;

/// Writes points and events.
pub(crate) struct Writer {
    series: Arc<dyn SeriesStore>,
    events: Arc<dyn EventStore>,
    waiting: Mutex<VecDeque<Event>>,
}

impl Writer {
    pub(crate) fn new(series: Arc<dyn SeriesStore>, events: Arc<dyn EventStore>) -> Self {
        Self { series, events, waiting: Mutex::default() }
    }

    /// Writes values; a refusal is logged, for the next cycle brings newer ones.
    pub(crate) async fn measures(&self, measures: Vec<Measure>) {
        if measures.is_empty() {
            return;
        }
        let count = measures.len();
        let point =
            |m: Measure| Point { name: m.name.to_owned(), labels: m.labels, at_ns: m.at_ns, value: m.value };
        let stored = self.series.append_points(measures.into_iter().map(point).collect()).await;
        if let Err(error) = stored {
            tracing::warn!(%error, points = count, "points were not stored");
        }
    }

    /// Writes events, those that waited first. What is refused waits for the next call.
    pub(crate) async fn events(&self, events: Vec<Event>) {
        let batch: Vec<Event> = {
            let mut waiting = self.waiting.lock();
            waiting.extend(events);
            while waiting.len() > EVENTS_MAX {
                waiting.pop_front();
                tracing::warn!("an event was dropped: the store has refused events for too long");
            }
            waiting.drain(..).collect()
        };
        if batch.is_empty() {
            return;
        }
        if let Err(error) = self.events.append_events(batch.clone()).await {
            tracing::warn!(%error, events = batch.len(), "events were not stored yet");
            let mut waiting = self.waiting.lock();
            batch.into_iter().rev().for_each(|event| waiting.push_front(event));
        }
    }
}
