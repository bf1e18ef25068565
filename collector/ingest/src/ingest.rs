//! The one way a body walks, whatever brought it.

use std::sync::Arc;

use bytes::Bytes;
use prometheus::{IntGauge, Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracepact_base::{ErrorKind, SharedClock};
use tracepact_model::columnar::SpanReader;
use tracepact_model::{Codec, Prepared, SpanBatch, SpanChunk, prepare};
use tracepact_resilience::board::Boards;
use tracepact_store::{EventStore, RedCounts, SeriesStore, SpanStore};

use crate::admission::{Bounds, Decision, Reason, Refused, admit};
use crate::marker::{self, Marker};
use crate::metrics::IngestMetrics;
use crate::samples::SampleSink;
use crate::sampling::Sampler;
use crate::tally::Tally;
use crate::trace_sizes::TraceSizes;
use crate::{IngestConfig, Origin, Refusal, otlp_metrics};

/// Bytes are reserved in pieces of this size.
const PIECE_BYTES: usize = 1 << 10;
/// Bodies up to this size are decoded where they are, within a millisecond or so: as much as batches of senders take.
/// Larger ones go to the blocking pool.
const INLINE_BYTES_MAX: usize = 512 << 10;
/// Most bodies being decoded on the blocking pool at once.
const DECODING_MAX: usize = 4;

/// Where everything goes.
#[derive(Clone)]
pub struct Sinks {
    /// Spans.
    pub spans: Arc<dyn SpanStore>,
    /// What services measured.
    pub series: Arc<dyn SeriesStore>,
    /// Transitions and changed limits that the measurements show.
    pub events: Arc<dyn EventStore>,
    /// What is true now.
    pub boards: Arc<Boards>,
}

/// What became of a body that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Spans or points that are durable and visible.
    pub accepted: u64,
    /// Spans of it that were refused.
    pub refused: Refused,
    /// Spans that sampling left out: taken, and not kept on purpose.
    pub sampled_out: u64,
}

/// The receivers' shared pipeline. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    inner: Arc<Inner>,
}

struct Inner {
    spans: Arc<dyn SpanStore>,
    samples: SampleSink,
    clock: SharedClock,
    config: IngestConfig,
    in_flight: Arc<Semaphore>,
    decoding: Semaphore,
    sampler: Sampler,
    sizes: TraceSizes,
    metrics: IngestMetrics,
}

/// A body's share of the bytes in flight; given back when dropped.
struct Share {
    _permit: OwnedSemaphorePermit,
    gauge: IntGauge,
    bytes: i64,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.gauge.sub(self.bytes);
    }
}

impl Ingest {
    /// A pipeline into `sinks`.
    ///
    /// # Errors
    /// When `registry` has its metrics already.
    pub fn new(
        sinks: Sinks,
        clock: SharedClock,
        config: IngestConfig,
        registry: &Registry,
    ) -> Result<Self, prometheus::Error> {
        let metrics = IngestMetrics::register(registry)?;
        let in_flight = Arc::new(Semaphore::new(config.in_flight_bytes_max / PIECE_BYTES));
        let decoding = Semaphore::new(DECODING_MAX);
        let Sinks { spans, series, events, boards } = sinks;
        let samples = SampleSink::new(series, events, boards);
        let sampler = Sampler::new(config.sample_rate, config.debug_spans_per_second_max);
        let sizes = TraceSizes::default();
        Ok(Self {
            inner: Arc::new(Inner {
                spans,
                samples,
                clock,
                config,
                in_flight,
                decoding,
                sampler,
                sizes,
                metrics,
            }),
        })
    }

    pub(crate) fn config(&self) -> &IngestConfig {
        &self.inner.config
    }

