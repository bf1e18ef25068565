//! One lane: records one after another, each in its span, tried again and dead-lettered as the settings say.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use opentelemetry::trace::{FutureExt as _, Link, SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::kafka::dead_letter::dead_letter;
use crate::kafka::offsets::Offsets;
use crate::kafka::producer::Producer;
use crate::kafka::record::{Failure, Record, messaging_attributes};
use crate::permits::Permit;
use crate::propagation::kafka::RecordHeaders;
use crate::spans::{Tracing, end, fail};

/// Topic, partition, assignment and offset of a finished record.
pub(super) type Finished = (String, i32, u64, i64);

/// What all lanes share.
pub(super) struct Work<H> {
    pub(super) handler: H,
    pub(super) tracing: Tracing,
    pub(super) group: String,
    pub(super) attempts_max: u32,
    pub(super) retry_backoff: Duration,
    pub(super) dead_letters: Option<Producer>,
    pub(super) offsets: Arc<Mutex<Offsets>>,
    pub(super) finished: mpsc::UnboundedSender<Finished>,
    pub(super) stop: CancellationToken,
}

/// The sending end of a lane; its queue is bounded by the permits its records hold.
pub(super) struct Lane {
    queue: mpsc::UnboundedSender<(Record, u64, Permit)>,
}

impl Lane {
    pub(super) fn start<H, F>(work: Arc<Work<H>>) -> Self
    where
        H: Fn(Record) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let (queue, mut records) = mpsc::unbounded_channel::<(Record, u64, Permit)>();
        tokio::spawn(async move {
            while let Some((record, epoch, permit)) = records.recv().await {
                if !work.offsets.lock().is_current(&record.topic, record.partition, epoch) {
                    continue;
                }
                let place = (record.topic.clone(), record.partition, epoch, record.offset);
                if work.process(record).await {
                    // The loop is gone only when the consumer has ended.
                    let _nobody_commits = work.finished.send(place);
                }
                drop(permit);
            }
        });
        Self { queue }
    }

    pub(super) fn give(&self, record: Record, epoch: u64, permit: Permit) {
        if self.queue.send((record, epoch, permit)).is_err() {
            tracing::error!("a lane has ended; its record will come again after a restart");
        }
    }
}

impl<H, F> Work<H>
where
    H: Fn(Record) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    /// True when the record is done with and its offset may be committed.
    async fn process(&self, record: Record) -> bool {
        let cx = self.start_span(&record);
        let mut attempt = 1;
        let done = loop {
            // A panic must not take the lane with it: records behind this one would wait for ever.
            let work = AssertUnwindSafe((self.handler)(record.clone())).catch_unwind();
            let result = work
                .with_context(cx.clone())
                .await
                .unwrap_or_else(|_| Err(Failure::Retry("the handler panicked".to_owned())));
            let (failure, message) = match result {
                Ok(()) => break true,
                Err(Failure::DeadLetter(message)) => ("dead_letter", message),
                Err(Failure::Retry(message)) => {
                    let last = attempt >= self.attempts_max && self.dead_letters.is_some();
                    if !last {
                        cx.span().add_event(
                            "retry",
                            vec![
                                KeyValue::new("attempt", i64::from(attempt)),
                                KeyValue::new("reason", message),
                            ],
                        );
                        if !self.wait(attempt).await {
                            fail(&cx, "stopped", "the consumer stopped before the record could be handled");
                            break false;
                        }
                        attempt += 1;
                        continue;
                    }
                    ("retries_exhausted", message)
                }
            };
            fail(&cx, failure, message.clone());
            break self.bury(&cx, &record, failure, &message).await;
        };
        end(&cx);
        done
    }

    fn start_span(&self, record: &Record) -> Context {
        let admitted = self.tracing.admit(&RecordHeaders(record.headers.as_ref()));
        let mut attributes = messaging_attributes("process", "process", &record.topic, record.key.as_deref());
        attributes.push(KeyValue::new("messaging.consumer.group.name", self.group.clone()));
        attributes.push(KeyValue::new("messaging.destination.partition.id", record.partition.to_string()));
        attributes.push(KeyValue::new("messaging.kafka.offset", record.offset));
        if record.payload.is_none() {
            attributes.push(KeyValue::new("messaging.kafka.message.tombstone", true));
        }
        // One record, one span: the producer's span is the parent, and the conventional link is there as well.
        let mut links = admitted.links;
        let producer = admitted.parent.span().span_context().clone();
        if producer.is_valid() {
            links.push(Link::new(producer, Vec::new(), 0));
        }
        let name = format!("process {}", record.topic);
        self.tracing.start(&admitted.parent, SpanKind::Consumer, name, attributes, links)
    }

    /// False when the consumer is stopping.
    async fn wait(&self, attempt: u32) -> bool {
        let wait = self.retry_backoff.saturating_mul(1 << (attempt - 1).min(4));
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }

    /// Sends the dead letter, for as long as it takes or until the consumer stops.
    async fn bury(&self, cx: &Context, record: &Record, error: &str, message: &str) -> bool {
        let Some(producer) = &self.dead_letters else {
            tracing::error!(
                topic = %record.topic, partition = record.partition, offset = record.offset, error, message,
                "a record cannot be handled and dead letters are off: it is skipped"
            );
            return true;
        };
        let mut attempt = 1;
        loop {
            let mut letter = dead_letter(record, &self.group, error, message);
            if attempt > 1 {
                // The dead-letter topic may have fewer partitions.
                letter.partition = None;
            }
            match producer.send_in(cx, letter, false).await {
                Ok(_) => return true,
                Err(error) => {
                    tracing::warn!(%error, topic = %record.topic, "a dead letter was not acknowledged")
                }
            }
            if !self.wait(attempt).await {
                return false;
            }
            attempt += 1;
        }
    }
}
