//! The index of a block: trace id → rows, and term → traces. Written beside the rows, read at places.
//!
//! `index.bin` = entries (20 bytes for each trace: low half, high half, first row; sorted) · times (8 bytes each; the top
//! bit says that it is the start of a row without a parent) · durations (4 bytes each, microseconds rounded up) · terms of
//! many traces (16 bytes each, sorted by hash) · their roaring bitmaps · terms of few traces (differences of the upper 28
//! bits of the hash, each with a trace) · names (zstd of JSON) · places of the columns' pages · fences. Where each starts
//! stands in `meta.json`.

use serde::{Deserialize, Serialize};
use tracepact_base::TraceId;

use super::hybrid::{put_varint, take_varint};
use super::parquet_file::{ColumnPlace, put_places};
use super::terms::TermBuilder;
use crate::part::TraceTime;
use crate::wire::{Malformed, Put, Take};

pub(crate) const ENTRY_BYTES: usize = 20;
pub(crate) const WIDE_BYTES: usize = 16;
/// Entries between two fences.
pub(crate) const FENCE: usize = 128;
/// Bits of a hash that are left out where it stands beside a trace.
const FEW_SHIFT: u32 = 36;

/// Where the parts of `index.bin` start; each ends where the next starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sections {
    pub(crate) traces: u32,
    pub(crate) wide: u32,
    pub(crate) few: u32,
    pub(crate) times_at: u64,
    pub(crate) durations_at: u64,
    pub(crate) wide_at: u64,
    pub(crate) bitmaps_at: u64,
    pub(crate) few_at: u64,
    pub(crate) names_at: u64,
    pub(crate) columns_at: u64,
    pub(crate) fences_at: u64,
    /// Whether the terms say in which traces which service failed.
    #[serde(default)]
    pub(crate) failed_services: bool,
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

/// Low half, high half and first row of an entry.
pub(crate) fn read_entry(bytes: &[u8]) -> Result<(TraceId, u32), Malformed> {
    let mut take = Take(bytes);
    let (low, high) = (take.u64()?, take.u64()?);
    let id = TraceId::new(u128::from(high) << 64 | u128::from(low)).ok_or(Malformed("a trace id is zero"))?;
    Ok((id, take.u32()?))
}

/// The shortest duration that a trace marked like this does not have, in microseconds; 0 for a trace without any.
fn duration_mark(duration_ns: Option<u64>) -> u32 {
    duration_ns.map_or(0, |ns| u32::try_from(ns / 1_000 + 1).unwrap_or(u32::MAX))
}

/// Whether a trace with this mark may have a row that took `min_ns`.
pub(crate) fn may_last(mark: u32, min_ns: u64) -> bool {
    mark > 0 && (mark == u32::MAX || min_ns / 1_000 < u64::from(mark))
}

/// The bits of a hash that stand beside a trace.
pub(crate) const fn few_hash(term: u64) -> u32 {
    (term >> FEW_SHIFT) as u32
}

/// Bytes of a trace's place beside a hash.
const fn few_width(traces: u32) -> usize {
    if traces <= 1 << 16 { 2 } else { 4 }
}

/// Builds the index.
pub(crate) fn build(
    traces: &[TraceEntry],
    terms: &TermBuilder,
    columns: &[ColumnPlace],
) -> (Vec<u8>, Sections) {
    let mut out = Vec::new();
    for trace in traces {
        out.put_u64(trace.id.low());
        out.put_u64(trace.id.high());
        out.put_u32(trace.first_row);
    }
    let times_at = out.len() as u64;
    for trace in traces {
        let time = trace.timestamp_ns.map(|at_ns| TraceTime { at_ns, rooted: trace.rooted });
        out.put_u64(TraceTime::word(time));
    }
    let durations_at = out.len() as u64;
    traces.iter().for_each(|trace| out.put_u32(duration_mark(trace.duration_max_ns)));
    let wide_at = out.len() as u64;
    let mut bitmaps = Vec::new();
    for (term, traces) in &terms.wide {
        let at = bitmaps.len() as u32;
        // Writing to memory does not fail.
        let _ = traces.serialize_into(&mut bitmaps);
        out.put_u64(*term);
        out.put_u32(at);
        out.put_u32(bitmaps.len() as u32 - at);
    }
    let bitmaps_at = out.len() as u64;
    out.extend_from_slice(&bitmaps);
    let few_at = out.len() as u64;
    let few_fences = put_few(&terms.few, few_width(traces.len() as u32), &mut out);
    let names_at = out.len() as u64;
    // Names are plain texts in maps with text keys: JSON takes them, and zstd takes JSON.
    let json = serde_json::to_vec(&terms.names).unwrap_or_default();
    out.extend_from_slice(&zstd::bulk::compress(&json, 3).unwrap_or_default());
    let columns_at = out.len() as u64;
    put_places(columns, &mut out);
    let fences_at = out.len() as u64;
    traces.iter().step_by(FENCE).for_each(|trace| out.put_u64(trace.id.low()));
    terms.wide.iter().step_by(FENCE).for_each(|(term, _)| out.put_u64(*term));
    few_fences.into_iter().for_each(|fence| out.put_u64(fence));
    let sections = Sections {
        traces: traces.len() as u32,
        wide: terms.wide.len() as u32,
        few: terms.few.len() as u32,
        times_at,
        durations_at,
        wide_at,
        bitmaps_at,
        few_at,
        names_at,
        columns_at,
        fences_at,
        failed_services: true,
    };
    (out, sections)
}

