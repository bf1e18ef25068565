//! An open block of spans: looks up traces and terms and reads the rows asked for, and only those.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use roaring::RoaringBitmap;
use tracepact_base::{ErrorKind, TraceId};
use tracepact_model::columnar::ValueType;

use super::columns::attribute_key;
use super::file::CheckedFile;
use super::index::{ENTRY_BYTES, FENCE, Sections, WIDE_BYTES, few_hash, may_last, read_entry, read_few};
use super::meta::BlockMeta;
use super::pages::{Column, Failure};
use super::parquet_file::take_places;
use super::rows::{RowCache, RowReader};
use crate::StoreError;
use crate::budget::Budget;
use crate::fs::{Fs, read_all};
use crate::hot::Placed;
use crate::hot::names::NameIndex;
use crate::links::TraceCalls;
use crate::part::{TraceTime, Traces};
use crate::wire::{Malformed, Take};

/// Longest file of checksums that is read.
const SUMS_BYTES_MAX: u64 = 64 << 20;

/// A published block of spans.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) meta: BlockMeta,
    pub(crate) dir: PathBuf,
    pub(super) fs: Arc<dyn Fs>,
    opened: OnceLock<Opened>,
    pub(super) links: Mutex<Option<Arc<TraceCalls>>>,
}

/// What is kept in memory of a block that was read once.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) rows: CheckedFile,
    pub(crate) cache: RowCache,
    index: CheckedFile,
    pub(super) sections: Sections,
    entry_fences: Vec<u64>,
    wide_fences: Vec<u64>,
    /// Hash and place of each group of rare terms.
    few_fences: Vec<u64>,
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    attributes: HashMap<(String, ValueType), usize>,
    traces: Mutex<Option<Arc<Traces>>>,
}

impl Opened {
    /// A column of the schema.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(*self.by_name.get(name)?)
    }

    /// The column of an attribute, when it has one.
    pub(crate) fn attribute(&self, key: &str, kind: ValueType) -> Option<&Column> {
        // Few keys, short texts: building the key is cheaper than a second kind of map.
        self.columns.get(*self.attributes.get(&(key.to_owned(), kind))?)
    }
}

impl Block {
    pub(crate) fn new(fs: Arc<dyn Fs>, dir: &Path, meta: BlockMeta) -> Self {
        Self { meta, dir: dir.to_owned(), fs, opened: OnceLock::new(), links: Mutex::new(None) }
    }

