//! What appends change and reads look at.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use tracepact_base::SharedClock;

use super::blocks::Blocks;
use super::clock_watch::ClockWatch;
use super::leaving::Leaving;
use super::tombstones::{Mark, Tombstones};
use super::{EngineConfig, Stats};
use crate::block::{BlockPart, Table};
use crate::budget::Budget;
use crate::events::EventTable;
use crate::fs::Fs;
use crate::hot::{Generation, HotPart, HotRows};
use crate::links::Remembered;
use crate::log::{Applied, Payload};
use crate::part::Part;
use crate::search::shared;
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
    /// Blocks whose files are to go.
    pub(crate) leaving: Mutex<Vec<Leaving>>,
    pub(crate) clock_watch: Mutex<ClockWatch>,
    /// Tells bodies apart that were received.
    pub(crate) bodies: foldhash::quality::RandomState,
    /// Links of traces that several parts have.
    pub(crate) links: Remembered,
    /// What blocks have in common; see [`Seen`].
    pub(crate) shared_traces: Arc<shared::Cache>,
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
    /// Deleted traces whose rows may still be somewhere.
    pub(crate) tombstones: Arc<Tombstones>,
    /// What cannot be read at all, by table: every answer about it says so.
    pub(crate) lost: Vec<(Table, String)>,
}

impl State {
    /// What of a table cannot be read.
    pub(crate) fn lost_of(&self, table: Table) -> Vec<String> {
        self.lost.iter().filter(|(of, _)| *of == table).map(|(_, name)| name.clone()).collect()
    }

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
    pub(crate) expired_until_ns: AtomicU64,
    pub(crate) refused_appends: AtomicU64,
    pub(crate) deleted_rows: AtomicU64,
    pub(crate) rewritten_blocks: AtomicU64,
}

/// What one query reads: later appends, seals and drops do not change it.
pub(crate) struct Snapshot {
    pub(crate) hot: Vec<HotPart>,
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) span_blocks: Vec<BlockPart>,
    pub(crate) seen: Seen,
}

/// What a read of spans must heed beside its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Rows that it must not show.
    pub(crate) tombstones: Arc<Tombstones>,
    /// Blocks and log records that it does not see because nothing can read them.
    pub(crate) lost: Vec<String>,
    /// How many of the parts, the first ones, are blocks: they do not change.
    pub(crate) settled: usize,
    /// What the blocks have in common.
    pub(crate) shared_traces: Arc<shared::Cache>,
}

/// Bytes of the tables of traces that blocks keep in memory between searches.
const TABLES_BYTES_MAX: usize = 48 << 20;

impl Snapshot {
    /// Forgets tables of traces, those of the oldest blocks first, until the others fit their bound.
    pub(crate) fn trim_tables(&self) {
        let mut bytes = 0;
        for block in self.blocks.spans.iter().rev() {
            bytes += block.traces_bytes();
            if bytes > TABLES_BYTES_MAX {
                block.forget_traces();
            }
        }
    }

    /// All parts.
    pub(crate) fn parts(&self) -> Vec<&dyn Part> {
        // Older rows first; the newest are in memory.
        let hot = self.hot.iter().map(|part| part as &dyn Part);
        self.span_blocks.iter().map(|block| block as &dyn Part).chain(hot).collect()
    }
}

impl Shared {
    pub(crate) fn snapshot(&self, budget: &Budget) -> Snapshot {
        let state = self.state.read();
        let generations = state.sealing.iter().chain([&state.active]).cloned();
        let part = |block: &Arc<_>| BlockPart { block: Arc::clone(block), budget: budget.clone() };
        Snapshot {
            hot: generations.map(HotPart::new).collect(),
            span_blocks: state.blocks.spans.iter().map(part).collect(),
            blocks: state.blocks.clone(),
            seen: Seen {
                tombstones: state.tombstones.clone(),
                lost: state.lost_of(Table::Spans),
                settled: state.blocks.spans.len(),
                shared_traces: self.shared_traces.clone(),
            },
        }
    }

    /// Notes that acknowledged records cannot be read: of which table they were is not known either.
    pub(crate) fn lose_records(&self, first: u64, last: u64) {
        let mut state = self.state.write();
        for table in [Table::Spans, Table::Series, Table::Events, Table::Red] {
            state.lost.push((table, format!("log records {first} to {last}")));
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
            expired_until_ns: self.counters.expired_until_ns.load(Ordering::Relaxed),
            refused_appends: self.counters.refused_appends.load(Ordering::Relaxed),
            deleted_rows: self.counters.deleted_rows.load(Ordering::Relaxed),
            rewritten_blocks: self.counters.rewritten_blocks.load(Ordering::Relaxed),
            tombstones: state.tombstones.len() as u64,
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
            HotRows::Spans(rows, received_at_ns, counted) => {
                let active = self.state.read().active.clone();
                active.push_spans(lsn, received_at_ns, &rows);
                active.push_counts(lsn, received_at_ns, *counted);
            }
            HotRows::Counts(counted, received_at_ns) => {
                let active = self.state.read().active.clone();
                active.push_counts(lsn, received_at_ns, *counted);
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
                    // Only a log that is read again holds events that a tombstone in a block is newer than.
                    let tombstones = state.tombstones.clone();
                    let kept = events.into_iter().filter(|event| !tombstones.hide_event(event, lsn));
                    state.events.insert(kept, self.config.events_max);
                }
                self.events_version.send_modify(|version| *version += 1);
            }
            HotRows::Tombstones(marks) => {
                let marks: Vec<Mark> = marks.into_iter().map(|mark| Mark { lsn, ..mark }).collect();
                {
                    let mut state = self.state.write();
                    state.active.push_tombstones(lsn, &marks);
                    let mut tombstones = Tombstones::clone(&state.tombstones);
                    marks.into_iter().for_each(|mark| tombstones.add(mark));
                    // All that are known so far came with an earlier record.
                    state.events.forget(|event| tombstones.hide_event(event, lsn.saturating_sub(1)));
                    state.tombstones = Arc::new(tombstones);
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
