//! All rows of a block, some at a time: for rewriting, checking and exporting.

use tracepact_base::TraceId;

use super::Block;
use super::index::{ENTRY_BYTES, read_entry};
use super::pages::Failure;
use super::rows::RowReader;
use crate::StoreError;
use crate::budget::Budget;
use crate::hot::Placed;

/// Rows in memory at once, and the rest of the last trace.
const ROWS_AT_ONCE: u32 = 8_192;

impl Block {
    /// All traces in the block's order, with the first row of each.
    pub(crate) fn entries(&self, budget: &Budget) -> Result<Vec<(TraceId, u32)>, StoreError> {
        let opened = self.opened(budget)?;
        let bytes = self.part(opened, 0, opened.sections.traces as usize * ENTRY_BYTES, budget)?;
        let entries: Vec<(TraceId, u32)> = bytes
            .chunks_exact(ENTRY_BYTES)
            .map(read_entry)
            .collect::<Result<_, _>>()
            .map_err(|error| self.damaged(error.0))?;
        // Every trace has rows, every row a trace.
        let ends = entries.iter().skip(1).map(|(_, first)| u64::from(*first)).chain([self.meta.rows]);
        let in_order = entries.iter().zip(ends).all(|((_, first), end)| u64::from(*first) < end);
        if !in_order || entries.first().map_or(self.meta.rows, |(_, first)| u64::from(*first)) != 0 {
            return Err(self.damaged("its traces do not have its rows"));
        }
        Ok(entries)
    }

    /// Gives every row to `each`, in the block's order, whole traces at a time.
    pub(crate) fn scan(
        &self,
        budget: &Budget,
        mut each: impl FnMut(Vec<Placed>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let entries = self.entries(budget)?;
        let opened = self.opened(budget)?;
        let all = u32::try_from(self.meta.rows).map_err(|_| self.damaged("it has too many rows"))?;
        let mut rest = entries.as_slice();
        while let Some((_, first)) = rest.first().copied() {
            budget.check()?;
            let (traces, behind) = rest.split_at(rest.partition_point(|(_, row)| row - first < ROWS_AT_ONCE));
            let end = behind.first().map_or(all, |(_, row)| *row);
            let mut rows = Vec::with_capacity((end - first) as usize);
            let reader = RowReader { opened, first, rows: end - first, budget };
            reader.read(traces, &mut rows).map_err(|failure: Failure| self.failed(&*failure))?;
            each(rows)?;
            rest = behind;
        }
        Ok(())
    }

    /// The trace ids that the rows themselves say, of `rows` rows from `first` on.
    pub(crate) fn trace_ids(&self, first: u32, rows: u32, budget: &Budget) -> Result<Vec<u128>, StoreError> {
        let opened = self.opened(budget)?;
        let column = opened.column("trace_id").ok_or_else(|| self.damaged("it has no trace ids"))?;
        column.ids(&opened.rows, first, rows, budget).map_err(|failure: Failure| self.failed(&*failure))
    }
}
