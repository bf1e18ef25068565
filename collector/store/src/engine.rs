//! The embedded engine: log, hot rows, blocks, index. One directory, one process, no other parts to run.

mod append;
mod blocks;
mod census;
mod check;
mod clock_watch;
mod compact;
mod config;
mod delete;
mod events;
mod export;
mod health;
mod layout;
mod leaving;
mod names;
mod open;
mod purge;
mod red;
mod replace;
mod retention;
mod seal;
mod series;
mod snapshot;
mod spans;
mod state;
pub(crate) mod tombstones;
mod walk;

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tracepact_base::{ErrorKind, SharedClock};

pub use census::{Census, TableCensus, census_closed};
pub use check::{CheckReport, Finding, check, check_on};
pub use config::EngineConfig;
pub use export::{ExportRow, Exported, ParquetFile};
pub use health::{Health, Stats};
pub use snapshot::{FileSum, MANIFEST_FILE, Manifest, SNAPSHOTS_MAX, snapshot_closed, snapshot_closed_on};

use crate::fs::{DirLock, Fs, StdFs};
use crate::log::Log;
use crate::pool::Pool;
use crate::{EventQuery, StoreError};
pub(crate) use compact::unhurried;
pub(crate) use state::{Seen, Shared, Snapshot};

/// The embedded store of spans, series and events. See [`SpanStore`](crate::SpanStore),
/// [`SeriesStore`](crate::SeriesStore) and [`EventStore`](crate::EventStore) for what it does.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    log: Arc<Log>,
    /// Compression of bodies.
    writes: Pool,
    /// Lookups and searches.
    reads: Pool,
    in_flight: Arc<Semaphore>,
    sealer: seal::Sealer,
    /// Held while a snapshot is made or removed.
    snapshots: Mutex<()>,
    _lock: Box<dyn DirLock>,
}

impl Engine {
    /// Opens the store in `dir` (created when missing) and reads its log. Fails with `Unavailable` when another
    /// process has it, with `Corrupt` when it cannot be read at all; readable damage shows in [`Engine::health`].
    pub fn open(dir: &Path, config: EngineConfig, clock: SharedClock) -> Result<Arc<Self>, StoreError> {
        std::fs::create_dir_all(dir).map_err(|error| open::failed(dir, &error))?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            StdFs.sync_dir(parent).map_err(|error| open::failed(dir, &error))?;
        }
        Self::open_on(Arc::new(StdFs), dir, config, clock)
    }

    /// Like [`Engine::open`], on other files. `dir` exists.
    pub fn open_on(
        fs: Arc<dyn Fs>,
        dir: &Path,
        config: EngineConfig,
        clock: SharedClock,
    ) -> Result<Arc<Self>, StoreError> {
        open::open(fs, dir, config, clock).map(Arc::new)
    }

    /// What works and what does not.
    pub fn health(&self) -> Health {
        Health { read_only: self.log.broken().map(str::to_owned), damage: self.shared.damage.lock().clone() }
    }

    /// Counts, for metrics.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Seals everything in memory into blocks and waits for it. Blocks the thread: not for tokio's workers.
    pub fn seal(&self) -> Result<(), StoreError> {
        self.sealer.now()
    }

    /// Takes deleted rows off the disk now instead of at the next interval: blocks that hold some are written anew.
    /// Rows in memory and in the log go when they are sealed. Blocks the thread: not for tokio's workers.
    pub fn purge(&self) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| StoreError::new(ErrorKind::Unavailable, error.to_string());
        self.sealer.run(move |shared, _| purge::purge(shared).map_err(failed))?
    }

    /// Drops what retention does not keep, now instead of at the next interval. Blocks the thread for a moment.
    pub fn expire(&self) {
        retention::expire(&self.shared);
    }

    /// Stops taking appends, writes and syncs what was taken. Rows in memory stay in the log and come back at start.
    pub fn close(&self) {
        self.in_flight.close();
        self.sealer.close();
        self.log.close();
    }
}
