//! Dropping what is too old or too much, and saying what was dropped.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::state::Shared;
use crate::block::{BlockMeta, Table, write};

/// Drops blocks by age, then by bytes, oldest day first.
pub(super) fn expire(shared: &Shared) {
    let now_ns = shared.clock.now_ns();
    let before =
        |keep: std::time::Duration| now_ns.saturating_sub(u64::try_from(keep.as_nanos()).unwrap_or(u64::MAX));
    let config = &shared.config;
    let limits = [
        (Table::Spans, before(config.spans_retention)),
        (Table::Series, before(config.series_retention)),
        (Table::Events, before(config.events_retention)),
    ];
    let too_old = |meta: &BlockMeta| {
        limits.iter().any(|(table, before_ns)| *table == meta.table && newest_ns(meta) < *before_ns)
    };
    let dropped = {
        let mut state = shared.state.write();
        state.series.expire(limits[1].1);
        state.events.expire(limits[2].1);
        let mut dropped = take(&mut state, &too_old);
        if let Some(max) = config.disk_bytes_max {
            let mut bytes: u64 = state.blocks.metas().map(BlockMeta::bytes).sum();
            while bytes > max {
                // Series and events are small and answer for longer: spans go first.
                let Some(oldest) = state
                    .blocks
                    .spans
                    .iter()
                    .map(|block| &block.meta)
                    .min_by_key(|meta| (&meta.day, &meta.id))
                else {
                    break;
                };
                let (id, size) = (oldest.id.clone(), oldest.bytes());
                dropped.extend(take(&mut state, &|meta| meta.id == id));
                bytes = bytes.saturating_sub(size);
            }
        }
        dropped
    };
    for (dir, meta) in dropped {
        tracing::info!(block = %dir.display(), rows = meta.rows, "dropped a block by retention");
        if meta.table == Table::Spans {
            shared.counters.expired_rows.fetch_add(meta.rows, Ordering::Relaxed);
        }
        shared.counters.expired_blocks.fetch_add(1, Ordering::Relaxed);
        // Files that stay behind are found without meta.json at the next start, or expire again.
        if let Err(error) = write::remove(&*shared.fs, &dir) {
            tracing::warn!(block = %dir.display(), %error, "a dropped block could not be removed");
        }
    }
}

/// When the newest row of a block was; rows without a start count as their block's day.
fn newest_ns(meta: &BlockMeta) -> u64 {
    if meta.max_ns > 0 {
        return meta.max_ns;
    }
    tracepact_base::time_format::from_rfc3339(&format!("{}T23:59:59Z", meta.day)).unwrap_or(0)
}

fn take(state: &mut super::state::State, drop: &dyn Fn(&BlockMeta) -> bool) -> Vec<(PathBuf, BlockMeta)> {
    let mut dropped = Vec::new();
    if state.blocks.metas().any(drop) {
        state.change_blocks(|blocks| {
            blocks.spans.retain(|block| keep(&block.dir, &block.meta, drop, &mut dropped));
            blocks.series.retain(|block| keep(&block.dir, &block.meta, drop, &mut dropped));
            blocks.events.retain(|block: &Arc<_>| keep(&block.dir, &block.meta, drop, &mut dropped));
        });
    }
    dropped
}

fn keep(
    dir: &std::path::Path,
    meta: &BlockMeta,
    drop: &dyn Fn(&BlockMeta) -> bool,
    dropped: &mut Vec<(PathBuf, BlockMeta)>,
) -> bool {
    let gone = drop(meta);
    if gone {
        dropped.push((dir.to_owned(), meta.clone()));
    }
    !gone
}
