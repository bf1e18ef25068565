//! Every block: its files against their checksums, its index against its rows.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tracepact_base::SystemClock;

use super::super::blocks::read_events;
use super::super::compact::unhurried;
use super::super::tombstones::TombstoneBlock;
use super::super::walk::{self, BlockDir};
use super::{CheckReport, word};
use crate::StoreError;
use crate::block::meta::MetaError;
use crate::block::{Block, BlockMeta, Table};
use crate::budget::Budget;
use crate::fs::{Fs, read_all};
use crate::red::RedBlock;
use crate::series_block::SeriesBlock;

const META_BYTES_MAX: u64 = 1 << 20;

/// Reads `meta.json` of a block.
pub(in crate::engine) fn read_meta(fs: &dyn Fs, dir: &Path) -> io::Result<Result<BlockMeta, MetaError>> {
    Ok(BlockMeta::read(&read_all(fs, &dir.join("meta.json"), META_BYTES_MAX)?))
}

/// Checks all blocks; answers the highest LSN in any.
pub(super) fn check(
    fs: &Arc<dyn Fs>,
    dirs: &[BlockDir],
    tenant: &str,
    report: &mut CheckReport,
) -> io::Result<u64> {
    let mut metas = Vec::new();
    for block in dirs {
        let place = block.relative(tenant);
        if !block.is_finished() {
            report.notes.push(format!("{place} was never finished; the next start removes it"));
            continue;
        }
        match read_meta(&**fs, &block.dir)? {
            Ok(meta) => metas.push((block, meta)),
            Err(error) => {
                let lost = format!("all {} of the block: nothing says what they were", word(block.table));
                report.damaged(format!("{place}/meta.json"), error.to_string(), lost);
            }
        }
    }
    let replaced: Vec<String> = metas.iter().flat_map(|(_, meta)| meta.replaces.clone()).collect();
    let mut last_lsn = 0;
    for (block, meta) in metas {
        let place = block.relative(tenant);
        if replaced.contains(&meta.id) {
            report.notes.push(format!("{place} was replaced by a newer block; the next start removes it"));
            continue;
        }
        last_lsn = last_lsn.max(meta.last_lsn);
        report.blocks += 1;
        check_one(fs, block, meta, &place, report)?;
    }
    Ok(last_lsn)
}

fn check_one(
    fs: &Arc<dyn Fs>,
    block: &BlockDir,
    meta: BlockMeta,
    place: &str,
    report: &mut CheckReport,
) -> io::Result<()> {
    let damaged_before = report.damage.len();
    for (name, wanted) in &meta.files {
        let what = match walk::read_pieces(&**fs, &block.dir.join(name), |_| Ok(())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => "it is missing".to_owned(),
            Err(error) => error.to_string(),
            Ok(found) => {
                report.bytes += found.bytes;
                if found == *wanted {
                    continue;
                }
                if found.bytes == wanted.bytes {
                    "its checksum does not hold".to_owned()
                } else {
                    format!("it has {} bytes, {} were written", found.bytes, wanted.bytes)
                }
            }
        };
        report.damaged(format!("{place}/{name}"), what, lost(&meta, name));
    }
    // What the files say together; one whose checksum does not hold is named already.
    let whole = report.damage.len() == damaged_before;
    let inside = match meta.table {
        Table::Spans => {
            report.rows += meta.rows;
            check_spans(fs, block, &meta)
        }
        Table::Series => check_series(fs, block, &meta),
        Table::Events => read_events(&**fs, &block.dir, &meta)
            .map(|_| ())
            .map_err(|error| ("events.json.zst", error.to_string())),
        Table::Red => RedBlock::read(&**fs, &block.dir, &meta)
            .map(|_| ())
            .map_err(|error| (crate::red::FILE, error.to_string())),
        Table::Tombstones => match TombstoneBlock::open(&**fs, &block.dir, meta.clone()) {
            Ok(block) => {
                report.tombstones += block.marks.len() as u64;
                Ok(())
            }
            Err(error) => Err(("tombstones.bin", error.to_string())),
        },
    };
    if let (true, Err((name, what))) = (whole, inside) {
        report.damaged(format!("{place}/{name}"), what, lost(&meta, name));
    }
    Ok(())
}

/// What cannot be read without a file.
fn lost(meta: &BlockMeta, name: &str) -> String {
    let (rows, what, day) = (meta.rows, word(meta.table), &meta.day);
    match (meta.table, name) {
        (Table::Spans, "spans.parquet") => {
            format!(
                "those of {rows} spans in {} traces of {day} that stand in the damaged parts",
                meta.traces
            )
        }
        (Table::Spans, _) => format!(
            "searches and lookups in {rows} spans in {} traces of {day}; spans.parquet itself may be whole",
            meta.traces
        ),
        (Table::Tombstones, _) => {
            format!("which {rows} traces were deleted: the store does not open, since they would show")
        }
        _ => format!("{rows} {what} of {day}"),
    }
}

type Inside = Result<(), (&'static str, String)>;

/// The index against the rows.
fn check_spans(fs: &Arc<dyn Fs>, block: &BlockDir, meta: &BlockMeta) -> Inside {
    let open = Block::new(fs.clone(), &block.dir, meta.clone());
    let (budget, _cancel) = Budget::new(&unhurried(), &SystemClock::shared());
    let in_index = |error: StoreError| ("index.bin", error.reason);
    // Its traces have all of its rows, or this fails.
    let traces = open.entries(&budget).map_err(in_index)?;
    open.traces(&budget).map_err(in_index)?;
    open.names(&budget).map_err(in_index)?;
    if traces.len() as u64 != meta.traces {
        return Err(("index.bin", format!("it knows {} traces, meta.json {}", traces.len(), meta.traces)));
    }
    let mut wrong = None;
    open.scan(&budget, |rows| {
        let first = rows.first().map_or(0, |placed| placed.position);
        let said = open.trace_ids(first, rows.len() as u32, &budget)?;
        for (placed, said) in rows.iter().zip(said) {
            if !(meta.first_lsn..=meta.last_lsn).contains(&placed.lsn) {
                wrong = Some("a row is of a log record that the block does not name".to_owned());
            }
            if placed.row.trace_id.as_u128() != said {
                wrong =
                    Some(format!("its rows of trace {} are not where the index says", placed.row.trace_id));
            }
        }
        Ok(())
    })
    .map_err(|error| ("spans.parquet", error.reason))?;
    wrong.map_or(Ok(()), |wrong| Err(("spans.parquet", wrong)))
}

fn check_series(fs: &Arc<dyn Fs>, block: &BlockDir, meta: &BlockMeta) -> Inside {
    let named = |error: StoreError| ("points.bin", error.reason);
    let open = SeriesBlock::open(fs.clone(), &block.dir, meta.clone()).map_err(named)?;
    open.runs().try_for_each(|run| open.points(&run.key, 0, u64::MAX).map(|_| ()).map_err(named))
}
