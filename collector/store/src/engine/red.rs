//! Rate, errors and durations out, and in for requests none of whose spans is kept.

use std::io;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracepact_analysis::{Dimension, RedCounts, RedKey, RedRow};
use tracepact_base::{ErrorKind, TraceId};

use super::Engine;
use super::append::Label;
use super::replace::{Old, replace};
use super::state::Shared;
use crate::block::Table;
use crate::block::write::NewBlock;
use crate::budget::Budget;
use crate::hot::HotRows;
use crate::red::{Counted, FILE, Minutes, RedBlock, encode, minute_of, rows, window_ns};
use crate::{Completeness, ReadCtx, RedAnswer, RedQuery, RedStore, StoreError, log};

impl RedStore for Engine {
    fn red(&self, query: RedQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<RedAnswer, StoreError>> {
        async move {
            let (budget, _cancel) = Budget::new(&ctx, &self.shared.clock);
            let shared = self.shared.clone();
            self.reads.run(move || select(&shared, &query, &budget)).await?
        }
        .boxed()
    }
}

impl Engine {
    /// Keeps counts of spans that are not kept themselves; resolves after the sync.
    pub(super) async fn count_only(&self, counts: RedCounts, received_at_ns: u64) -> Result<u64, StoreError> {
        let minutes = Minutes::from([(minute_of(received_at_ns), counts.clone())]);
        let body = encode(&minutes).map_err(|error| {
            StoreError::new(ErrorKind::Internal, format!("counts cannot be written: {error}"))
        })?;
        let label = Label { table: log::Table::Counts, codec: 0, received_at_ns, rejected: Vec::new() };
        let counted = Counted { body: None, counts };
        self.log_body(label, body.into(), HotRows::Counts(Box::new(counted), received_at_ns)).await
    }
}

/// A block with fewer bytes is small.
const SMALL_BYTES: u64 = 256 << 10;

/// Puts small blocks of counts together where one day has twice `compact_blocks` of them: every seal leaves one. One that
/// cannot be read is left alone, and so are the others of its day.
pub(super) fn compact(shared: &Shared) -> io::Result<()> {
    let enough = shared.config.compact_blocks.max(2) * 2;
    let blocks = shared.state.read().blocks.clone();
    let mut small: Vec<_> = blocks.red.iter().filter(|block| block.meta.bytes() < SMALL_BYTES).collect();
    small.sort_by_key(|block| (&block.meta.day, block.meta.first_lsn));
    let Some(of_day) = small.chunk_by(|a, b| a.meta.day == b.meta.day).find(|of_day| of_day.len() >= enough)
    else {
        return Ok(());
    };
    let of_day = &of_day[..enough];
    let mut minutes = Minutes::new();
    for block in of_day {
        match RedBlock::read(&*shared.fs, &block.dir, &block.meta) {
            Ok(read) => {
                read.iter().for_each(|(minute, counts)| minutes.entry(*minute).or_default().merge(counts));
            }
            Err(error) => {
                tracing::warn!(block = %block.dir.display(), %error, "counts are left out of compaction");
                return Ok(());
            }
        }
    }
    let (min_ns, max_ns) = window_ns(&minutes);
    let new = NewBlock {
        table: Table::Red,
        day: of_day[0].meta.day.clone(),
        first_lsn: of_day.iter().map(|block| block.meta.first_lsn).min().unwrap_or(0),
        last_lsn: of_day.iter().map(|block| block.meta.last_lsn).max().unwrap_or(0),
        rows: rows(&minutes),
        traces: 0,
        min_ns,
        max_ns,
        index: None,
        files: vec![(FILE, encode(&minutes)?)],
        replaces: Vec::new(),
    };
    replace(shared, of_day.iter().map(|block| Old::from(&***block)).collect(), Some(new)).map(|_| ())
}

fn select(shared: &Shared, query: &RedQuery, budget: &Budget) -> Result<RedAnswer, StoreError> {
    let (first, last) = (minute_of(query.start_ns), minute_of(query.end_ns));
    let service = query.service.as_deref().map(str::to_lowercase);
    let named = |name: &str| service.as_deref().is_none_or(|wanted| name.to_lowercase() == wanted);
    let wanted = |key: &RedKey| {
        key.dimension == query.dimension
            && (service.is_none() || !key.other)
            && (named(&key.service) || key.dimension == Dimension::Edge && named(&key.name))
    };
    let mut sum = RedCounts::default();
    let mut add = |minutes: &Minutes| {
        if first <= last {
            let rows = minutes.range(first..=last).flat_map(|(_, counts)| counts.rows());
            rows.filter(|(key, _)| wanted(key)).for_each(|(key, row)| sum.add(key, row));
        }
    };
    // What is sealed meanwhile is in one or the other, never in both.
    let (blocks, tombstones, mut damaged, generations) = {
        let state = shared.state.read();
        let generations: Vec<_> = state.sealing.iter().chain([&state.active]).cloned().collect();
        (state.blocks.clone(), state.tombstones.clone(), state.lost_of(Table::Red), generations)
    };
    generations.iter().for_each(|generation| add(generation.read().red()));
    let mut cut = None;
    let inside = |block: &&std::sync::Arc<RedBlock>| {
        minute_of(block.meta.min_ns) <= last && minute_of(block.meta.max_ns) >= first
    };
    for block in blocks.red.iter().filter(inside) {
        budget.check()?;
        if let Err(error) = budget.bytes(block.meta.bytes()) {
            cut = Some(error.reason);
            break;
        }
        match RedBlock::read(&*shared.fs, &block.dir, &block.meta) {
            Ok(minutes) => add(&minutes),
            // Retention, or a rewriting, took it since the list was made: the next question has the new one.
            Err(_) if shared.state.read().blocks.red.iter().all(|known| known.meta.id != block.meta.id) => {
                return Err(StoreError::new(
                    ErrorKind::Unavailable,
                    "counts were rewritten meanwhile: ask again",
                ));
            }
            Err(_) => damaged.push(format!("{}/{}", block.meta.day, block.meta.id)),
        }
    }
    sum.forget(|exemplar| {
        TraceId::new(exemplar.trace_id).is_none_or(|id| tombstones.hides(id, exemplar.lsn))
    });
    let mut rows: Vec<(RedKey, RedRow)> = sum.rows().map(|(key, row)| (key.clone(), row.clone())).collect();
    rows.sort_by(|(a, x), (b, y)| y.durations.count().cmp(&x.durations.count()).then_with(|| a.cmp(b)));
    let completeness = match (damaged.is_empty(), cut) {
        (false, _) => Completeness::Damaged { blocks: damaged },
        (true, Some(limit)) => Completeness::Cut { limit },
        (true, None) => Completeness::Complete,
    };
    Ok(RedAnswer { rows, completeness })
}
