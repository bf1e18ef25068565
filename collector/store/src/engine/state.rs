//! What appends change and reads look at.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use tracepact_base::SharedClock;

use super::blocks::Blocks;
use super::{EngineConfig, Stats};
use crate::block::BlockPart;
use crate::budget::Budget;
use crate::events::EventTable;
use crate::fs::Fs;
use crate::hot::{Generation, HotPart, HotRows};
use crate::log::{Applied, Payload};
use crate::part::Part;
use crate::series::SeriesTable;

/// Shared by the engine, the log's thread and the readers.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) dir: PathBuf,
    pub(crate) config: EngineConfig,
    pub(crate) clock: SharedClock,
    pub(crate) state: RwLock<State>,
    pub(crate) events_version: watch::Sender<u64>,
    pub(crate) damage: Mutex<Vec<String>>,
    pub(crate) counters: Counters,
    /// Woken when sealed rows leave memory.
    pub(crate) room: Notify,
}

/// The parts of the store at one moment.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Takes what is appended.
    pub(crate) active: Arc<Generation>,
    /// Being sealed, oldest first.
    pub(crate) sealing: Vec<Arc<Generation>>,
    /// Published; replaced as a whole, so that a query keeps what it began with.
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) series: SeriesTable,
    pub(crate) events: EventTable,
}

impl State {
    /// Publishes a changed set of blocks.
    pub(crate) fn change_blocks(&mut self, change: impl FnOnce(&mut Blocks)) {
        let mut blocks = Blocks::clone(&self.blocks);
        change(&mut blocks);
        self.blocks = Arc::new(blocks);
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) replayed_records: AtomicU64,
    pub(crate) cut_bytes: AtomicU64,
    pub(crate) expired_rows: AtomicU64,
    pub(crate) expired_blocks: AtomicU64,
    pub(crate) refused_appends: AtomicU64,
}

/// What one query reads: later appends, seals and drops do not change it.
pub(crate) struct Snapshot {
    pub(crate) hot: HotPart,
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) span_blocks: Vec<BlockPart>,
}

impl Snapshot {
    /// All parts.
    pub(crate) fn parts(&self) -> Vec<&dyn Part> {
        // Older rows first; the newest are in memory.
        self.span_blocks.iter().map(|block| block as &dyn Part).chain([&self.hot as &dyn Part]).collect()
    }
}

impl Shared {
    pub(crate) fn snapshot(&self, budget: &Budget) -> Snapshot {
        let state = self.state.read();
        let generations = state.sealing.iter().chain([&state.active]).cloned().collect();
        let part = |block: &Arc<_>| BlockPart { block: Arc::clone(block), budget: budget.clone() };
        Snapshot {
            hot: HotPart::new(generations),
            span_blocks: state.blocks.spans.iter().map(part).collect(),
            blocks: state.blocks.clone(),
        }
    }

    /// Estimated bytes in memory that are not being sealed yet.
    pub(crate) fn active_bytes(&self) -> usize {
        self.state.read().active.held().bytes
    }

    /// Estimated bytes in memory.
    pub(crate) fn hot_bytes(&self) -> usize {
        let state = self.state.read();
        state.sealing.iter().chain([&state.active]).map(|generation| generation.held().bytes).sum()
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.state.read();
        let mut stats = Stats {
            series: state.series.len() as u64,
            events: state.events.len() as u64,
            replayed_records: self.counters.replayed_records.load(Ordering::Relaxed),
            cut_bytes: self.counters.cut_bytes.load(Ordering::Relaxed),
            expired_rows: self.counters.expired_rows.load(Ordering::Relaxed),
            expired_blocks: self.counters.expired_blocks.load(Ordering::Relaxed),
            refused_appends: self.counters.refused_appends.load(Ordering::Relaxed),
            blocks: state.blocks.spans.len() as u64,
            block_rows: state.blocks.spans.iter().map(|block| block.meta.rows).sum(),
            block_bytes: state.blocks.metas().map(crate::block::BlockMeta::bytes).sum(),
            ..Stats::default()
        };
        for held in state.sealing.iter().chain([&state.active]).map(|generation| generation.held()) {
            stats.hot_rows += held.rows;
            stats.hot_bytes += held.bytes as u64;
            stats.hot_points += held.points;
        }
        stats
    }
}

impl Applied for Shared {
    fn apply(&self, lsn: u64, payload: Payload) {
        match payload {
            HotRows::Spans(rows, received_at_ns) => {
                let active = self.state.read().active.clone();
                active.push_spans(lsn, received_at_ns, rows);
            }
            HotRows::Points(points) => {
                let mut state = self.state.write();
                state.active.push_points(lsn, &points);
                for (number, at_ns, value) in points {
                    state.series.note(number, at_ns, value);
                }
            }
            HotRows::Events(events) => {
                {
                    let mut state = self.state.write();
                    state.active.push_events(lsn, &events);
                    state.events.insert(events, self.config.events_max);
                }
                self.events_version.send_modify(|version| *version += 1);
            }
        }
    }

    fn rotated(&self, _last_lsn: u64) {
        let mut state = self.state.write();
        if state.active.held().lsns.is_some() {
            let fresh = Arc::new(Generation::starting_at(self.clock.monotonic_ns()));
            let full = std::mem::replace(&mut state.active, fresh);
            state.sealing.push(full);
        }
    }
}
