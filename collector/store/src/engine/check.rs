//! Reading everything a closed store holds and naming what is damaged: file, what is wrong, what is lost by it.

pub(super) mod blocks;
mod log;

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tracepact_model::DecodeLimits;

use super::snapshot::Manifest;
use super::{open, walk};
use crate::StoreError;
use crate::block::Table;
use crate::fs::{Fs, StdFs};

/// One damaged file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Its path within the store's directory.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// What cannot be read because of it.
    pub lost: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CheckReport {
    /// Damage; empty for a sound store.
    pub damage: Vec<Finding>,
    /// What is no damage but worth knowing: leftovers of a crash, an unacknowledged tail of the log.
    pub notes: Vec<String>,
    /// Blocks that were read.
    pub blocks: u64,
    /// Span rows in them.
    pub rows: u64,
    /// Log segments that were read.
    pub log_segments: u64,
    /// Log records in them.
    pub log_records: u64,
    /// Deleted traces whose rows are not gone yet.
    pub tombstones: u64,
    /// Bytes of all files that were read.
    pub bytes: u64,
    /// Whether the directory is a snapshot; its list of files was compared.
    pub snapshot: bool,
}

impl CheckReport {
    /// Nothing is damaged.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }

    fn damaged(&mut self, file: impl Into<String>, what: impl Into<String>, lost: impl Into<String>) {
        self.damage.push(Finding { file: file.into(), what: what.into(), lost: lost.into() });
    }
}

/// Checks the store in `dir`, which no server may have open. Reads all of it, changes nothing.
pub fn check(dir: &Path, tenant: &str, limits: &DecodeLimits) -> Result<CheckReport, StoreError> {
    check_on(&(Arc::new(StdFs) as Arc<dyn Fs>), dir, tenant, limits)
}

/// The same on other files.
pub fn check_on(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    tenant: &str,
    limits: &DecodeLimits,
) -> Result<CheckReport, StoreError> {
    check_io(fs, dir, tenant, limits).map_err(|error| open::failed(dir, &error))
}

fn check_io(fs: &Arc<dyn Fs>, dir: &Path, tenant: &str, limits: &DecodeLimits) -> io::Result<CheckReport> {
    let _lock = walk::claim(&**fs, dir)?;
    let mut report = CheckReport::default();
    let dirs = walk::blocks(&**fs, dir, tenant)?;
    let block_lsn = blocks::check(fs, &dirs, tenant, &mut report)?;
    log::check(&**fs, dir, tenant, block_lsn, limits, &mut report)?;
    if dirs.is_empty() && report.log_segments == 0 {
        let reason = format!("it holds no store of {tenant:?}; the server's --data-dir is meant");
        return Err(io::Error::new(io::ErrorKind::NotFound, reason));
    }
    if let Some(manifest) = Manifest::read(&**fs, dir)? {
        compare(&**fs, dir, &manifest, &mut report)?;
    }
    report.damage.sort();
    report.damage.dedup();
    Ok(report)
}

/// Whether a snapshot still holds the files it was made with.
fn compare(fs: &dyn Fs, dir: &Path, manifest: &Manifest, report: &mut CheckReport) -> io::Result<()> {
    report.snapshot = true;
    for (path, wanted) in &manifest.files {
        match walk::read_pieces(fs, &dir.join(path), |_| Ok(())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                report.damaged(path, "it is missing", "what the snapshot held in it");
            }
            Err(error) => report.damaged(path, error.to_string(), "what the snapshot held in it"),
            Ok(found) if (found.bytes, found.crc32c) != (wanted.bytes, wanted.crc32c) => {
                report.damaged(
                    path,
                    "it is not the file that the snapshot was made with",
                    "what was changed in it",
                );
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Number of the newest log record that a closed store holds.
pub(super) fn last_lsn(fs: &dyn Fs, dir: &Path, tenant: &str) -> io::Result<u64> {
    let mut last = 0;
    for block in walk::blocks(fs, dir, tenant)?.iter().filter(|block| block.is_finished()) {
        if let Ok(meta) = blocks::read_meta(fs, &block.dir)? {
            last = last.max(meta.last_lsn);
        }
    }
    let replayed = crate::log::replay(fs, &crate::fs::join(dir, &["log", tenant]), last, |_| Ok(()))?;
    Ok(replayed.next_lsn.saturating_sub(1))
}

/// A table in words.
fn word(table: Table) -> &'static str {
    match table {
        Table::Spans => "spans",
        Table::Series => "points of series",
        Table::Events => "events",
        Table::Tombstones => "deleted traces",
        Table::Red => "counts by minute",
    }
}
