//! What is true now, kept in memory: writers are `ingest` and `jobs`, readers are `query` and `export`.
//!
//! Every board is bounded, forgets what was not seen for [`FORGET_AFTER_NS`], and starts empty: unknown is absent.

mod breakers;
mod bulkheads;
mod lag;
mod messages;

pub use breakers::{BreakerBoard, BreakerView, TransitionView};
pub use bulkheads::{BulkheadBoard, BulkheadView};
pub use lag::{GroupView, LagBoard, LagView, PartitionView, TopicView};
pub use messages::{FlowCounts, FlowView, MessageBoard, MessageView, MessagesView};

/// Something not seen for this long has gone: one hour.
pub const FORGET_AFTER_NS: u64 = 3_600_000_000_000;
/// Most breakers, and most bulkheads, kept at once; the one unseen for longest goes first.
pub const ENTRIES_MAX: usize = 10_000;

/// All boards of one process.
#[derive(Debug)]
pub struct Boards {
    /// Circuit breakers.
    pub breakers: BreakerBoard,
    /// Bulkheads and consumer permits.
    pub bulkheads: BulkheadBoard,
    /// Consumer lag.
    pub lag: LagBoard,
    /// Messages of the configured flows.
    pub messages: MessageBoard,
}

impl Boards {
    /// Empty boards that begin to watch at `now_ns` (nanoseconds since 1970).
    pub fn new(now_ns: u64) -> Self {
        Self {
            breakers: BreakerBoard::new(now_ns),
            bulkheads: BulkheadBoard::default(),
            lag: LagBoard::default(),
            messages: MessageBoard::default(),
        }
    }
}

/// Removes the entry unseen for longest when `map` is full and `key` is not in it.
fn make_room<K: Ord + Clone, V>(
    map: &mut std::collections::BTreeMap<K, V>,
    key: &K,
    last_seen: impl Fn(&V) -> u64,
) {
    if map.len() >= ENTRIES_MAX && !map.contains_key(key) {
        let oldest = map.iter().min_by_key(|(_, value)| last_seen(value)).map(|(key, _)| key.clone());
        oldest.map(|key| map.remove(&key));
    }
}
