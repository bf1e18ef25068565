//! All rows of a block, some at a time: for rewriting, checking and exporting.

use tracepact_base::ErrorKind;

use super::Block;
use crate::StoreError;
use crate::budget::Budget;
use crate::hot::Placed;

/// Rows in memory at once.
const ROWS_AT_ONCE: u32 = 8_192;

impl Block {
    /// Gives every row to `each`, in the block's order. Fails when fewer can be read than `meta.json` promises.
    pub(crate) fn scan(
        &self,
        budget: &Budget,
        mut each: impl FnMut(Vec<Placed>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let all = u32::try_from(self.meta.rows).unwrap_or(u32::MAX);
        let mut first = 0;
        while first < all {
            let count = ROWS_AT_ONCE.min(all - first);
            let mut rows = Vec::with_capacity(count as usize);
            self.rows(first, count, budget, &mut rows)?;
            if rows.len() != count as usize {
                let reason = format!("block {}: it ends before row {}", self.name(), self.meta.rows);
                return Err(StoreError::new(ErrorKind::Corrupt, reason));
            }
            each(rows)?;
            first += count;
        }
        Ok(())
    }
}