/// Appends pairs in groups that start with a whole hash; gives the hash and the place of each group.
fn put_few(few: &[(u64, u32)], width: usize, out: &mut Vec<u8>) -> Vec<u64> {
    let start = out.len();
    let mut fences = Vec::new();
    for group in few.chunks(FENCE) {
        let mut before = group.first().map_or(0, |(term, _)| few_hash(*term));
        fences.push(u64::from(before) << 32 | (out.len() - start) as u64);
        for (term, trace) in group {
            let hash = few_hash(*term);
            put_varint(u64::from(hash - before), out);
            out.extend_from_slice(&trace.to_le_bytes()[..width]);
            before = hash;
        }
    }
    fences
}

/// Adds the traces under `hash` of the groups in `bytes` that `fences` (those of these groups) begin.
pub(crate) fn read_few(
    bytes: &[u8],
    fences: &[u64],
    traces: u32,
    hash: u32,
    found: &mut Vec<u32>,
) -> Result<(), Malformed> {
    const BAD: Malformed = Malformed("the index of rare terms cannot be read");
    let width = few_width(traces);
    let base = fences.first().map_or(0, |fence| *fence as u32);
    for (i, fence) in fences.iter().enumerate() {
        let from = (*fence as u32).checked_sub(base).ok_or(BAD)? as usize;
        let to = match fences.get(i + 1) {
            Some(next) => (*next as u32).checked_sub(base).ok_or(BAD)? as usize,
            None => bytes.len(),
        };
        let mut group = bytes.get(from..to).ok_or(BAD)?;
        let mut at = (*fence >> 32) as u32;
        while !group.is_empty() {
            let more = u32::try_from(take_varint(&mut group)?).map_err(|_| BAD)?;
            at = at.checked_add(more).ok_or(BAD)?;
            let (place, rest) = group.split_at_checked(width).ok_or(BAD)?;
            group = rest;
            if at > hash {
                return Ok(());
            }
            if at == hash {
                let mut trace = [0; 4];
                trace[..width].copy_from_slice(place);
                found.push(u32::from_le_bytes(trace));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rare_terms_are_found(terms in proptest::collection::vec((0u64..300, 0u32..70_000), 0..600), wanted in 0u64..300) {
            let mut few: Vec<(u64, u32)> = terms.iter().map(|(term, trace)| (term << FEW_SHIFT, *trace)).collect();
            few.sort_unstable();
            few.dedup();
            let mut out = Vec::new();
            let fences = put_few(&few, few_width(70_000), &mut out);
            let mut found = Vec::new();
            read_few(&out, &fences, 70_000, wanted as u32, &mut found).unwrap();
            let expected: Vec<u32> =
                few.iter().filter(|(term, _)| *term == wanted << FEW_SHIFT).map(|(_, trace)| *trace).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn durations_are_never_underestimated() {
        for (duration, min, may) in [
            (Some(999), 999, true),
            (Some(999), 1_000, false),
            (Some(1_000), 1_000, true),
            (Some(5_000_000), 5_000_001, true),
            (None, 0, false),
            (Some(0), 0, true),
            (Some(u64::MAX - 1), u64::MAX - 1, true),
        ] {
            assert_eq!(may_last(duration_mark(duration), min), may, "{duration:?} {min}");
        }
    }
}
