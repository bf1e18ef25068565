//! One member of the group: takes records, hands them to the pipeline, stores the offsets of what is durable.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use rdkafka::Message as _;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use tokio_util::sync::CancellationToken;
use tracepact_base::ErrorKind;

use super::KafkaConfig;
use super::context::MemberContext;
use super::encoding::format_of;
use super::metrics::KafkaMetrics;
use super::poison::{Poison, PoisonFile};
use crate::{Ingest, Origin, Refusal, Transport};

/// First wait before a record is offered again, unless the refusal names a longer one.
const RETRY_AFTER_MIN: Duration = Duration::from_millis(100);
/// Longest wait before a record is offered again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);
/// Wait after an error of the client, which reconnects by itself.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// A record out of librdkafka's memory.
#[derive(Debug)]
struct Record {
    topic: String,
    partition: i32,
    offset: i64,
    payload: Bytes,
}

/// A record whose spans are durable, or that was given up. `false`: the member stops and it is neither.
type Done = (Record, bool);

/// A member of the consumer group.
pub(super) struct Member {
    consumer: StreamConsumer<MemberContext>,
    pipeline: Arc<Pipeline>,
    in_hand_max: usize,
    pause_after: Duration,
    drain_within: Duration,
    paused: bool,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("paused", &self.paused).finish_non_exhaustive()
    }
}

/// What a record walks through.
struct Pipeline {
    config: KafkaConfig,
    ingest: Ingest,
    metrics: KafkaMetrics,
    poison: PoisonFile,
}

impl Member {
    pub(super) fn new(
        consumer: StreamConsumer<MemberContext>,
        config: &KafkaConfig,
        ingest: Ingest,
        metrics: KafkaMetrics,
        poison: PoisonFile,
    ) -> Self {
        let pipeline = Arc::new(Pipeline { config: config.clone(), ingest, metrics, poison });
        Self {
            consumer,
            pipeline,
            in_hand_max: config.in_hand_max.max(1),
            pause_after: config.pause_after,
            drain_within: config.drain_within,
            paused: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut working: FuturesUnordered<BoxFuture<'static, Done>> = FuturesUnordered::new();
        loop {
            let full = working.len() >= self.in_hand_max;
            if self.paused && working.len() <= self.in_hand_max / 2 {
                self.resume();
            }
            // While paused nothing arrives, but asking keeps the member in its group.
            let ask = !full || self.paused;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(done) = working.next(), if !working.is_empty() => self.done(&done),
                received = self.consumer.recv(), if ask => match received {
                    Ok(message) => {
                        let record = self.start(&message);
                        working.push(Box::pin(self.pipeline.clone().take(record, stop.clone())));
                    }
                    Err(error) => {
                        self.failed(&error);
                        tokio::time::sleep(AFTER_ERROR).await;
                    }
                },
                () = tokio::time::sleep(self.pause_after), if full && !self.paused => self.pause(),
            }
            if self.paused && self.consumer.context().assigned.swap(false, Ordering::AcqRel) {
                self.pause();
            }
        }
        self.leave(working).await;
    }

    fn start(&self, message: &BorrowedMessage<'_>) -> Record {
        let record = Record {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            payload: message.payload().map(Bytes::copy_from_slice).unwrap_or_default(),
        };
        self.consumer.context().offsets.lock().start(&record.topic, record.partition, record.offset);
        record
    }

    fn done(&self, (record, finished): &Done) {
        if !finished {
            return;
        }
        let moved =
            self.consumer.context().offsets.lock().finish(&record.topic, record.partition, record.offset);
        // `store_offset` takes the last offset that is done, a commit names the next one to read.
        if let Some(next) = moved
            && let Err(error) = self.consumer.store_offset(&record.topic, record.partition, next - 1)
        {
            // The partition was taken away a moment ago; its next owner reads the record again.
            tracing::debug!(%error, topic = record.topic, partition = record.partition, "an offset was not stored");
        }
    }

