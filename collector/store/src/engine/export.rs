//! All rows of a store, out of it: what is in blocks, then what is in memory, some at a time.

mod parquet;

use tracepact_base::ErrorKind;
use tracepact_base::time_format::from_rfc3339;
use tracepact_model::Span;

use super::Engine;
use super::compact::unhurried;
use crate::budget::Budget;
use crate::hot::Placed;
use crate::{Completeness, StoreError};

pub use self::parquet::ParquetFile;

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
    /// Gives every stored row that started within the window to `each`, thousands at a time: block by block, then those in
    /// memory; deleted ones are left out. A row without a start counts as received, by the day once it is in a block.
    /// Damaged blocks are passed over and named. Blocks the thread.
    pub fn export(
        &self,
        start_ns: u64,
        end_ns: u64,
        mut each: impl FnMut(Vec<ExportRow>) -> Result<(), StoreError>,
    ) -> Result<Exported, StoreError> {
        let (budget, _cancel) = Budget::new(&unhurried(), &self.shared.clock);
        let snapshot = self.shared.snapshot(&budget);
        let mut rows = 0;
        let mut damaged = snapshot.seen.lost.clone();
        let wanted = |placed: &Placed, (from_ns, to_ns): (u64, u64)| {
            let (from_ns, to_ns) = placed.row.start_ns.map_or((from_ns, to_ns), |at| (at, at));
            from_ns <= end_ns
                && to_ns >= start_ns
                && !snapshot.seen.tombstones.hides(placed.row.trace_id, placed.lsn)
        };
        let mut pass = |out: Vec<ExportRow>| {
            rows += out.len() as u64;
            if out.is_empty() { Ok(()) } else { each(out) }
        };
        // An error of `each` ends the export; damage of a block only that block.
        let mut refused = None;
        for part in &snapshot.span_blocks {
            let day = day_window(&part.block.meta.day);
            let read = part.block.scan(&budget, |placed| {
                let placed = placed.into_iter().filter(|placed| wanted(placed, day));
                pass(placed.map(|placed| ExportRow { placed }).collect())
                    .inspect_err(|error| refused = Some(error.clone()))
            });
            match (read, refused.take()) {
                (_, Some(error)) => return Err(error),
                (Err(error), None) if error.kind == ErrorKind::Corrupt => damaged.push(part.block.name()),
                (Err(error), None) => return Err(error),
                (Ok(()), None) => {}
            }
        }
        for part in &snapshot.hot {
            part.scan(|placed| {
                let placed = placed.into_iter().filter(|(placed, at_ns)| wanted(placed, (*at_ns, *at_ns)));
                pass(placed.map(|(placed, _)| ExportRow { placed }).collect())
            })?;
        }
        let completeness = if damaged.is_empty() {
            Completeness::Complete
        } else {
            Completeness::Damaged { blocks: damaged }
        };
        Ok(Exported { rows, completeness })
    }
}

/// The UTC day of a block.
fn day_window(day: &str) -> (u64, u64) {
    let at = |time: &str| from_rfc3339(&format!("{day}T{time}Z"));
    (at("00:00:00").unwrap_or(0), at("23:59:59.999999999").unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_its_last_nanosecond() {
        let (first, last) = day_window("2026-11-21");
        assert_eq!((first % 86_400_000_000_000, last - first), (0, 86_399_999_999_999));
    }
}
