//! The one way a body walks, whatever brought it.

use std::sync::Arc;

use bytes::Bytes;
use prometheus::{IntGauge, Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracepact_base::{ErrorKind, SharedClock};
use tracepact_model::{Codec, Prepared, SpanBatch, prepare};
use tracepact_resilience::board::Boards;
use tracepact_store::{EventStore, SeriesStore, SpanStore};

use crate::admission::{Reason, Refused, admit};
use crate::metrics::IngestMetrics;
use crate::otlp_metrics;
use crate::samples::SampleSink;
use crate::{Format, IngestConfig, Refusal, Transport};

/// Bytes are reserved in pieces of this size.
const PIECE_BYTES: usize = 1 << 10;
/// Bodies up to this size are decoded where they are; larger ones on the blocking pool.
const INLINE_BYTES_MAX: usize = 128 << 10;
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
        Ok(Self { inner: Arc::new(Inner { spans, samples, clock, config, in_flight, decoding, metrics }) })
    }

    pub(crate) fn config(&self) -> &IngestConfig {
        &self.inner.config
    }

    pub(crate) fn metrics(&self) -> &IngestMetrics {
        &self.inner.metrics
    }

    /// Takes an uncompressed body of spans. `Ok` means: durable, and visible to every query.
    ///
    /// # Errors
    /// What the sender has to be told; it is counted already.
    pub async fn spans(
        &self,
        transport: Transport,
        format: Format,
        body: Bytes,
    ) -> Result<Accepted, Refusal> {
        let bytes = body.len();
        self.inner.metrics.received(transport, format, bytes);
        let outcome = self.take_spans(transport, format, body).await;
        self.count(transport, format, &outcome);
        outcome
    }

    async fn take_spans(
        &self,
        transport: Transport,
        format: Format,
        body: Bytes,
    ) -> Result<Accepted, Refusal> {
        let inner = &self.inner;
        let _share = self.reserve(body.len())?;
        let received_at_ns = inner.clock.now_ns();
        let codec = match format {
            Format::ZipkinJson => Codec::ZipkinJsonV2,
            Format::OtlpProto => Codec::OtlpProto,
            Format::OtlpJson => Codec::OtlpJson,
        };
        let Prepared { body, decoded } = self.prepare(codec, body).await?;
        let (admission, mut refused) =
            admit(&decoded.spans, received_at_ns, inner.config.age_max, inner.config.ahead_max);
        refused.add(Reason::Malformed, decoded.rejected.len() as u64);
        refused.example = decoded
            .rejected
            .first()
            .map(|rejection| format!("span {}: {}", rejection.position, rejection.reason));
        let spans = admission.admit(decoded.spans);
        let accepted = spans.len() as u64;
        if accepted > 0 {
            let batch = SpanBatch { codec, body, received_at_ns, admission, spans };
            if let Err(error) = inner.spans.append(batch).await {
                let refusal = Refusal::from(error);
                inner.metrics.spans_refused(transport, format, refusal.label(), accepted);
                return Err(refusal);
            }
        }
        Ok(Accepted { accepted, refused })
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
    pub async fn metric_points(
        &self,
        transport: Transport,
        format: Format,
        body: Bytes,
    ) -> Result<otlp_metrics::Taken, Refusal> {
        self.inner.metrics.received(transport, format, body.len());
        let outcome = self.take_points(transport, format, body).await;
        let result = match &outcome {
            Ok(taken) if taken.rejected > 0 => "partial",
            Ok(_) => "accepted",
            Err(refusal) => refusal.label(),
        };
        self.inner.metrics.result(transport, format, result);
        outcome
    }

    async fn take_points(
        &self,
        transport: Transport,
        format: Format,
        body: Bytes,
    ) -> Result<otlp_metrics::Taken, Refusal> {
        let inner = &self.inner;
        let _share = self.reserve(body.len())?;
        let otlp_metrics::Read { points, mut rejected } = otlp_metrics::read(&body, inner.clock.now_ns())?;
        let offered = points.len() as u64;
        let malformed = inner.samples.take(&points).await?;
        rejected.add("malformed", malformed);
        let accepted = offered.saturating_sub(malformed);
        inner.metrics.points(transport, format, accepted);
        for (reason, count) in rejected.iter() {
            inner.metrics.points_ignored(transport, format, reason, count);
        }
        Ok(otlp_metrics::Taken { accepted, rejected: rejected.total(), message: rejected.message() })
    }

    /// Notes a body that never reached the pipeline: refused by the edge while it was read.
    pub(crate) fn refused_unread(&self, transport: Transport, format: Format, refusal: &Refusal) {
        self.inner.metrics.result(transport, format, refusal.label());
    }

    fn count(&self, transport: Transport, format: Format, outcome: &Result<Accepted, Refusal>) {
        let metrics = &self.inner.metrics;
        match outcome {
            Ok(accepted) => {
                metrics.spans(transport, format, accepted.accepted);
                metrics.refused(transport, format, &accepted.refused);
                let partial = accepted.refused.total() > 0;
                metrics.result(transport, format, if partial { "partial" } else { "accepted" });
            }
            Err(refusal) => {
                metrics.result(transport, format, refusal.label());
                tracing::debug!(
                    transport = transport.label(),
                    format = format.label(),
                    reason = %refusal.reason,
                    "a body was refused"
                );
            }
        }
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

fn failed(reason: &str) -> Refusal {
    Refusal::new(ErrorKind::Internal, reason, std::time::Duration::ZERO)
}
