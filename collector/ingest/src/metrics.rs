//! What the receivers count: everything taken and everything refused.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::admission::{Reason, Refused};
use crate::origin::{Origin, SENDERS_MAX, Senders};
use crate::tally::BySender;

/// Counters by transport, format and sender. A sender is the service that made a span; of what could not be read it is
/// the address that it came from.
#[derive(Debug)]
pub(crate) struct IngestMetrics {
    pub(crate) senders: Senders,
    requests: IntCounterVec,
    bytes: IntCounterVec,
    spans: IntCounterVec,
    spans_refused: IntCounterVec,
    sampled_out: IntCounterVec,
    debug: IntCounterVec,
    truncated: IntCounterVec,
    redacted: IntCounterVec,
    points: IntCounterVec,
    points_ignored: IntCounterVec,
    last_bytes: IntGaugeVec,
    last_spans: IntGaugeVec,
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

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGaugeVec, prometheus::Error> {
    let gauge = IntGaugeVec::new(Opts::new(name, help), &["transport"])?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

impl IngestMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let in_flight = IntGauge::new(
            "tracepact_ingest_in_flight_bytes",
            "Bytes of bodies between receipt and acknowledgement.",
        )?;
        registry.register(Box::new(in_flight.clone()))?;
        let sender = format!(
            "A sender is the service that made the span, else the address it came from; at most {SENDERS_MAX} are told apart."
        );
        let with_sender = ["transport", "format", "sender"];
        Ok(Self {
            senders: Senders::default(),
            requests: counter(
                registry,
                "tracepact_ingest_requests_total",
                &format!(
                    "Requests by result: accepted, partial, malformed, too_large, exhausted, unavailable, failed. {sender}"
                ),
                &["transport", "format", "sender", "result"],
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
                &format!("Spans acknowledged. {sender}"),
                &with_sender,
            )?,
            spans_refused: counter(
                registry,
                "tracepact_ingest_spans_refused_total",
                &format!(
                    "Spans refused, by reason. Spans of a body that could not be read are not known: see the requests. {sender}"
                ),
                &["transport", "format", "sender", "reason"],
            )?,
            sampled_out: counter(
                registry,
                "tracepact_ingest_spans_sampled_out_total",
                &format!("Spans that sampling by trace id left out. {sender}"),
                &with_sender,
            )?,
            debug: counter(
                registry,
                "tracepact_ingest_debug_spans_total",
                "Spans outside the sample with the debug flag: kept for it, or capped because too many had it.",
                &["transport", "format", "result"],
            )?,
            truncated: counter(
                registry,
                "tracepact_ingest_spans_truncated_total",
                &format!("Spans acknowledged of which something was cut to a limit. {sender}"),
                &with_sender,
            )?,
            redacted: counter(
                registry,
                "tracepact_ingest_values_redacted_total",
                "Values hidden because of their key or of what they look like.",
                &["transport", "format"],
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
            last_bytes: gauge(
                registry,
                "tracepact_ingest_last_body_bytes",
                "Bytes of the last body of spans.",
            )?,
            last_spans: gauge(
                registry,
                "tracepact_ingest_last_body_spans",
                "Spans in the last body of spans.",
            )?,
            in_flight,
        })
    }

    pub(crate) fn received(&self, origin: &Origin, bytes: usize) {
        let transport = origin.transport.label();
        self.bytes.with_label_values(&[transport, origin.format.label()]).inc_by(bytes as u64);
        self.last_bytes.with_label_values(&[transport]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(crate) fn decoded(&self, origin: &Origin, spans: usize, redacted: u64) {
        let transport = origin.transport.label();
        self.last_spans.with_label_values(&[transport]).set(i64::try_from(spans).unwrap_or(i64::MAX));
        if redacted > 0 {
            self.redacted.with_label_values(&[transport, origin.format.label()]).inc_by(redacted);
        }
    }

    pub(crate) fn result(&self, origin: &Origin, sender: &str, result: &str) {
        let labels = [origin.transport.label(), origin.format.label(), sender, result];
        self.requests.with_label_values(&labels).inc();
    }

    /// Tells the counters what was decided. With `failed` nothing was kept after all, for that reason.
    pub(crate) fn tallied(&self, origin: &Origin, tally: &BySender, failed: Option<&str>) {
        let (transport, format) = (origin.transport.label(), origin.format.label());
        let add = |counter: &IntCounterVec, label: &str, count: u64| {
            if count > 0 {
                counter.with_label_values(&[transport, format, label]).inc_by(count);
            }
        };
        for (sender, counts) in &tally.senders {
            match failed {
                Some(reason) if counts.kept > 0 => self.refused_spans(origin, sender, reason, counts.kept),
                Some(_) => {}
                None => {
                    add(&self.spans, sender, counts.kept);
                    add(&self.sampled_out, sender, counts.sampled_out);
                    add(&self.truncated, sender, counts.truncated);
                    for (reason, count) in counts.refused() {
                        self.refused_spans(origin, sender, reason.label(), count);
                    }
                }
            }
        }
        if failed.is_none() {
            add(&self.debug, "kept", tally.debug.kept);
            add(&self.debug, "capped", tally.debug.capped);
        }
    }

    /// Spans that were rejected one by one before a row of them existed.
    pub(crate) fn malformed(&self, origin: &Origin, sender: &str, refused: &Refused) {
        let count = refused.counts.get(&Reason::Malformed).copied().unwrap_or(0);
        if count > 0 {
            self.refused_spans(origin, sender, Reason::Malformed.label(), count);
        }
    }

    fn refused_spans(&self, origin: &Origin, sender: &str, reason: &str, count: u64) {
        let labels = [origin.transport.label(), origin.format.label(), sender, reason];
        self.spans_refused.with_label_values(&labels).inc_by(count);
    }

    pub(crate) fn points(&self, origin: &Origin, accepted: u64) {
        self.points.with_label_values(&[origin.transport.label(), origin.format.label()]).inc_by(accepted);
    }

    pub(crate) fn points_ignored(&self, origin: &Origin, reason: &str, count: u64) {
        if count > 0 {
            let labels = [origin.transport.label(), origin.format.label(), reason];
            self.points_ignored.with_label_values(&labels).inc_by(count);
        }
    }
}
