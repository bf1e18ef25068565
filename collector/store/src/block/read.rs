//! An open block of spans: looks up traces and terms and reads the rows asked for, and only those.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::PageIndexPolicy;
use roaring::RoaringBitmap;
use tracepact_base::{ErrorKind, TraceId};

use super::columns::from_batch;
use super::file::{BudgetedFile, CheckedFile};
use super::index::{FENCE, Sections, TERM_BYTES, TRACE_BYTES, TermEntry, TraceEntry};
use super::meta::BlockMeta;
use crate::StoreError;
use crate::budget::Budget;
use crate::fs::{Fs, read_all};
use crate::hot::Placed;
use crate::hot::names::NameIndex;
use crate::wire::{Malformed, Take};

/// Longest file of checksums that is read.
const SUMS_BYTES_MAX: u64 = 64 << 20;

/// A published block of spans.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) meta: BlockMeta,
    pub(crate) dir: PathBuf,
    fs: Arc<dyn Fs>,
    opened: OnceLock<Opened>,
}

/// What is kept in memory of a block that was read once.
#[derive(Debug)]
struct Opened {
    rows: CheckedFile,
    index: CheckedFile,
    sections: Sections,
    trace_fences: Vec<u64>,
    term_fences: Vec<u64>,
    parquet: OnceLock<ArrowReaderMetadata>,
}

impl Block {
    pub(crate) fn new(fs: Arc<dyn Fs>, dir: &Path, meta: BlockMeta) -> Self {
        Self { meta, dir: dir.to_owned(), fs, opened: OnceLock::new() }
    }

