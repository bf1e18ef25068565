//! The index of a block: trace id → rows, and term → traces. Written beside the rows, read at places.
//!
//! `index.bin` = traces (40 bytes each, sorted by low then high half; the top bit of a timestamp says that it is the start
//! of a row without a parent) · terms (20 bytes each, sorted by hash) ·
//! postings (roaring bitmaps of positions in the list of traces) · names (zstd of JSON) · fences (every 64th low half,
//! every 64th hash). Where each starts stands in `meta.json`.

use std::collections::HashMap;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use tracepact_base::TraceId;

use super::columns::Sealed;
use super::terms;
use crate::hot::names::NameIndex;
use crate::wire::{Malformed, Put, Take};

pub(crate) const TRACE_BYTES: usize = 40;
pub(crate) const TERM_BYTES: usize = 20;
/// Entries between two fences.
pub(crate) const FENCE: usize = 64;
/// Values listed for one tag.
const TAG_VALUES_MAX: usize = 1_000;
const NONE: u64 = u64::MAX;
/// Set in a timestamp that is the start of a row without a parent. Nanoseconds need this bit only from the year 2262 on.
const ROOTED: u64 = 1 << 63;

/// Where the parts of `index.bin` start; each ends where the next starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sections {
    pub(crate) traces: u32,
    pub(crate) terms: u32,
    pub(crate) postings_at: u64,
    pub(crate) names_at: u64,
    pub(crate) fences_at: u64,
}

/// One trace of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceEntry {
    pub(crate) id: TraceId,
    pub(crate) first_row: u32,
    pub(crate) rows: u32,
    /// Timestamp of these rows alone.
    pub(crate) timestamp_ns: Option<u64>,
    /// Whether that is the start of a row without a parent.
    pub(crate) rooted: bool,
    pub(crate) duration_max_ns: Option<u64>,
}

impl TraceEntry {
    fn write(&self, out: &mut Vec<u8>) {
        out.put_u64(self.id.low());
        out.put_u64(self.id.high());
        out.put_u32(self.first_row);
        out.put_u32(self.rows);
        let rooted = if self.rooted { ROOTED } else { 0 };
        out.put_u64(self.timestamp_ns.map_or(NONE, |at| at & !ROOTED | rooted));
        out.put_u64(self.duration_max_ns.unwrap_or(NONE));
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut take = Take(bytes);
        let (low, high) = (take.u64()?, take.u64()?);
        let known = |value: u64| (value != NONE).then_some(value);
        let id =
            TraceId::new(u128::from(high) << 64 | u128::from(low)).ok_or(Malformed("a trace id is zero"))?;
        let (first_row, rows) = (take.u32()?, take.u32()?);
        let timestamp = known(take.u64()?);
        Ok(Self {
            id,
            first_row,
            rows,
            timestamp_ns: timestamp.map(|at| at & !ROOTED),
            rooted: timestamp.is_some_and(|at| at & ROOTED != 0),
            duration_max_ns: known(take.u64()?),
        })
    }
}

/// Where a term's traces stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TermEntry {
    pub(crate) hash: u64,
    /// The only trace, or where its bitmap starts within the postings.
    pub(crate) place: u64,
    pub(crate) traces: u32,
}

impl TermEntry {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut take = Take(bytes);
        Ok(Self { hash: take.u64()?, place: take.u64()?, traces: take.u32()? })
    }
}

/// Builds the index of rows that are sorted as in the block.
pub(crate) fn build(rows: &[Sealed<'_>]) -> (Vec<u8>, Sections, Vec<TraceEntry>) {
    let traces = trace_entries(rows);
    let mut postings: HashMap<u64, Vec<u32>> = HashMap::new();
    let mut names = NameIndex::default();
    for (ordinal, trace) in (0u32..).zip(&traces) {
        let first = trace.first_row as usize;
        for sealed in &rows[first..first + trace.rows as usize] {
            names.add(sealed.row);
            names.add_tags(sealed.row, TAG_VALUES_MAX);
            terms::of_row(sealed.row, |term| {
                let list = postings.entry(term).or_default();
                if list.last() != Some(&ordinal) {
                    list.push(ordinal);
                }
            });
        }
    }
    let mut out = Vec::new();
    traces.iter().for_each(|trace| trace.write(&mut out));
    let (terms, bitmaps) = write_terms(postings);
    out.extend_from_slice(&terms);
    let postings_at = out.len() as u64;
    out.extend_from_slice(&bitmaps);
    let names_at = out.len() as u64;
    // Names are plain texts in maps with text keys: JSON takes them, and zstd takes JSON.
    let json = serde_json::to_vec(&names).unwrap_or_default();
    out.extend_from_slice(&zstd::bulk::compress(&json, 3).unwrap_or_default());
    let fences_at = out.len() as u64;
    for trace in traces.iter().step_by(FENCE) {
        out.put_u64(trace.id.low());
    }
    for term in terms.chunks(TERM_BYTES).step_by(FENCE) {
        out.extend_from_slice(&term[..8]);
    }
    let sections = Sections {
        traces: traces.len() as u32,
        terms: (terms.len() / TERM_BYTES) as u32,
        postings_at,
        names_at,
        fences_at,
    };
    (out, sections, traces)
}

fn trace_entries(rows: &[Sealed<'_>]) -> Vec<TraceEntry> {
    let mut traces: Vec<TraceEntry> = Vec::new();
    let mut first = 0usize;
    for group in rows.chunk_by(|a, b| a.row.trace_id == b.row.trace_id) {
        traces.push(TraceEntry {
            id: group[0].row.trace_id,
            first_row: first as u32,
            rows: group.len() as u32,
            timestamp_ns: tracepact_model::trace_timestamp_ns(group.iter().map(|sealed| sealed.row)),
            rooted: group
                .iter()
                .any(|sealed| sealed.row.parent_id.is_none() && sealed.row.start_ns.is_some()),
            duration_max_ns: group.iter().filter_map(|sealed| sealed.row.duration_ns).max(),
        });
        first += group.len();
    }
    traces
}

fn write_terms(postings: HashMap<u64, Vec<u32>>) -> (Vec<u8>, Vec<u8>) {
    let mut sorted: Vec<(u64, Vec<u32>)> = postings.into_iter().collect();
    sorted.sort_unstable_by_key(|(term, _)| *term);
    let (mut terms, mut bitmaps) = (Vec::new(), Vec::new());
    for (term, ordinals) in sorted {
        terms.put_u64(term);
        if let [only] = ordinals[..] {
            terms.put_u64(u64::from(only));
        } else {
            terms.put_u64(bitmaps.len() as u64);
            let bitmap: RoaringBitmap = ordinals.iter().copied().collect();
            bitmaps.put_u32(bitmap.serialized_size() as u32);
            // Writing to memory does not fail.
            let _ = bitmap.serialize_into(&mut bitmaps);
        }
        terms.put_u32(ordinals.len() as u32);
    }
    (terms, bitmaps)
}
