//! Where pushed metrics end: in the boards that hold the present state, as series, and as events for what changed.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracepact_base::{ServiceName, SharedClock};
use tracepact_ingest::MetricSink;
use tracepact_ingest::otlp_metrics::MetricSample;
use tracepact_resilience::board::Boards;
use tracepact_resilience::otlp::{self, MetricPoint};
use tracepact_resilience::series::Measure;
use tracepact_store::{EventStore, Point, SeriesStore, StoreError};

/// Keeps what `resilience` makes of samples.
pub(crate) struct BoardSink {
    boards: Arc<Boards>,
    series: Arc<dyn SeriesStore>,
    events: Arc<dyn EventStore>,
    clock: SharedClock,
}

impl BoardSink {
    pub(crate) fn new(
        boards: Arc<Boards>,
        series: Arc<dyn SeriesStore>,
        events: Arc<dyn EventStore>,
        clock: SharedClock,
    ) -> Self {
        Self { boards, series, events, clock }
    }
}

impl MetricSink for BoardSink {
    fn take(&self, samples: Vec<MetricSample>) -> BoxFuture<'_, Result<u64, StoreError>> {
        async move {
            let received = samples.len();
            let now = self.clock.now_ns();
            let points: Vec<MetricPoint> =
                samples.into_iter().filter_map(|sample| point(sample, now)).collect();
            let nameless = (received - points.len()) as u64;
            let absorbed = otlp::absorb(&points, &self.boards);
            if !absorbed.measures.is_empty() {
                self.series.append_points(absorbed.measures.into_iter().map(stored).collect()).await?;
            }
            if !absorbed.events.is_empty() {
                self.events.append_events(absorbed.events).await?;
            }
            Ok(nameless + absorbed.foreign as u64 + absorbed.malformed as u64)
        }
        .boxed()
    }
}

/// The sample in the terms of `resilience`; `None` when nobody said which service it is about.
fn point(sample: MetricSample, now_ns: u64) -> Option<MetricPoint> {
    Some(MetricPoint {
        service: ServiceName::new(&sample.service?).ok()?,
        instance: sample.instance.unwrap_or_default(),
        name: sample.name,
        attributes: sample.attributes,
        value: sample.value,
        start_ns: None,
        at_ns: if sample.at_ns == 0 { now_ns } else { sample.at_ns },
    })
}

fn stored(measure: Measure) -> Point {
    Point {
        name: measure.name.to_owned(),
        labels: measure.labels,
        at_ns: measure.at_ns,
        value: measure.value,
    }
}