    /// Directory and id, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.meta.day, self.meta.id)
    }

    fn damaged(&self, what: &str) -> StoreError {
        StoreError::new(ErrorKind::Corrupt, format!("block {}: {what}", self.name()))
    }

    /// Damage and used-up budgets keep their meaning through the readers in between.
    fn failed(&self, error: &(dyn std::error::Error + 'static)) -> StoreError {
        let mut cause = Some(error);
        while let Some(at) = cause {
            if let Some(budget) = at.downcast_ref::<StoreError>() {
                return budget.clone();
            }
            if let Some(io) = at.downcast_ref::<io::Error>()
                && let Some(inner) = io.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>())
            {
                return inner.clone();
            }
            cause = at.source();
        }
        self.damaged(&error.to_string())
    }

    fn opened(&self, budget: &Budget) -> Result<&Opened, StoreError> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self.open(budget)?;
        Ok(self.opened.get_or_init(|| opened))
    }

    fn open(&self, budget: &Budget) -> Result<Opened, StoreError> {
        let sections = self.meta.index.ok_or_else(|| self.damaged("it has no index"))?;
        let sums = read_all(&*self.fs, &self.dir.join("sums.bin"), SUMS_BYTES_MAX)
            .map_err(|error| self.failed(&error))?;
        if self.meta.files.get("sums.bin").map(|file| file.crc32c) != Some(crc32c::crc32c(&sums)) {
            return Err(self.damaged("sums.bin is damaged"));
        }
        let mut take = Take(&sums);
        let mut checked = |name: &str| -> Result<CheckedFile, StoreError> {
            let bad = |error: Malformed| self.damaged(error.0);
            let count = take.u32().map_err(bad)?;
            let sums = (0..count).map(|_| take.u32()).collect::<Result<Vec<_>, _>>().map_err(bad)?;
            let len = self.meta.files.get(name).map(|file| file.bytes);
            Ok(CheckedFile {
                file: self.fs.open(&self.dir.join(name)).map_err(|error| self.failed(&error))?,
                len: len.ok_or_else(|| self.damaged("meta.json names no such file"))?,
                sums: Arc::new(sums),
            })
        };
        let (rows, index) = (checked("spans.parquet")?, checked("index.bin")?);
        let fences = index
            .read(sections.fences_at, index.len.saturating_sub(sections.fences_at) as usize, budget)
            .map_err(|error| self.failed(&error))?;
        let mut fences = fences.as_chunks().0.iter().map(|fence| u64::from_le_bytes(*fence));
        let trace_fences = fences.by_ref().take((sections.traces as usize).div_ceil(FENCE)).collect();
        let term_fences = fences.collect();
        Ok(Opened { rows, index, sections, trace_fences, term_fences, parquet: OnceLock::new() })
    }

    fn part(&self, opened: &Opened, at: u64, len: usize, budget: &Budget) -> Result<Vec<u8>, StoreError> {
        opened.index.read(at, len, budget).map_err(|error| self.failed(&error))
    }

    /// All traces, in their order.
    pub(crate) fn traces(&self, budget: &Budget) -> Result<Vec<TraceEntry>, StoreError> {
        let opened = self.opened(budget)?;
        let bytes = self.part(opened, 0, opened.sections.traces as usize * TRACE_BYTES, budget)?;
        let entries = bytes.chunks_exact(TRACE_BYTES).map(TraceEntry::read).collect::<Result<_, _>>();
        entries.map_err(|error| self.damaged(error.0))
    }

    /// The traces at these places.
    pub(crate) fn traces_at(&self, places: &[u32], budget: &Budget) -> Result<Vec<TraceEntry>, StoreError> {
        let opened = self.opened(budget)?;
        if places.len() * 8 > opened.sections.traces as usize {
            let all = self.traces(budget)?;
            return Ok(places.iter().filter_map(|place| all.get(*place as usize).copied()).collect());
        }
        let one = |place: &u32| {
            let bytes = self.part(opened, u64::from(*place) * TRACE_BYTES as u64, TRACE_BYTES, budget)?;
            TraceEntry::read(&bytes).map_err(|error| self.damaged(error.0))
        };
        places.iter().map(one).collect()
    }

    /// Traces with this low half.
    pub(crate) fn find(&self, id: TraceId, budget: &Budget) -> Result<Vec<TraceEntry>, StoreError> {
        let opened = self.opened(budget)?;
        let (from, to) = fenced(&opened.trace_fences, id.low(), opened.sections.traces as usize);
        let bytes = self.part(opened, (from * TRACE_BYTES) as u64, (to - from) * TRACE_BYTES, budget)?;
        let mut found = Vec::new();
        for entry in bytes.chunks_exact(TRACE_BYTES) {
            if Take(entry).u64() == Ok(id.low()) {
                found.push(TraceEntry::read(entry).map_err(|error| self.damaged(error.0))?);
            }
        }
        Ok(found)
    }

    /// Where a term's traces stand; `None` when no row has it.
    pub(crate) fn term(&self, hash: u64, budget: &Budget) -> Result<Option<TermEntry>, StoreError> {
        let opened = self.opened(budget)?;
        let (from, to) = fenced(&opened.term_fences, hash, opened.sections.terms as usize);
        let terms_at = opened.sections.traces as usize * TRACE_BYTES;
        let bytes =
            self.part(opened, (terms_at + from * TERM_BYTES) as u64, (to - from) * TERM_BYTES, budget)?;
        let found = bytes.chunks_exact(TERM_BYTES).find(|entry| Take(entry).u64() == Ok(hash));
        found.map(TermEntry::read).transpose().map_err(|error| self.damaged(error.0))
    }

    /// Places of a term's traces.
    pub(crate) fn posting(&self, term: TermEntry, budget: &Budget) -> Result<Vec<u32>, StoreError> {
        if term.traces == 1 {
            return Ok(vec![term.place as u32]);
        }
        let opened = self.opened(budget)?;
        let at = opened.sections.postings_at + term.place;
        let len = self.part(opened, at, 4, budget)?;
        let len = Take(&len).u32().map_err(|error| self.damaged(error.0))?;
        let bytes = self.part(opened, at + 4, len as usize, budget)?;
        let bitmap = RoaringBitmap::deserialize_from(&bytes[..]).map_err(|error| self.failed(&error))?;
        Ok(bitmap.iter().collect())
    }

    /// Names seen in the block.
    pub(crate) fn names(&self, budget: &Budget) -> Result<NameIndex, StoreError> {
        let opened = self.opened(budget)?;
        let (from, to) = (opened.sections.names_at, opened.sections.fences_at);
        let bytes = self.part(opened, from, to.saturating_sub(from) as usize, budget)?;
        let json = zstd::stream::decode_all(&bytes[..]).map_err(|error| self.failed(&error))?;
        serde_json::from_slice(&json).map_err(|error| self.failed(&error))
    }

    /// Rows `first..first + count`.
    pub(crate) fn rows(
        &self,
        first: u32,
        count: u32,
        budget: &Budget,
        out: &mut Vec<Placed>,
    ) -> Result<(), StoreError> {
        let opened = self.opened(budget)?;
        let file = BudgetedFile { file: opened.rows.clone(), budget: budget.clone() };
        let metadata = match opened.parquet.get() {
            Some(metadata) => metadata,
            None => {
                let options = ArrowReaderOptions::new()
                    .with_column_index_policy(PageIndexPolicy::Skip)
                    .with_offset_index_policy(PageIndexPolicy::Required);
                let loaded =
                    ArrowReaderMetadata::load(&file, options).map_err(|error| self.failed(&error))?;
                opened.parquet.get_or_init(|| loaded)
            }
        };
        let wanted = u64::from(first)..u64::from(first) + u64::from(count);
        let mut start = 0u64;
        let mut groups = Vec::new();
        let mut selectors: Vec<RowSelector> = Vec::new();
        for (i, group) in metadata.metadata().row_groups().iter().enumerate() {
            let end = start + u64::try_from(group.num_rows()).unwrap_or(0);
            let (from, to) = (wanted.start.max(start), wanted.end.min(end));
            if from < to {
                groups.push(i);
                selectors.push(RowSelector::skip((from - start) as usize));
                selectors.push(RowSelector::select((to - from) as usize));
                selectors.push(RowSelector::skip((end - to) as usize));
            }
            start = end;
        }
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_row_groups(groups)
            .with_row_selection(RowSelection::from(selectors))
            .build()
            .map_err(|error| self.failed(&error))?;
        for batch in reader {
            budget.check()?;
            let batch = batch.map_err(|error| self.failed(&error))?;
            out.extend(from_batch(&batch).map_err(|error| self.damaged(error.0))?);
        }
        Ok(())
    }
}

/// Between which entries a key can stand, given every 64th key.
fn fenced(fences: &[u64], key: u64, entries: usize) -> (usize, usize) {
    let from = fences.partition_point(|fence| *fence < key).saturating_sub(1) * FENCE;
    let to = (fences.partition_point(|fence| *fence <= key) * FENCE).min(entries);
    (from.min(to), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_hold_the_key() {
        // Entries 0..130 with keys 0, 1, 2, … and fences 0, 64, 128.
        let fences = [0, 64, 128];
        for key in 0..130u64 {
            let (from, to) = fenced(&fences, key, 130);
            assert!((from..to).contains(&(key as usize)), "{key} in {from}..{to}");
            assert!(to - from <= 2 * FENCE);
        }
        // Equal keys on both sides of a fence are all inside.
        assert_eq!(fenced(&[1, 5, 5, 9], 5, 256), (0, 192));
        assert_eq!(fenced(&[], 5, 0), (0, 0));
    }
}
