//! All rows of a store, out of it: what is in blocks, then what is in memory, some at a time.

use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tracepact_base::ErrorKind;
use tracepact_model::Span;

use super::Engine;
use crate::block::columns::{Sealed, to_batch};
use crate::block::schema::schema;
use crate::budget::Budget;
use crate::hot::Placed;
use crate::{Completeness, ReadCtx, StoreError};

/// What an export passed on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// Rows.
    pub rows: u64,
    /// What could not be read.
    pub completeness: Completeness,
}

/// A row on its way out, with its place in the order of arrival.
#[derive(Debug, Clone)]
pub struct ExportRow {
    pub(crate) placed: Placed,
}

impl ExportRow {
    /// The row.
    pub fn span(&self) -> &Span {
        &self.placed.row
    }
}

impl Engine {
    /// Gives every stored row that started within the window (a row without a start: that was received within it) to
    /// `each`, thousands at a time: block by block, then those in memory; deleted ones are left out. Damaged blocks are
    /// passed over and named. Blocks the thread.
    pub fn export(
        &self,
        start_ns: u64,
        end_ns: u64,
        mut each: impl FnMut(Vec<ExportRow>) -> Result<(), StoreError>,
    ) -> Result<Exported, StoreError> {
        let everything = ReadCtx {
            timeout: std::time::Duration::MAX,
            rows_max: u64::MAX,
            bytes_max: u64::MAX,
            ..ReadCtx::default()
        };
        let (budget, _cancel) = Budget::new(&everything, &self.shared.clock);
        let snapshot = self.shared.snapshot(&budget);
        let mut rows = 0;
        let mut damaged = snapshot.seen.lost.clone();
        let wanted = |placed: &Placed| {
            let at = placed.row.start_ns.unwrap_or(placed.received_at_ns);
            (start_ns..=end_ns).contains(&at)
                && !snapshot.seen.tombstones.hides(placed.row.trace_id, placed.lsn)
        };
        // An error of `each` ends the export; damage of a block only that block.
        let mut refused = None;
        let mut pass = |placed: Vec<Placed>| {
            let out: Vec<ExportRow> =
                placed.into_iter().filter(wanted).map(|placed| ExportRow { placed }).collect();
            rows += out.len() as u64;
            if out.is_empty() { Ok(()) } else { each(out) }
        };
        for part in &snapshot.span_blocks {
            let read = part
                .block
                .scan(&budget, |placed| pass(placed).inspect_err(|error| refused = Some(error.clone())));
            match (read, refused.take()) {
                (_, Some(error)) => return Err(error),
                (Err(error), None) if error.kind == ErrorKind::Corrupt => damaged.push(part.block.name()),
                (Err(error), None) => return Err(error),
                (Ok(()), None) => {}
            }
        }
        for chunk in snapshot.hot.chunks() {
            let (lsn, received_at_ns) = (chunk.lsn, chunk.received_at_ns);
            let placed = (0u32..).zip(&chunk.rows).map(|(position, row)| Placed {
                lsn,
                position,
                received_at_ns,
                row: row.clone(),
            });
            pass(placed.collect())?;
        }
        let completeness = if damaged.is_empty() {
            Completeness::Complete
        } else {
            Completeness::Damaged { blocks: damaged }
        };
        Ok(Exported { rows, completeness })
    }
}

/// Rows into one Parquet file with the columns of a block.
#[derive(Debug)]
pub struct ParquetFile {
    writer: ArrowWriter<std::fs::File>,
}

impl ParquetFile {
    /// Creates the file; one that is there already is not touched.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        let level = ZstdLevel::try_new(3).map_err(std::io::Error::other)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by(format!("tracepact {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema()), Some(properties));
        Ok(Self { writer: writer.map_err(std::io::Error::other)? })
    }

    /// Appends rows.
    pub fn write(&mut self, rows: &[ExportRow]) -> std::io::Result<()> {
        let sealed: Vec<Sealed<'_>> = rows.iter().map(|row| super::purge::sealed(&row.placed)).collect();
        let batch = to_batch(&sealed).map_err(std::io::Error::other)?;
        self.writer.write(&batch).map_err(std::io::Error::other)
    }

    /// Writes the footer and makes the file durable.
    pub fn finish(self) -> std::io::Result<()> {
        let file = self.writer.into_inner().map_err(std::io::Error::other)?;
        file.sync_all()
    }
}