    /// Directory and id, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.meta.day, self.meta.id)
    }

    pub(super) fn damaged(&self, what: &str) -> StoreError {
        StoreError::new(ErrorKind::Corrupt, format!("block {}: {what}", self.name()))
    }

    /// Damage and used-up budgets keep their meaning through the readers in between.
    pub(super) fn failed(&self, error: &(dyn std::error::Error + 'static)) -> StoreError {
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

    pub(super) fn opened(&self, budget: &Budget) -> Result<&Opened, StoreError> {
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
        let tail = index
            .read(sections.columns_at, index.len.saturating_sub(sections.columns_at) as usize, budget)
            .map_err(|error| self.failed(&error))?;
        let split = sections.fences_at.saturating_sub(sections.columns_at) as usize;
        let (columns, fences) =
            tail.split_at_checked(split).ok_or_else(|| self.damaged("its index is cut short"))?;
        let columns: Vec<Column> = take_places(columns)
            .map_err(|error| self.damaged(error.0))?
            .into_iter()
            .map(Column::new)
            .collect();
        let mut fences = fences.as_chunks().0.iter().map(|fence| u64::from_le_bytes(*fence));
        let entry_fences = fences.by_ref().take((sections.traces as usize).div_ceil(FENCE)).collect();
        let wide_fences = fences.by_ref().take((sections.wide as usize).div_ceil(FENCE)).collect();
        let few_fences = fences.collect();
        let (mut by_name, mut attributes) = (HashMap::new(), HashMap::new());
        for (i, column) in columns.iter().enumerate() {
            match attribute_key(&column.place.name) {
                Some((key, kind)) => attributes.insert((key.to_owned(), kind), i),
                None => by_name.insert(column.place.name.clone(), i),
            };
        }
        let cache = RowCache::default();
        Ok(Opened {
            rows,
            cache,
            index,
            sections,
            entry_fences,
            wide_fences,
            few_fences,
            columns,
            by_name,
            attributes,
            traces: Mutex::new(None),
        })
    }

    pub(super) fn part(
        &self,
        opened: &Opened,
        at: u64,
        len: usize,
        budget: &Budget,
    ) -> Result<Vec<u8>, StoreError> {
        opened.index.read(at, len, budget).map_err(|error| self.failed(&error))
    }

    /// Number of traces.
    pub(crate) fn trace_count(&self) -> u32 {
        self.meta.index.map_or(0, |sections| sections.traces)
    }

    /// All traces: read once and kept as long as somebody uses them.
    pub(crate) fn traces(&self, budget: &Budget) -> Result<Arc<Traces>, StoreError> {
        let opened = self.opened(budget)?;
        let mut known = opened.traces.lock();
        if let Some(traces) = known.as_ref() {
            return Ok(traces.clone());
        }
        let sections = opened.sections;
        let bytes = self.part(opened, 0, sections.traces as usize * ENTRY_BYTES, budget)?;
        let ids = bytes.chunks_exact(ENTRY_BYTES).map(|entry| read_entry(entry).map(|(id, _)| id));
        let ids = ids.collect::<Result<_, _>>().map_err(|error| self.damaged(error.0))?;
        let bytes = self.part(opened, sections.times_at, sections.traces as usize * 8, budget)?;
        let times = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let traces = Arc::new(Traces::sorted(ids, times));
        *known = Some(traces.clone());
        Ok(traces)
    }

    /// When the trace at a place was.
    pub(crate) fn time(&self, place: u32, budget: &Budget) -> Result<Option<TraceTime>, StoreError> {
        let opened = self.opened(budget)?;
        let bytes = self.part(opened, opened.sections.times_at + u64::from(place) * 8, 8, budget)?;
        let word = Take(&bytes).u64().map_err(|error| self.damaged(error.0))?;
        Ok(TraceTime::from_word(word))
    }

    /// Bytes that [`Self::traces`] keeps.
    pub(crate) fn traces_bytes(&self) -> usize {
        let known = self.opened.get().and_then(|opened| opened.traces.lock().clone());
        known.map_or(0, |traces| traces.bytes())
    }

    /// Whether its index says which services failed in which traces.
    pub(crate) fn knows_failed_services(&self) -> bool {
        self.meta.index.is_some_and(|sections| sections.failed_services)
    }

    /// Forgets what [`Self::traces`] and [`Self::links`] keep.
    pub(crate) fn forget_traces(&self) {
        *self.links.lock() = None;
        if let Some(opened) = self.opened.get() {
            *opened.traces.lock() = None;
        }
    }

    /// The id of one trace, its first row and the row behind its last.
    pub(crate) fn entry(&self, place: u32, budget: &Budget) -> Result<(TraceId, u32, u32), StoreError> {
        let opened = self.opened(budget)?;
        let last = place + 1 >= opened.sections.traces;
        let bytes = ENTRY_BYTES * if last { 1 } else { 2 };
        let bytes = self.part(opened, u64::from(place) * ENTRY_BYTES as u64, bytes, budget)?;
        let read = |entry: &[u8]| read_entry(entry).map_err(|error| self.damaged(error.0));
        let (id, first) = read(&bytes)?;
        let end = match bytes.get(ENTRY_BYTES..) {
            Some(next) if !last => read(next)?.1,
            _ => u32::try_from(self.meta.rows).unwrap_or(u32::MAX),
        };
        Ok((id, first, end))
    }

    /// Places of the traces with this id, or with its low half unless `strict`.
    pub(crate) fn find(&self, id: TraceId, strict: bool, budget: &Budget) -> Result<Vec<u32>, StoreError> {
        let opened = self.opened(budget)?;
        let (from, to) = fenced(&opened.entry_fences, id.low(), opened.sections.traces as usize);
        let bytes = self.part(opened, (from * ENTRY_BYTES) as u64, (to - from) * ENTRY_BYTES, budget)?;
        let mut found = Vec::new();
        for (place, entry) in (from as u32..).zip(bytes.chunks_exact(ENTRY_BYTES)) {
            if Take(entry).u64() == Ok(id.low()) {
                let (known, _) = read_entry(entry).map_err(|error| self.damaged(error.0))?;
                if !strict || known == id {
                    found.push(place);
                }
            }
        }
        Ok(found)
    }

    /// Places of the traces with a row that may have this term.
    pub(crate) fn term(&self, hash: u64, budget: &Budget) -> Result<RoaringBitmap, StoreError> {
        let opened = self.opened(budget)?;
        let sections = opened.sections;
        let (from, to) = fenced(&opened.wide_fences, hash, sections.wide as usize);
        let at = sections.wide_at + (from * WIDE_BYTES) as u64;
        let bytes = self.part(opened, at, (to - from) * WIDE_BYTES, budget)?;
        let mut found = RoaringBitmap::new();
        for entry in bytes.chunks_exact(WIDE_BYTES) {
            let mut take = Take(entry);
            let words = (|| Ok((take.u64()?, take.u32()?, take.u32()?)))();
            let (term, at, len) = words.map_err(|error: Malformed| self.damaged(error.0))?;
            if term == hash {
                let bytes = self.part(opened, sections.bitmaps_at + u64::from(at), len as usize, budget)?;
                found |= RoaringBitmap::deserialize_from(&bytes[..]).map_err(|error| self.failed(&error))?;
            }
        }
        found.extend(self.rare(opened, few_hash(hash), budget)?);
        // A damaged bitmap has a checksum that does not hold; this is for one that was written wrong.
        if found.max().is_some_and(|last| last >= sections.traces) {
            return Err(self.damaged("its index names traces that it does not have"));
        }
        Ok(found)
    }

    fn rare(&self, opened: &Opened, hash: u32, budget: &Budget) -> Result<Vec<u32>, StoreError> {
        let fences = &opened.few_fences;
        let from = fences.partition_point(|fence| ((*fence >> 32) as u32) < hash).saturating_sub(1);
        let to = fences.partition_point(|fence| (*fence >> 32) as u32 <= hash).max(from);
        let Some(groups) = fences.get(from..to).filter(|groups| !groups.is_empty()) else {
            return Ok(Vec::new());
        };
        let few_at = opened.sections.few_at;
        let start = few_at + u64::from(groups[0] as u32);
        let end = fences.get(to).map_or(opened.sections.names_at, |next| few_at + u64::from(*next as u32));
        let bytes = self.part(opened, start, end.saturating_sub(start) as usize, budget)?;
        let mut found = Vec::new();
        read_few(&bytes, groups, opened.sections.traces, hash, &mut found)
            .map_err(|error| self.damaged(error.0))?;
        Ok(found)
    }

    /// Places of the traces with a row that may have taken `min_ns`.
    pub(crate) fn long(&self, min_ns: u64, budget: &Budget) -> Result<RoaringBitmap, StoreError> {
        let opened = self.opened(budget)?;
        let traces = opened.sections.traces as usize;
        let bytes = self.part(opened, opened.sections.durations_at, traces * 4, budget)?;
        let marks = bytes.as_chunks().0.iter().map(|mark| u32::from_le_bytes(*mark));
        Ok({
            let places =
                (0u32..).zip(marks).filter(|(_, mark)| may_last(*mark, min_ns)).map(|(place, _)| place);
            // They come in order.
            RoaringBitmap::from_sorted_iter(places).unwrap_or_default()
        })
    }

    /// Names seen in the block.
    pub(crate) fn names(&self, budget: &Budget) -> Result<NameIndex, StoreError> {
        let opened = self.opened(budget)?;
        let (from, to) = (opened.sections.names_at, opened.sections.columns_at);
        let bytes = self.part(opened, from, to.saturating_sub(from) as usize, budget)?;
        let json = zstd::stream::decode_all(&bytes[..]).map_err(|error| self.failed(&error))?;
        serde_json::from_slice(&json).map_err(|error| self.failed(&error))
    }

    /// Appends the rows of the trace at a place.
    pub(crate) fn rows(&self, place: u32, budget: &Budget, out: &mut Vec<Placed>) -> Result<(), StoreError> {
        budget.check()?;
        let opened = self.opened(budget)?;
        let (id, first, end) = self.entry(place, budget)?;
        let rows = end.checked_sub(first).ok_or_else(|| self.damaged("its traces are out of order"))?;
        let reader = RowReader { opened, first, rows, budget };
        reader.read(&[(id, first)], out).map_err(|failure: Failure| self.failed(&*failure))
    }
}

/// Between which entries a key can stand, given every so-many-th key.
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
        // Entries 0..300 with keys 0, 1, 2, … and a fence at every 128th.
        let fences = [0, 128, 256];
        for key in 0..300u64 {
            let (from, to) = fenced(&fences, key, 300);
            assert!((from..to).contains(&(key as usize)), "{key} in {from}..{to}");
            assert!(to - from <= 2 * FENCE);
        }
        // Equal keys on both sides of a fence are all inside.
        assert_eq!(fenced(&[1, 5, 5, 9], 5, 512), (0, 384));
        assert_eq!(fenced(&[], 5, 0), (0, 0));
    }
}
