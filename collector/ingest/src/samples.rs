//! What services measured: to the boards, then durably to the series and the event feed.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tracepact_base::Event;
use tracepact_resilience::Measure;
use tracepact_resilience::board::Boards;
use tracepact_resilience::otlp::{MetricPoint, absorb};
use tracepact_store::{EventStore, Point, SeriesStore, StoreError};

/// Most events that wait because the store refused them.
const WAITING_MAX: usize = 10_000;

pub(crate) struct SampleSink {
    series: Arc<dyn SeriesStore>,
    events: Arc<dyn EventStore>,
    boards: Arc<Boards>,
    /// A board tells of a transition once. When the store refuses it then, it waits here for the next request: the
    /// sender repeats its measurements, but they no longer show the transition.
    waiting: Mutex<VecDeque<Event>>,
}

impl SampleSink {
    pub(crate) fn new(
        series: Arc<dyn SeriesStore>,
        events: Arc<dyn EventStore>,
        boards: Arc<Boards>,
    ) -> Self {
        Self { series, events, boards, waiting: Mutex::default() }
    }

    /// Keeps the points. Resolves once they are durable; answers how many of them make no sense.
    pub(crate) async fn take(&self, points: &[MetricPoint]) -> Result<u64, StoreError> {
        let absorbed = absorb(points, &self.boards);
        self.hold(absorbed.events);
        let measures: Vec<Point> = absorbed.measures.into_iter().map(point).collect();
        if !measures.is_empty() {
            self.series.append_points(measures).await?;
        }
        self.deliver().await?;
        Ok((absorbed.malformed + absorbed.foreign) as u64)
    }

    fn hold(&self, events: Vec<Event>) {
        let mut waiting = self.waiting.lock();
        waiting.extend(events);
        let excess = waiting.len().saturating_sub(WAITING_MAX);
        if excess > 0 {
            waiting.drain(..excess);
            tracing::error!(events = excess, "transitions were dropped: the store takes no events");
        }
    }

    /// Writes what waits. An event stays until it is durable, and writing one twice stores it once.
    async fn deliver(&self) -> Result<(), StoreError> {
        let events: Vec<Event> = self.waiting.lock().iter().cloned().collect();
        if events.is_empty() {
            return Ok(());
        }
        let ids: std::collections::HashSet<String> = events.iter().map(|event| event.id.clone()).collect();
        self.events.append_events(events).await?;
        self.waiting.lock().retain(|event| !ids.contains(&event.id));
        Ok(())
    }
}

fn point(measure: Measure) -> Point {
    Point {
        name: measure.name.to_owned(),
        labels: measure.labels,
        at_ns: measure.at_ns,
        value: measure.value,
    }
}
