//! Taking deleted rows off the disk: blocks that hold some are written anew without them, then the tombstones go.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracepact_analysis::Exemplar;
use tracepact_base::TraceId;

use super::blocks::{EVENTS_FILE, read_events};
use super::compact::unhurried;
use super::leaving::sweep;
use super::replace::{Old, replace};
use super::state::Shared;
use super::tombstones::Tombstones;
use crate::StoreError;
use crate::block::sorted::Gathered;
use crate::block::write::{self, NewBlock, span_block};
use crate::block::{Block, BlockMeta, Table};
use crate::budget::Budget;
use crate::hot::Placed;
use crate::red::{self, RedBlock};

/// Rewrites every block with deleted rows, then forgets the deletions that are in blocks of their own. Those that are
/// still in the log stay until their log is sealed. A block that cannot be rewritten keeps them all; it is tried again.
pub(super) fn purge(shared: &Shared) -> io::Result<()> {
    let (blocks, tombstones) = {
        let state = shared.state.read();
        (state.blocks.clone(), state.tombstones.clone())
    };
    if tombstones.len() == 0 {
        return Ok(());
    }
    for block in &blocks.spans {
        rewrite_spans(shared, block, &tombstones).map_err(io::Error::other)?;
    }
    for block in &blocks.events {
        let events = read_events(&*shared.fs, &block.dir, &block.meta)?;
        let known = events.len();
        let last_lsn = block.meta.last_lsn;
        let kept: Vec<_> =
            events.into_iter().filter(|event| !tombstones.hide_event(event, last_lsn)).collect();
        if kept.len() < known {
            let new = if kept.is_empty() { None } else { Some(event_block(&block.meta, &kept)?) };
            if replace(shared, vec![Old::from(&**block)], new)? {
                shared.counters.rewritten_blocks.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    for block in &blocks.red {
        forget_exemplars(shared, block, &tombstones)?;
    }
    drop(blocks);
    if sweep(shared) {
        retire(shared)?;
    }
    Ok(())
}

fn rewrite_spans(shared: &Shared, block: &Arc<Block>, tombstones: &Tombstones) -> Result<(), StoreError> {
    let (budget, _cancel) = Budget::new(&unhurried(), &shared.clock);
    let first_lsn = block.meta.first_lsn;
    if !block.entries(&budget)?.iter().any(|(id, _)| tombstones.hides(*id, first_lsn)) {
        return Ok(());
    }
    let mut kept: Vec<Placed> = Vec::new();
    block.scan(&budget, |rows| {
        kept.extend(rows.into_iter().filter(|placed| !tombstones.hides(placed.row.trace_id, placed.lsn)));
        Ok(())
    })?;
    let gone = block.meta.rows - kept.len() as u64;
    if gone == 0 {
        return Ok(());
    }
    let failed = |error: &dyn std::fmt::Display| {
        let reason = format!("block {} could not be written without deleted rows: {error}", block.name());
        StoreError::new(tracepact_base::ErrorKind::Unavailable, reason)
    };
    let new = if kept.is_empty() {
        None
    } else {
        let lsns = (block.meta.first_lsn, block.meta.last_lsn);
        let rows = Gathered::of(kept);
        Some(span_block(block.meta.day.clone(), lsns, &rows.sorted()).map_err(|error| failed(&error))?)
    };
    if replace(shared, vec![Old::from(block.clone())], new).map_err(|error| failed(&error))? {
        shared.counters.rewritten_blocks.fetch_add(1, Ordering::Relaxed);
        shared.counters.deleted_rows.fetch_add(gone, Ordering::Relaxed);
    }
    Ok(())
}

/// Writes counts anew without the exemplars of deleted traces.
fn forget_exemplars(shared: &Shared, block: &RedBlock, tombstones: &Tombstones) -> io::Result<()> {
    let mut minutes = RedBlock::read(&*shared.fs, &block.dir, &block.meta)?;
    let deleted = |exemplar: &Exemplar| {
        TraceId::new(exemplar.trace_id).is_some_and(|id| tombstones.hides(id, exemplar.lsn))
    };
    let known = minutes.values_mut().fold(false, |found, counts| counts.forget(deleted) | found);
    if !known {
        return Ok(());
    }
    let old = &block.meta;
    let new = NewBlock {
        table: Table::Red,
        day: old.day.clone(),
        first_lsn: old.first_lsn,
        last_lsn: old.last_lsn,
        rows: old.rows,
        traces: 0,
        min_ns: old.min_ns,
        max_ns: old.max_ns,
        index: None,
        files: vec![(red::FILE, red::encode(&minutes)?)],
        replaces: Vec::new(),
    };
    replace(shared, vec![Old::from(block)], Some(new)).map(|_| ())
}

fn event_block(old: &BlockMeta, events: &[tracepact_base::Event]) -> io::Result<NewBlock> {
    let json = serde_json::to_vec(events).map_err(io::Error::other)?;
    let times = || events.iter().map(|event| event.at_ns);
    Ok(NewBlock {
        table: Table::Events,
        day: old.day.clone(),
        first_lsn: old.first_lsn,
        last_lsn: old.last_lsn,
        rows: events.len() as u64,
        traces: 0,
        min_ns: times().min().unwrap_or(0),
        max_ns: times().max().unwrap_or(0),
        index: None,
        files: vec![(EVENTS_FILE, zstd::bulk::compress(&json, 3)?)],
        replaces: Vec::new(),
    })
}

/// Forgets the tombstones whose rows are all gone: those in blocks, unless rows as old are still being sealed.
///
/// A log segment whose removal is not on disk yet may come back after a power loss with rows that no block holds any
/// more. It brings their tombstones along: the segments before it were gone for good when its successor was created.
fn retire(shared: &Shared) -> io::Result<()> {
    let mut gone = Vec::new();
    {
        let mut state = shared.state.write();
        let oldest = state
            .sealing
            .iter()
            .chain([&state.active])
            .filter_map(|generation| generation.held().lsns)
            .map(|(first, _)| first)
            .min();
        let done = |meta: &BlockMeta| oldest.is_none_or(|lsn| meta.last_lsn < lsn);
        let mut tombstones = Tombstones::clone(&state.tombstones);
        for block in state.blocks.tombstones.iter().filter(|block| done(&block.meta)) {
            block.marks.iter().for_each(|mark| tombstones.remove(mark));
            gone.push(block.dir.clone());
        }
        if gone.is_empty() {
            return Ok(());
        }
        state.change_blocks(|blocks| blocks.tombstones.retain(|block| !done(&block.meta)));
        state.tombstones = Arc::new(tombstones);
    }
    gone.iter().try_for_each(|dir| write::remove(&*shared.fs, dir))
}