    /// Takes an uncompressed body of spans. `Ok` means: durable, and visible to every query.
    ///
    /// # Errors
    /// What the sender has to be told; it is counted already.
    pub async fn spans(&self, origin: Origin, body: Bytes) -> Result<Accepted, Refusal> {
        self.inner.metrics.received(&origin, body.len());
        let (outcome, sender) = match self.take_spans(&origin, body).await {
            Ok((accepted, sender)) => (Ok(accepted), sender),
            Err(Failed { refusal, sender }) => (Err(refusal), sender),
        };
        let sender = sender.unwrap_or_else(|| self.inner.metrics.senders.of_peer(origin.peer));
        let result = match &outcome {
            Ok(accepted) if accepted.refused.total() > 0 => "partial",
            Ok(_) => "accepted",
            Err(refusal) => refusal.label(),
        };
        self.inner.metrics.result(&origin, &sender, result);
        if let Err(refusal) = &outcome {
            tracing::debug!(
                transport = origin.transport.label(),
                format = origin.format.label(),
                %sender,
                reason = %refusal.reason,
                "a body was refused"
            );
        }
        outcome
    }

    async fn take_spans(&self, origin: &Origin, body: Bytes) -> Result<(Accepted, Option<Arc<str>>), Failed> {
        let inner = &self.inner;
        let _share = self.reserve(body.len())?;
        let Prepared { codec, body, spans, rejected, redacted } =
            self.prepare(origin.format.codec(), body).await?;
        inner.metrics.decoded(origin, spans.len() + rejected.len(), redacted);
        let senders = &inner.metrics.senders;
        let first = spans.rows.local.first().and_then(|local| spans.endpoints.get(*local as usize));
        let sender = first.map(|first| senders.of_service(spans.texts.get(first.service), origin.peer));
        let received_at_ns = inner.clock.now_ns();
        let bounds = Bounds {
            now_ns: received_at_ns,
            age_max: inner.config.age_max,
            ahead_max: inner.config.ahead_max,
            spans_per_trace_max: inner.config.spans_per_trace_max,
        };
        let mut tally = Tally::of(&spans);
        let Decision { admission, mut refused, kept, sampled_out, cut } = admit(
            &spans,
            &bounds,
            &inner.sampler,
            inner.clock.monotonic_ns(),
            |trace| inner.sizes.spans(trace),
            |row, verdict| tally.add(&spans, row, verdict),
        );
        let tally = tally.by_sender(&spans, senders, origin);
        refused.add(Reason::Malformed, rejected.len() as u64);
        refused.example =
            rejected.first().map(|rejection| format!("span {}: {}", rejection.position, rejection.reason));
        let markers = self.markers(&spans, &cut, &bounds);
        // What is left out counts all the same.
        let counts = (!admission.rejected.is_empty()).then(|| RedCounts::of(&spans, &admission.rejected));
        let spans = admission.admit_chunk(spans);
        let accepted = spans.len() as u64;
        if accepted > 0 || sampled_out > 0 {
            let batch = SpanBatch { codec, body, received_at_ns, admission, spans };
            let stored = match counts {
                Some(counts) => inner.spans.append_counted(batch, counts),
                None => inner.spans.append(batch),
            };
            if let Err(error) = stored.await {
                let refusal = Refusal::from(error);
                inner.metrics.tallied(origin, &tally, Some(refusal.label()));
                markers.iter().for_each(|marker| inner.sizes.unmark(marker.trace_id.low()));
                return Err(Failed { refusal, sender });
            }
            inner.sizes.add(kept);
        }
        self.write_markers(markers).await;
        inner.metrics.tallied(origin, &tally, None);
        let peer = senders.of_peer(origin.peer);
        inner.metrics.malformed(origin, sender.as_deref().unwrap_or(&peer), &refused);
        Ok((Accepted { accepted, refused, sampled_out }, sender))
    }

    /// What says in each trace of which spans are refused for the first time that it is not whole. `cut` are the rows of
    /// the first of them.
    fn markers(&self, spans: &SpanChunk, cut: &[usize], bounds: &Bounds) -> Vec<Marker> {
        let mut reader = SpanReader::new(spans);
        let rows = cut.iter().filter_map(|row| reader.span(*row).ok());
        rows.filter(|span| self.inner.sizes.mark(span.trace_id.low()))
            .filter_map(|span| marker::of(&span, bounds.spans_per_trace_max, bounds.now_ns))
            .collect()
    }

