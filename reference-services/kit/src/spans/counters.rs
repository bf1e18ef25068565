//! What became of every span, as Prometheus counters.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// Reasons a span is given up.
pub const REASONS: [&str; 5] = ["queue_full", "retries_exhausted", "refused", "rejected", "shutdown"];

/// `tracepact_kit_spans_ended_total{sampled}`, `…_exported_total`, `…_given_up_total{reason}`.
///
/// Every sampled span that ended is exported, given up, or still waiting.
#[derive(Debug, Clone)]
pub struct SpanCounters {
    /// Sampled spans ended.
    pub sampled: IntCounter,
    /// Unsampled spans ended.
    pub unsampled: IntCounter,
    /// Spans the collector acknowledged.
    pub exported: IntCounter,
    given_up: IntCounterVec,
}

impl SpanCounters {
    /// Makes the counters and registers them.
    ///
    /// # Errors
    /// When they are registered there already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let ended = IntCounterVec::new(
            Opts::new("tracepact_kit_spans_ended_total", "Spans that ended in this process."),
            &["sampled"],
        )?;
        let exported =
            IntCounter::new("tracepact_kit_spans_exported_total", "Spans the collector acknowledged.")?;
        let given_up = IntCounterVec::new(
            Opts::new(
                "tracepact_kit_spans_given_up_total",
                "Sampled spans that will never be sent, by reason.",
            ),
            &["reason"],
        )?;
        registry.register(Box::new(ended.clone()))?;
        registry.register(Box::new(exported.clone()))?;
        registry.register(Box::new(given_up.clone()))?;
        for reason in REASONS {
            given_up.with_label_values(&[reason]);
        }
        Ok(Self {
            sampled: ended.with_label_values(&["true"]),
            unsampled: ended.with_label_values(&["false"]),
            exported,
            given_up,
        })
    }

    /// Counts `spans` as given up.
    pub fn give_up(&self, reason: &str, spans: usize) {
        self.given_up.with_label_values(&[reason]).inc_by(spans as u64);
    }

    /// Spans given up so far for `reason`.
    pub fn given_up(&self, reason: &str) -> u64 {
        self.given_up.with_label_values(&[reason]).get()
    }

    /// Spans given up so far for any reason.
    pub fn given_up_total(&self) -> u64 {
        REASONS.iter().map(|reason| self.given_up(reason)).sum()
    }
}
