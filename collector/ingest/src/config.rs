//! Bounds of what is taken.

use std::time::Duration;

use tracepact_listener::Limits;
use tracepact_model::{DecodeLimits, Redaction};

/// Settings of the receivers.
#[derive(Debug, Clone)]
pub struct IngestConfig {
    /// Largest body, as sent and decompressed.
    pub body: Limits,
    /// Bounds inside a body.
    pub decode: DecodeLimits,
    /// Which values are hidden before anything is kept.
    pub redaction: Redaction,
    /// Most bytes of decompressed bodies between receipt and acknowledgement; beyond it senders are told to wait.
    pub in_flight_bytes_max: usize,
    /// A span that started longer ago is refused.
    pub age_max: Duration,
    /// A span that starts further in the future is refused.
    pub ahead_max: Duration,
    /// Most spans of one trace, over all requests; further ones are refused, and a span in the trace says so.
    pub spans_per_trace_max: u32,
    /// Share of traces that are kept, 0 to 1, decided by trace id.
    pub sample_rate: f64,
    /// Most spans a second that the debug flag keeps although sampling would leave them out.
    pub debug_spans_per_second_max: u32,
    /// When a sender that was told to wait should come again.
    pub retry_after: Duration,
    /// The longest time a gRPC message may take to arrive.
    pub message_time_max: Duration,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            body: Limits::INGEST,
            decode: DecodeLimits::default(),
            redaction: Redaction::default(),
            in_flight_bytes_max: 256 << 20,
            age_max: Duration::from_secs(7 * 24 * 3_600),
            ahead_max: Duration::from_secs(24 * 3_600),
            spans_per_trace_max: 100_000,
            sample_rate: 1.0,
            debug_spans_per_second_max: 1_000,
            retry_after: Duration::from_secs(1),
            message_time_max: Duration::from_secs(60),
        }
    }
}
