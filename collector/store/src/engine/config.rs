//! What can be set about the embedded engine.

use std::time::Duration;

use tracepact_model::DecodeLimits;

/// Settings of the embedded engine. The defaults suit one server with a local disk.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// Name of the tenant; part of the log and of every path.
    pub tenant: String,
    /// Estimated bytes of unsealed rows at which they are sealed into a block.
    pub seal_bytes: usize,
    /// Age of the oldest unsealed row at which rows are sealed, however few there are. Keeps start-up short.
    pub seal_age: Duration,
    /// Estimated bytes of unsealed rows at which appends wait, and are refused after `append_wait`.
    pub hot_bytes_max: usize,
    /// Bytes of bodies between receipt and acknowledgement at which appends wait.
    pub in_flight_bytes_max: usize,
    /// How long an append waits for room before it is refused with `Exhausted`.
    pub append_wait: Duration,
    /// How long spans are kept, counted from their start.
    pub spans_retention: Duration,
    /// How long points are kept.
    pub series_retention: Duration,
    /// How long events are kept.
    pub events_retention: Duration,
    /// Bytes that sealed blocks may take; the oldest days go first. `None` for no bound.
    pub disk_bytes_max: Option<u64>,
    /// Most distinct series.
    pub series_max: usize,
    /// Most deleted traces whose rows are not gone yet; further deletions are refused until compaction went on.
    pub tombstones_max: usize,
    /// Most events kept, the newest win.
    pub events_max: usize,
    /// Bounds that bodies were decoded with, for reading the log again.
    pub decode_limits: DecodeLimits,
    /// Threads that read and compress.
    pub threads: usize,
    /// How often retention is looked at.
    pub maintenance_interval: Duration,
    /// Small blocks of one day at which they are put together.
    pub compact_blocks: usize,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            tenant: "default".to_owned(),
            seal_bytes: 40 << 20,
            seal_age: Duration::from_secs(3600),
            hot_bytes_max: 120 << 20,
            in_flight_bytes_max: 64 << 20,
            append_wait: Duration::from_secs(2),
            spans_retention: DAY * 7,
            series_retention: DAY * 7,
            events_retention: DAY * 7,
            disk_bytes_max: None,
            series_max: 100_000,
            tombstones_max: 100_000,
            events_max: 100_000,
            decode_limits: DecodeLimits::default(),
            threads: 2,
            maintenance_interval: Duration::from_secs(60),
            compact_blocks: 8,
        }
    }
}
