//! From an ended span to the exporter: a bounded queue and one sending task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::counters::SpanCounters;
use super::export::{SendError, SpanSender};

/// Counts every ended span and queues the sampled ones. Never blocks: a full queue gives the span up and counts it.
#[derive(Debug)]
pub struct QueueProcessor {
    counters: SpanCounters,
    queue: Option<mpsc::Sender<SpanData>>,
    closed: Arc<AtomicBool>,
}

impl SpanProcessor for QueueProcessor {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            self.counters.unsampled.inc();
            return;
        }
        self.counters.sampled.inc();
        let Some(queue) = &self.queue else { return };
        if self.closed.load(Ordering::Acquire) {
            self.counters.give_up("shutdown", 1);
        } else if let Err(refused) = queue.try_send(span) {
            let reason = match refused {
                mpsc::error::TrySendError::Full(_) => "queue_full",
                mpsc::error::TrySendError::Closed(_) => "shutdown",
            };
            self.counters.give_up(reason, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}

/// How batches are made.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    /// Most spans waiting.
    pub queue_spans_max: usize,
    /// Most spans in a batch.
    pub batch_spans_max: usize,
    /// Longest wait for a batch to fill.
    pub delay: Duration,
}

/// The sending task's handle.
#[derive(Debug)]
pub struct Pipeline {
    stop: CancellationToken,
    /// Set when a stopping pipeline has run out of time: what is in flight is abandoned.
    abandon: CancellationToken,
    worker: tokio::task::JoinHandle<()>,
}

/// A processor that only counts (nothing is sent).
pub fn counting(counters: SpanCounters) -> QueueProcessor {
    QueueProcessor { counters, queue: None, closed: Arc::default() }
}

/// A processor with a task that sends what it queues through `sender`. Needs a running tokio runtime.
pub fn sending(counters: SpanCounters, batching: Batching, sender: SpanSender) -> (QueueProcessor, Pipeline) {
    let (queue, waiting) = mpsc::channel(batching.queue_spans_max.max(1));
    let (stop, abandon) = (CancellationToken::new(), CancellationToken::new());
    let worker =
        tokio::spawn(run(waiting, counters.clone(), batching, sender, stop.clone(), abandon.clone()));
    (
        QueueProcessor { counters, queue: Some(queue), closed: Arc::default() },
        Pipeline { stop, abandon, worker },
    )
}

impl Pipeline {
    /// Sends what is queued, for at most `within`; counts the rest as given up.
    pub async fn shutdown(self, within: Duration) {
        self.stop.cancel();
        let Self { abandon, mut worker, .. } = self;
        if tokio::time::timeout(within, &mut worker).await.is_err() {
            abandon.cancel();
            if let Err(error) = worker.await {
                tracing::warn!(%error, "the span exporter's task ended abnormally");
            }
        }
    }
}

async fn run(
    mut waiting: mpsc::Receiver<SpanData>,
    counters: SpanCounters,
    batching: Batching,
    sender: SpanSender,
    stop: CancellationToken,
    abandon: CancellationToken,
) {
    let most = batching.batch_spans_max.max(1);
    let mut batch: Vec<SpanData> = Vec::with_capacity(most);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            count = waiting.recv_many(&mut batch, most) => {
                if count == 0 { break; }
            }
        }
        let full = async {
            while batch.len() < most {
                let room = most - batch.len();
                if waiting.recv_many(&mut batch, room).await == 0 {
                    break;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = tokio::time::timeout(batching.delay, full) => {}
        }
        send(std::mem::take(&mut batch), &counters, &sender, &abandon).await;
    }
    waiting.close();
    loop {
        while batch.len() < most {
            match waiting.try_recv() {
                Ok(span) => batch.push(span),
                Err(_) => break,
            }
        }
        if batch.is_empty() {
            break;
        }
        send(std::mem::take(&mut batch), &counters, &sender, &abandon).await;
    }
}

async fn send(
    batch: Vec<SpanData>,
    counters: &SpanCounters,
    sender: &SpanSender,
    abandon: &CancellationToken,
) {
    let spans = batch.len();
    // A span of the sending itself would produce another span, and so on.
    let quiet = opentelemetry::trace::FutureExt::with_context(
        sender.send(batch),
        Context::new().with_telemetry_suppressed(),
    );
    let outcome = tokio::select! {
        biased;
        () = abandon.cancelled() => Err(SendError::Abandoned),
        outcome = quiet => outcome,
    };
    match outcome {
        Ok(rejected) => {
            let rejected = rejected.min(spans);
            counters.exported.inc_by((spans - rejected) as u64);
            if rejected > 0 {
                counters.give_up("rejected", rejected);
            }
        }
        Err(error) => {
            counters.give_up(error.reason(), spans);
            tracing::warn!(spans, %error, "spans were given up");
        }
    }
}
