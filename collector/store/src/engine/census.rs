//! What a store holds: blocks by table and by day, the log, what is pending.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::check::blocks::read_meta;
use super::tombstones::{Tombstones, read_marks};
use super::{Engine, open, walk};
use crate::admin::Pending;
use crate::block::{BlockMeta, Table};
use crate::fs::{Fs, StdFs, join};
use crate::log::{self, replay, segment};
use crate::{StoreError, engine::tombstones::TombstoneBlock};

/// Counts of a store, from its blocks' descriptions and its log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Census {
    /// Blocks of spans, series, events and deleted traces.
    pub tables: BTreeMap<String, TableCensus>,
    /// Blocks of spans by UTC day.
    pub days: BTreeMap<String, TableCensus>,
    /// Log segments, and their bytes.
    pub log_segments: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Span rows in memory; of a closed store the log records that no block holds yet.
    pub unsealed: u64,
    /// Deleted traces whose rows are hidden and not gone yet.
    pub pending: Pending,
    /// Bytes of blocks that hold rows of those traces, as far as it is known without reading them all: of those written
    /// before the newest deletion.
    pub pending_bytes: u64,
    /// What cannot be read.
    pub damage: Vec<String>,
}

/// Counts of some blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableCensus {
    /// Blocks.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Earliest time in them, nanoseconds since 1970.
    pub from_ns: u64,
    /// Latest time in them.
    pub to_ns: u64,
}

impl TableCensus {
    fn add(&mut self, meta: &BlockMeta) {
        self.from_ns = if self.blocks == 0 { meta.min_ns } else { self.from_ns.min(meta.min_ns) };
        self.to_ns = self.to_ns.max(meta.max_ns);
        self.blocks += 1;
        self.rows += meta.rows;
        self.bytes += meta.bytes();
    }
}

impl Census {
    fn count<'m>(&mut self, metas: impl Iterator<Item = &'m BlockMeta>, tombstones: &Tombstones) {
        for meta in metas {
            self.tables.entry(meta.table.dir().to_owned()).or_default().add(meta);
            if meta.table == Table::Spans {
                self.days.entry(meta.day.clone()).or_default().add(meta);
                if tombstones.newest_lsn().is_some_and(|newest| meta.first_lsn < newest) {
                    self.pending_bytes += meta.bytes();
                }
            }
        }
        self.pending = Pending { traces: tombstones.len() as u64, oldest_ns: tombstones.oldest_ns() };
    }

    fn count_log(&mut self, fs: &dyn Fs, log_dir: &Path) -> io::Result<()> {
        for (_, path) in segment::list(fs, log_dir)? {
            self.log_segments += 1;
            self.log_bytes += fs.open(&path)?.len()?;
        }
        Ok(())
    }
}

impl Engine {
    /// Counts what the running store holds. Blocks the thread for a moment.
    pub fn census(&self) -> Result<Census, StoreError> {
        let shared = &self.shared;
        let (blocks, tombstones) = {
            let state = shared.state.read();
            (state.blocks.clone(), state.tombstones.clone())
        };
        let mut census =
            Census { unsealed: self.stats().hot_rows, damage: self.health().damage, ..Census::default() };
        census.count(blocks.metas(), &tombstones);
        let log_dir = join(&shared.dir, &["log", &shared.config.tenant]);
        census.count_log(&*shared.fs, &log_dir).map_err(|error| open::failed(&shared.dir, &error))?;
        Ok(census)
    }
}

/// Counts what a closed store holds. Reads its descriptions and its log, not its rows.
pub fn census_closed(dir: &Path, tenant: &str) -> Result<Census, StoreError> {
    census_closed_on(&(Arc::new(StdFs) as Arc<dyn Fs>), dir, tenant)
        .map_err(|error| open::failed(dir, &error))
}

fn census_closed_on(fs: &Arc<dyn Fs>, dir: &Path, tenant: &str) -> io::Result<Census> {
    let _lock = walk::claim(&**fs, dir)?;
    let mut census = Census::default();
    let mut tombstones = Tombstones::default();
    let mut metas: Vec<BlockMeta> = Vec::new();
    for block in walk::blocks(&**fs, dir, tenant)?.iter().filter(|block| block.is_finished()) {
        let place = block.relative(tenant);
        match read_meta(&**fs, &block.dir)? {
            Ok(meta) => {
                if meta.table == Table::Tombstones {
                    match TombstoneBlock::open(&**fs, &block.dir, meta.clone()) {
                        Ok(block) => block.marks.iter().for_each(|mark| tombstones.add(*mark)),
                        Err(error) => census.damage.push(error.to_string()),
                    }
                }
                metas.push(meta);
            }
            Err(error) => census.damage.push(format!("{place}/meta.json: {error}")),
        }
    }
    let replaced: Vec<String> = metas.iter().flat_map(|meta| meta.replaces.clone()).collect();
    metas.retain(|meta| !replaced.contains(&meta.id));
    let last_lsn = metas.iter().map(|meta| meta.last_lsn).max().unwrap_or(0);
    let log_dir = join(dir, &["log", tenant]);
    let replayed = replay(&**fs, &log_dir, last_lsn, |record| {
        let held = metas.iter().any(|meta| (meta.first_lsn..=meta.last_lsn).contains(&record.lsn));
        if !held {
            census.unsealed += 1;
            if record.table == log::Table::Tombstones
                && let Ok(marks) = read_marks(&record.body)
            {
                let marks = marks.into_iter().map(|mark| super::tombstones::Mark { lsn: record.lsn, ..mark });
                marks.for_each(|mark| tombstones.add(mark));
            }
        }
        Ok(())
    })?;
    for damage in &replayed.damage {
        let (first, last, segment) = (damage.first_lsn, damage.last_lsn, damage.segment.display());
        census.damage.push(format!("log records {first} to {last} in {segment} cannot be read"));
    }
    census.count(metas.iter(), &tombstones);
    census.count_log(&**fs, &log_dir)?;
    if metas.is_empty() && census.log_segments == 0 {
        let reason = format!("it holds no store of {tenant:?}; the server's --data-dir is meant");
        return Err(io::Error::new(io::ErrorKind::NotFound, reason));
    }
    Ok(census)
}
