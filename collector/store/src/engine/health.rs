//! What the engine says about itself.

/// Whether the store works, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Why nothing is written any more; `None` while everything is.
    pub read_only: Option<String>,
    /// Stored data that cannot be read: what, and where.
    pub damage: Vec<String>,
}

impl Health {
    /// Writing works and nothing is damaged.
    pub fn is_ok(&self) -> bool {
        self.read_only.is_none() && self.damage.is_empty()
    }
}

/// Counts of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Rows in memory.
    pub hot_rows: u64,
    /// Estimated bytes of what is in memory.
    pub hot_bytes: u64,
    /// Points in memory.
    pub hot_points: u64,
    /// Blocks of spans.
    pub blocks: u64,
    /// Rows in blocks.
    pub block_rows: u64,
    /// Bytes of all blocks on disk.
    pub block_bytes: u64,
    /// Distinct series.
    pub series: u64,
    /// Events.
    pub events: u64,
    /// Records read from the log at start.
    pub replayed_records: u64,
    /// Bytes of unacknowledged records cut from the log at start.
    pub cut_bytes: u64,
    /// Rows dropped by retention since start.
    pub expired_rows: u64,
    /// Blocks dropped by retention since start.
    pub expired_blocks: u64,
    /// Time of the newest row that retention dropped since start, nanoseconds since 1970; 0 for none.
    pub expired_until_ns: u64,
    /// Deleted traces whose rows are not gone yet.
    pub tombstones: u64,
    /// Deleted rows that left memory and disk since start.
    pub deleted_rows: u64,
    /// Blocks written anew since start because deleted rows were in them.
    pub rewritten_blocks: u64,
    /// Appends refused since start because there was no room.
    pub refused_appends: u64,
}
