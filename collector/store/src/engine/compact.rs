//! Compaction: small blocks of one day become one, so that a quiet service does not leave a block for every hour. A
//! block of ordinary size is never written again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::replace::{Old, replace};
use super::state::Shared;
use crate::ReadCtx;
use crate::block::Block;
use crate::block::sorted::Gathered;
use crate::block::write::{NewBlock, span_block};
use crate::budget::Budget;
use crate::hot::Placed;

/// A block with fewer rows is small.
const SMALL_ROWS: u64 = 8_192;
/// Most rows that are put together at once: they are in memory for a moment.
const ROWS_MAX: u64 = 65_536;

/// Puts small blocks together where one day has `compact_blocks` of them; deleted rows are left out. A block that cannot
/// be read is left alone.
pub(super) fn compact(shared: &Shared) -> io::Result<()> {
    let Some(small) = due(shared) else { return Ok(()) };
    let (budget, _cancel) = Budget::new(&unhurried(), &shared.clock);
    let hidden = shared.state.read().tombstones.clone();
    let (mut rows, mut gone) = (Vec::new(), 0);
    for block in &small {
        let read = block.scan(&budget, |part| {
            let known = rows.len() + part.len();
            rows.extend(part.into_iter().filter(|placed| !hidden.hides(placed.row.trace_id, placed.lsn)));
            gone += (known - rows.len()) as u64;
            Ok(())
        });
        if let Err(error) = read {
            tracing::warn!(block = block.name(), %error, "a block is left out of compaction");
            return Ok(());
        }
    }
    let new = if rows.is_empty() { None } else { Some(merge(&small, rows)?) };
    if replace(shared, small.into_iter().map(Old::from).collect(), new)? {
        shared.counters.deleted_rows.fetch_add(gone, Ordering::Relaxed);
    }
    Ok(())
}

/// Reads that nobody waits for.
pub(crate) fn unhurried() -> ReadCtx {
    ReadCtx {
        timeout: std::time::Duration::MAX,
        rows_max: u64::MAX,
        bytes_max: u64::MAX,
        ..ReadCtx::default()
    }
}

/// The small blocks of a day that has enough of them, oldest log records first.
fn due(shared: &Shared) -> Option<Vec<Arc<Block>>> {
    let blocks = shared.state.read().blocks.clone();
    let mut small: Vec<&Arc<Block>> =
        blocks.spans.iter().filter(|block| block.meta.rows < SMALL_ROWS).collect();
    small.sort_by_key(|block| (&block.meta.day, block.meta.first_lsn));
    let day = small
        .chunk_by(|a, b| a.meta.day == b.meta.day)
        .find(|of_day| of_day.len() >= shared.config.compact_blocks.max(2))?;
    let mut rows = 0;
    let fitting = day.iter().take_while(|block| {
        rows += block.meta.rows;
        rows <= ROWS_MAX
    });
    Some(fitting.map(|block| Arc::clone(block)).collect())
}

/// The rows as one block of the same day; exact duplicates of a trace become one.
fn merge(small: &[Arc<Block>], rows: Vec<Placed>) -> io::Result<NewBlock> {
    let first_lsn = small.iter().map(|block| block.meta.first_lsn).min().unwrap_or(0);
    let last_lsn = small.iter().map(|block| block.meta.last_lsn).max().unwrap_or(0);
    let day = small.first().map(|block| block.meta.day.clone()).unwrap_or_default();
    let rows = Gathered::distinct(rows);
    span_block(day, (first_lsn, last_lsn), &rows.sorted()).map_err(io::Error::other)
}