    fn failed(&self, error: &KafkaError) {
        let harmless = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::PartitionEOF)
        );
        if harmless {
            tracing::debug!(%error, "a span topic is not there yet");
        } else {
            self.pipeline.metrics.errors.inc();
            tracing::warn!(%error, "reading spans from Kafka failed; it is tried again");
        }
    }

    fn pause(&mut self) {
        let Ok(assigned) = self.consumer.assignment() else { return };
        if let Err(error) = self.consumer.pause(&assigned) {
            tracing::warn!(%error, "span topics could not be paused");
            return;
        }
        if !std::mem::replace(&mut self.paused, true) {
            self.pipeline.metrics.paused.inc();
            tracing::warn!("the store takes nothing: span topics are paused");
        }
    }

    fn resume(&mut self) {
        let Ok(assigned) = self.consumer.assignment() else { return };
        if let Err(error) = self.consumer.resume(&assigned) {
            tracing::warn!(%error, "span topics could not be resumed");
            return;
        }
        self.paused = false;
        self.pipeline.metrics.paused.dec();
        tracing::info!("span topics are read again");
    }

    /// Finishes what is in hand, commits it, leaves the group.
    async fn leave(mut self, mut working: FuturesUnordered<BoxFuture<'static, Done>>) {
        let drained = tokio::time::timeout(self.drain_within, async {
            while let Some(done) = working.next().await {
                self.done(&done);
            }
        });
        if drained.await.is_err() {
            tracing::warn!(
                records = working.len(),
                "records in hand were not durable in time; they will be read again"
            );
        }
        if std::mem::take(&mut self.paused) {
            self.pipeline.metrics.paused.dec();
        }
        let consumer = self.consumer;
        // Waits for the broker, so not on a worker of the runtime.
        let left = tokio::task::spawn_blocking(move || {
            match consumer.commit_consumer_state(CommitMode::Sync) {
                // Nothing was read, or no broker is there to be told.
                Err(error) if error.rdkafka_error_code() != Some(RDKafkaErrorCode::NoOffset) => {
                    tracing::warn!(%error, "the last offsets were not committed; those records will be read again");
                }
                _ => {}
            }
        });
        if left.await.is_err() {
            tracing::warn!("leaving the consumer group failed");
        }
    }
}

impl Pipeline {
    /// Makes a record's spans durable, trying for as long as the store cannot take them.
    async fn take(self: Arc<Self>, record: Record, stop: CancellationToken) -> Done {
        if record.payload.is_empty() {
            self.metrics.record(&record.topic, "empty");
            return (record, true);
        }
        let format = match format_of(self.config.encoding(&record.topic), &record.payload) {
            Ok(format) => format,
            Err(reason) => {
                self.poison(&record, reason).await;
                return (record, true);
            }
        };
        let mut wait = RETRY_AFTER_MIN;
        loop {
            match self.ingest.spans(Origin::new(Transport::Kafka, format), record.payload.clone()).await {
                Ok(_) => {
                    self.metrics.record(&record.topic, "durable");
                    return (record, true);
                }
                Err(refusal) if is_poison(&refusal) => {
                    self.poison(&record, &refusal.reason).await;
                    return (record, true);
                }
                Err(refusal) => {
                    self.metrics.retries.inc();
                    let after = refusal.retry_after.unwrap_or_default().clamp(wait, RETRY_AFTER_MAX);
                    tokio::select! {
                        () = stop.cancelled() => return (record, false),
                        () = tokio::time::sleep(after) => {}
                    }
                    wait = (wait * 2).min(RETRY_AFTER_MAX);
                }
            }
        }
    }

    async fn poison(&self, record: &Record, reason: &str) {
        self.metrics.record(&record.topic, "poison");
        tracing::warn!(
            topic = record.topic,
            partition = record.partition,
            offset = record.offset,
            reason,
            "a record holds no spans that can be read; it is skipped"
        );
        let poison = Poison {
            topic: record.topic.clone(),
            partition: record.partition,
            offset: record.offset,
            reason: reason.to_owned(),
            payload: record.payload.clone(),
        };
        let file = self.poison.clone();
        let kept = tokio::task::spawn_blocking(move || file.keep(&poison)).await;
        match kept {
            Ok(Ok(())) => {}
            // The record is skipped all the same: a full disk must not stop every other span.
            Ok(Err(error)) => {
                tracing::error!(%error, "a record that cannot be read could not be kept either")
            }
            Err(error) => tracing::error!(%error, "a record that cannot be read could not be kept either"),
        }
    }
}

/// Whether trying again can never help.
fn is_poison(refusal: &Refusal) -> bool {
    matches!(refusal.kind, ErrorKind::Invalid | ErrorKind::TooLarge)
}
