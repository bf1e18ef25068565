//! What the receivers count: everything taken and everything refused.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

use crate::admission::Refused;

/// How a body arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP.
    Http,
    /// gRPC.
    Grpc,
    /// Not at all: made by this process.
    Local,
}

impl Transport {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
            Self::Local => "local",
        }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Zipkin v2 JSON.
    ZipkinJson,
    /// OTLP protobuf.
    OtlpProto,
    /// OTLP JSON.
    OtlpJson,
}

impl Format {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::ZipkinJson => "zipkin_json",
            Self::OtlpProto => "otlp_proto",
            Self::OtlpJson => "otlp_json",
        }
    }
}

/// Counters by transport and format.
#[derive(Debug, Clone)]
pub(crate) struct IngestMetrics {
    requests: IntCounterVec,
    bytes: IntCounterVec,
    spans: IntCounterVec,
    spans_refused: IntCounterVec,
    points: IntCounterVec,
    points_ignored: IntCounterVec,
    pub(crate) in_flight: IntGauge,
}

fn counter(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(counter.clone()))?;
    Ok(counter)
}

impl IngestMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let in_flight = IntGauge::new(
            "tracepact_ingest_in_flight_bytes",
            "Bytes of bodies between receipt and acknowledgement.",
        )?;
        registry.register(Box::new(in_flight.clone()))?;
        Ok(Self {
            requests: counter(
                registry,
                "tracepact_ingest_requests_total",
                "Requests by result: accepted, partial, malformed, too_large, exhausted, unavailable, failed.",
                &["transport", "format", "result"],
            )?,
            bytes: counter(
                registry,
                "tracepact_ingest_bytes_total",
                "Bytes of decompressed bodies received.",
                &["transport", "format"],
            )?,
            spans: counter(
                registry,
                "tracepact_ingest_spans_total",
                "Spans acknowledged.",
                &["transport", "format"],
            )?,
            spans_refused: counter(
                registry,
                "tracepact_ingest_spans_refused_total",
                "Spans refused, by reason. Spans of a body that could not be read are not known: see the requests.",
                &["transport", "format", "reason"],
            )?,
            points: counter(
                registry,
                "tracepact_ingest_metric_points_total",
                "Metric points acknowledged.",
                &["transport", "format"],
            )?,
            points_ignored: counter(
                registry,
                "tracepact_ingest_metric_points_ignored_total",
                "Metric points that are not kept, by reason.",
                &["transport", "format", "reason"],
            )?,
            in_flight,
        })
    }

    pub(crate) fn received(&self, transport: Transport, format: Format, bytes: usize) {
        self.bytes.with_label_values(&[transport.label(), format.label()]).inc_by(bytes as u64);
    }

    pub(crate) fn result(&self, transport: Transport, format: Format, result: &str) {
        self.requests.with_label_values(&[transport.label(), format.label(), result]).inc();
    }

    pub(crate) fn spans(&self, transport: Transport, format: Format, accepted: u64) {
        self.spans.with_label_values(&[transport.label(), format.label()]).inc_by(accepted);
    }

    pub(crate) fn refused(&self, transport: Transport, format: Format, refused: &Refused) {
        for (reason, count) in &refused.counts {
            self.spans_refused(transport, format, reason.label(), *count);
        }
    }

    pub(crate) fn spans_refused(&self, transport: Transport, format: Format, reason: &str, count: u64) {
        self.spans_refused.with_label_values(&[transport.label(), format.label(), reason]).inc_by(count);
    }

    pub(crate) fn points(&self, transport: Transport, format: Format, accepted: u64) {
        self.points.with_label_values(&[transport.label(), format.label()]).inc_by(accepted);
    }

    pub(crate) fn points_ignored(&self, transport: Transport, format: Format, reason: &str, count: u64) {
        if count > 0 {
            self.points_ignored.with_label_values(&[transport.label(), format.label(), reason]).inc_by(count);
        }
    }
}
