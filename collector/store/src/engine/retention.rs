//! Dropping what is too old or too much, and saying what was dropped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::clock_watch::Wall;
use super::leaving::{leave, sweep};
use super::state::{Shared, State};
use crate::block::{Block, BlockMeta, Table};

/// Drops blocks by age, then by bytes, oldest day first.
pub(super) fn expire(shared: &Shared) {
    let config = &shared.config;
    let mut dropped = trusted_now(shared).map_or_else(Vec::new, |now_ns| expire_by_age(shared, now_ns));
    if let Some(max) = config.disk_bytes_max {
        dropped.extend(expire_by_bytes(shared, max));
    }
    for Dropped { meta, dir, spans, why } in dropped {
        tracing::info!(
            block = %dir.display(), rows = meta.rows, bytes = meta.bytes(), from_ns = meta.min_ns, to_ns = meta.max_ns,
            "retention dropped a block {why}"
        );
        if meta.table == Table::Spans {
            shared.counters.expired_rows.fetch_add(meta.rows, Ordering::Relaxed);
            shared.counters.expired_until_ns.fetch_max(meta.max_ns, Ordering::Relaxed);
        }
        shared.counters.expired_blocks.fetch_add(1, Ordering::Relaxed);
        leave(shared, dir, spans);
    }
    sweep(shared);
}

/// A block that retention took.
struct Dropped {
    meta: BlockMeta,
    dir: PathBuf,
    spans: Option<Arc<Block>>,
    why: &'static str,
}

/// The wall clock, unless it jumped forward not long ago.
fn trusted_now(shared: &Shared) -> Option<u64> {
    let now_ns = shared.clock.now_ns();
    match shared.clock_watch.lock().look(now_ns, shared.clock.monotonic_ns()) {
        Wall::Trusted => Some(now_ns),
        Wall::Held => None,
        Wall::Jumped(by_ns) => {
            tracing::warn!(
                by_s = by_ns / 1_000_000_000,
                "the clock jumped forward: nothing is dropped by age for an hour, or until it is set back"
            );
            None
        }
    }
}

fn expire_by_age(shared: &Shared, now_ns: u64) -> Vec<Dropped> {
    let before =
        |keep: std::time::Duration| now_ns.saturating_sub(u64::try_from(keep.as_nanos()).unwrap_or(u64::MAX));
    let config = &shared.config;
    let limits = [
        (Table::Spans, before(config.spans_retention)),
        (Table::Series, before(config.series_retention)),
        (Table::Events, before(config.events_retention)),
        (Table::Red, before(config.series_retention)),
    ];
    let too_old = |meta: &BlockMeta| {
        limits.iter().any(|(table, before_ns)| *table == meta.table && newest_ns(meta) < *before_ns)
    };
    let mut state = shared.state.write();
    state.series.expire(limits[1].1);
    state.events.expire(limits[2].1);
    take(&mut state, "by age", &too_old)
}

fn expire_by_bytes(shared: &Shared, max: u64) -> Vec<Dropped> {
    let mut dropped = Vec::new();
    let mut state = shared.state.write();
    let mut bytes: u64 = state.blocks.metas().map(BlockMeta::bytes).sum();
    while bytes > max {
        // Series and events are small and answer for longer: spans go first.
        let spans = state.blocks.spans.iter().map(|block| &block.meta);
        let Some(oldest) = spans.min_by_key(|meta| (&meta.day, &meta.id)) else { break };
        let (id, size) = (oldest.id.clone(), oldest.bytes());
        dropped.extend(take(&mut state, "by the bound on bytes", &|meta| meta.id == id));
        bytes = bytes.saturating_sub(size);
    }
    dropped
}

/// When the newest row of a block was; rows without a start count as their block's day.
fn newest_ns(meta: &BlockMeta) -> u64 {
    if meta.max_ns > 0 {
        return meta.max_ns;
    }
    tracepact_base::time_format::from_rfc3339(&format!("{}T23:59:59Z", meta.day)).unwrap_or(0)
}

fn take(state: &mut State, why: &'static str, drop: &dyn Fn(&BlockMeta) -> bool) -> Vec<Dropped> {
    let mut dropped = Vec::new();
    if state.blocks.metas().any(drop) {
        let mut keep = |meta: &BlockMeta, dir: &Path, spans: Option<&Arc<Block>>| {
            let gone = drop(meta);
            if gone {
                let (meta, dir, spans) = (meta.clone(), dir.to_owned(), spans.cloned());
                dropped.push(Dropped { meta, dir, spans, why });
            }
            !gone
        };
        state.change_blocks(|blocks| {
            blocks.spans.retain(|block| keep(&block.meta, &block.dir, Some(block)));
            blocks.series.retain(|block| keep(&block.meta, &block.dir, None));
            blocks.events.retain(|block| keep(&block.meta, &block.dir, None));
            blocks.red.retain(|block| keep(&block.meta, &block.dir, None));
        });
    }
    dropped
}
