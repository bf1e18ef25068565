//! The way points take to the writer: beside the store, never in front of it.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tracepact_store::{Point, ReadCtx, SeriesAnswer, SeriesQuery, SeriesStore, StoreError};

use super::metrics::InfluxMetrics;

/// The entrance of the writer's queue.
#[derive(Debug, Clone)]
pub struct InfluxSink {
    pub(crate) sender: mpsc::Sender<Point>,
    pub(crate) metrics: InfluxMetrics,
}

impl InfluxSink {
    /// Queues points for InfluxDB. Never waits: what does not fit the queue is dropped and counted.
    pub fn offer(&self, points: impl IntoIterator<Item = Point>) {
        for point in points {
            match self.sender.try_send(point) {
                Ok(()) => self.metrics.queued.inc(),
                Err(mpsc::error::TrySendError::Full(_)) => self.metrics.drop_points("queue_full", 1),
                Err(mpsc::error::TrySendError::Closed(_)) => self.metrics.drop_points("stopped", 1),
            }
        }
    }
}

/// A series store that hands every point it has stored to InfluxDB as well.
#[derive(Clone)]
pub struct ForwardingStore {
    inner: Arc<dyn SeriesStore>,
    sink: InfluxSink,
}

impl ForwardingStore {
    /// `inner` with `sink` beside it.
    pub fn new(inner: Arc<dyn SeriesStore>, sink: InfluxSink) -> Self {
        Self { inner, sink }
    }
}

impl SeriesStore for ForwardingStore {
    fn append_points(&self, points: Vec<Point>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let copy = points.clone();
            self.inner.append_points(points).await?;
            self.sink.offer(copy);
            Ok(())
        })
    }

    fn select(&self, query: SeriesQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<SeriesAnswer, StoreError>> {
        self.inner.select(query, ctx)
    }
}