    /// Says in each trace that it is not whole. One that cannot be written is tried again with the next refusal.
    async fn write_markers(&self, markers: Vec<Marker>) {
        for Marker { trace_id, batch } in markers {
            tracing::warn!(%trace_id, "a trace has as many spans as a trace may have; further ones are refused");
            if let Err(error) = self.inner.spans.append(batch).await {
                tracing::warn!(%trace_id, reason = %error.reason, "the trace could not be marked as cut");
                self.inner.sizes.unmark(trace_id.low());
            }
        }
    }

    async fn prepare(&self, codec: Codec, body: Bytes) -> Result<Prepared, Refusal> {
        let inner = &self.inner;
        if body.len() <= INLINE_BYTES_MAX {
            return Ok(prepare(codec, body, &inner.config.decode, &inner.config.redaction)?);
        }
        let _permit = inner.decoding.acquire().await.map_err(|_| failed("the decoders are gone"))?;
        let pipeline = self.inner.clone();
        tokio::task::spawn_blocking(move || {
            prepare(codec, body, &pipeline.config.decode, &pipeline.config.redaction)
        })
        .await
        .map_err(|_| failed("the body could not be decoded here"))?
        .map_err(Refusal::from)
    }

    /// Takes an uncompressed OTLP metrics body.
    ///
    /// # Errors
    /// What the sender has to be told; it is counted already.
    pub async fn metric_points(&self, origin: Origin, body: Bytes) -> Result<otlp_metrics::Taken, Refusal> {
        self.inner.metrics.received(&origin, body.len());
        let outcome = self.take_points(&origin, body).await;
        let result = match &outcome {
            Ok(taken) if taken.rejected > 0 => "partial",
            Ok(_) => "accepted",
            Err(refusal) => refusal.label(),
        };
        self.inner.metrics.result(&origin, &self.inner.metrics.senders.of_peer(origin.peer), result);
        outcome
    }

    async fn take_points(&self, origin: &Origin, body: Bytes) -> Result<otlp_metrics::Taken, Refusal> {
        let inner = &self.inner;
        let _share = self.reserve(body.len())?;
        let otlp_metrics::Read { points, mut rejected } = otlp_metrics::read(&body, inner.clock.now_ns())?;
        let offered = points.len() as u64;
        let malformed = inner.samples.take(&points).await?;
        rejected.add("malformed", malformed);
        let accepted = offered.saturating_sub(malformed);
        inner.metrics.points(origin, accepted);
        for (reason, count) in rejected.iter() {
            inner.metrics.points_ignored(origin, reason, count);
        }
        Ok(otlp_metrics::Taken { accepted, rejected: rejected.total(), message: rejected.message() })
    }

    /// Notes a body that never reached the pipeline: refused by the edge while it was read.
    pub(crate) fn refused_unread(&self, origin: &Origin, refusal: &Refusal) {
        self.unread(origin, refusal.label());
    }

    /// Like [`Self::refused_unread`], by the value of the `result` label.
    pub(crate) fn unread(&self, origin: &Origin, result: &str) {
        let metrics = &self.inner.metrics;
        metrics.result(origin, &metrics.senders.of_peer(origin.peer), result);
    }

    fn reserve(&self, bytes: usize) -> Result<Share, Refusal> {
        let inner = &self.inner;
        let pieces = u32::try_from(bytes.div_ceil(PIECE_BYTES)).unwrap_or(u32::MAX);
        let permit = inner.in_flight.clone().try_acquire_many_owned(pieces).map_err(|_| {
            Refusal::new(
                ErrorKind::Exhausted,
                format!("{} bytes of bodies are in flight already", inner.config.in_flight_bytes_max),
                inner.config.retry_after,
            )
        })?;
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        inner.metrics.in_flight.add(bytes);
        Ok(Share { _permit: permit, gauge: inner.metrics.in_flight.clone(), bytes })
    }
}

/// A body that was not taken, and who sent it where that is known.
struct Failed {
    refusal: Refusal,
    sender: Option<Arc<str>>,
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, sender: None }
    }
}

fn failed(reason: &str) -> Refusal {
    Refusal::new(ErrorKind::Internal, reason, std::time::Duration::ZERO)
}
