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
    /// Which attribute values are hidden before anything is kept.
    pub redaction: Redaction,
    /// Most bytes of decompressed bodies between receipt and acknowledgement; beyond it senders are told to wait.
    pub in_flight_bytes_max: usize,
    /// A span that started longer ago is refused.
    pub age_max: Duration,
    /// A span that starts further in the future is refused.
    pub ahead_max: Duration,
    /// When a sender that was told to wait should come again.
    pub retry_after: Duration,
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
            retry_after: Duration::from_secs(1),
        }
    }
}
