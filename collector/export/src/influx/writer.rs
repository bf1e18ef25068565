//! The loop: collect a batch, send it, repeat what can be repeated, count what cannot.

use std::time::Duration;

use prometheus::Registry;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracepact_base::SharedClock;
use tracepact_store::Point;

use super::config::{InfluxConfig, InfluxConfigError};
use super::forward::InfluxSink;
use super::line::line;
use super::metrics::InfluxMetrics;
use super::transport::{Outcome, Transport};

/// Waiting time before the first repetition when the server names none; doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// Longest waiting time between two attempts, also when the server asks for more.
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// Longest time the last batches may take once the process is told to stop.
const DRAIN: Duration = Duration::from_secs(3);

/// The sending end. Run it as a task.
#[derive(Debug)]
pub struct InfluxWriter {
    receiver: mpsc::Receiver<Point>,
    transport: Transport,
    config: InfluxConfig,
    clock: SharedClock,
    metrics: InfluxMetrics,
    pending: Vec<Point>,
}

/// The queue's entrance and the task that empties it.
///
/// # Errors
/// Settings out of bounds, or metrics that `registry` has already.
pub fn pipeline(
    config: InfluxConfig,
    clock: SharedClock,
    registry: &Registry,
) -> Result<(InfluxSink, InfluxWriter), InfluxConfigError> {
    config.validate()?;
    let metrics = InfluxMetrics::register(registry)?;
    let transport = Transport::new(&config)?;
    let (sender, receiver) = mpsc::channel(config.queue_points);
    let sink = InfluxSink { sender, metrics: metrics.clone() };
    Ok((sink, InfluxWriter { receiver, transport, config, clock, metrics, pending: Vec::new() }))
}

impl InfluxWriter {
    /// Sends until every sink is dropped or `drain` is cancelled; then sends what waits, for three seconds at most.
    pub async fn run(mut self, drain: CancellationToken) {
        loop {
            let more = tokio::select! {
                more = self.fill() => more,
                () = drain.cancelled() => break,
            };
            if !more {
                break;
            }
            tokio::select! {
                () = self.write(&self.pending) => self.pending.clear(),
                () = drain.cancelled() => break,
            }
        }
        self.finish().await;
    }

    /// Collects the next batch: full, or `flush_interval_ms` after its first point. `false` once every sink is gone.
    /// What was collected stays in `pending` when the future is dropped.
    async fn fill(&mut self) -> bool {
        let first = self.receiver.recv_many(&mut self.pending, self.config.batch_points).await;
        self.metrics.queued.sub(first as i64);
        let deadline = tokio::time::Instant::now() + Duration::from_millis(self.config.flush_interval_ms);
        while first > 0 && self.pending.len() < self.config.batch_points {
            let room = self.config.batch_points - self.pending.len();
            match timeout_at(deadline, self.receiver.recv_many(&mut self.pending, room)).await {
                Ok(0) | Err(_) => break,
                Ok(more) => self.metrics.queued.sub(more as i64),
            }
        }
        first > 0
    }

    async fn finish(mut self) {
        self.receiver.close();
        let mut rest = std::mem::take(&mut self.pending);
        while let Ok(point) = self.receiver.try_recv() {
            self.metrics.queued.dec();
            rest.push(point);
        }
        let mut unsent = rest.len();
        let sent = timeout(DRAIN, async {
            for batch in rest.chunks(self.config.batch_points) {
                self.write(batch).await;
                unsent -= batch.len();
            }
        })
        .await;
        if sent.is_err() {
            self.metrics.drop_points("stopped", unsent);
            tracing::warn!(points = unsent, "InfluxDB did not take the last points in time");
        }
    }

    async fn write(&self, batch: &[Point]) {
        let mut lines = Vec::with_capacity(batch.len() * 128);
        let oldest = match self.config.retention_secs {
            0 => 0,
            seconds => self.clock.now_ns().saturating_sub(seconds.saturating_mul(1_000_000_000)),
        };
        let mut count = 0;
        for point in batch {
            if point.at_ns < oldest {
                self.metrics.drop_points("beyond_retention", 1);
                continue;
            }
            match line(point, &mut lines) {
                Ok(()) => count += 1,
                Err(error) => self.metrics.drop_points(error.reason(), 1),
            }
        }
        if count == 0 {
            return;
        }
        let body = match self.transport.body(lines) {
            Ok(body) => body,
            Err(error) => {
                self.metrics.drop_points("compression", count);
                tracing::error!(%error, "a batch for InfluxDB could not be compressed");
                return;
            }
        };
        self.deliver(body, count).await;
    }

    async fn deliver(&self, body: Vec<u8>, count: usize) {
        let mut backoff = BACKOFF_MIN;
        loop {
            match self.transport.send(body.clone()).await {
                Outcome::Stored => {
                    self.metrics.written.inc_by(count as u64);
                    return;
                }
                Outcome::Partial { dropped, reason } => {
                    // The rest of the batch is stored. A server that does not say how much is taken at its worst.
                    let dropped = dropped.map_or(count, |dropped| dropped.min(count));
                    self.metrics.drop_points("unprocessable", dropped);
                    self.metrics.written.inc_by((count - dropped) as u64);
                    tracing::warn!(points = dropped, %reason, "InfluxDB kept only a part of a batch");
                    return;
                }
                Outcome::Refused { label, reason } => {
                    self.metrics.drop_points(label, count);
                    tracing::error!(points = count, %reason, "InfluxDB refused a batch; it is not sent again");
                    return;
                }
                Outcome::Retry { after, reason } => {
                    let wait = after.unwrap_or(backoff).min(BACKOFF_MAX);
                    tracing::warn!(%reason, wait_ms = wait.as_millis() as u64, "InfluxDB is not available");
                    self.metrics.retries.inc();
                    sleep(wait).await;
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                }
            }
        }
    }
}
