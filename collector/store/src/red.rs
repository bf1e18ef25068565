//! Counts by minute as bytes: the file `red.bin` of a block, and log records of requests none of whose spans is kept.
//!
//! `zstd` of: names (count, then length and text of each), rows (count, then each): minute, dimension (doubled, and one
//! for the row of all others), places of the two names, errors, sum of durations, durations of 0, classes (count, then
//! the distance from the one before and the count of each), and for the slowest and the slowest failed trace 0, or 1 with
//! its id (16 bytes), duration and log record. Everything else is varints.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracepact_analysis::{Dimension, DurationHistogram, Exemplar, RedCounts, RedKey, RedRow};

use crate::block::BlockMeta;
use crate::block::hybrid::{put_varint, take_varint};
use crate::fs::{Fs, read_all};
use crate::wire::{Malformed, Put, Take};

/// The only file of a block of counts, beside its `meta.json`.
pub(crate) const FILE: &str = "red.bin";
const FILE_BYTES_MAX: u64 = 256 << 20;
const RAW_BYTES_MAX: usize = 1 << 30;
const ZSTD_LEVEL: i32 = 3;
const BAD: Malformed = Malformed("counts cannot be read");
const MINUTE_NS: u64 = 60_000_000_000;

/// Counts by minute since 1970.
pub(crate) type Minutes = BTreeMap<u64, RedCounts>;

/// What one request adds to the counts.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    /// Tells a request that came again from others; `None` for one that cannot.
    pub(crate) body: Option<u64>,
    pub(crate) counts: RedCounts,
}

/// The minute of an instant.
pub(crate) const fn minute_of(at_ns: u64) -> u64 {
    at_ns / MINUTE_NS
}

/// A published block of counts.
#[derive(Debug)]
pub(crate) struct RedBlock {
    pub(crate) meta: BlockMeta,
    pub(crate) dir: PathBuf,
}

impl RedBlock {
    /// Reads a block's counts, checked.
    pub(crate) fn read(fs: &dyn Fs, dir: &Path, meta: &BlockMeta) -> io::Result<Minutes> {
        let bytes = read_all(fs, &dir.join(FILE), FILE_BYTES_MAX)?;
        if meta.files.get(FILE).map(|file| file.crc32c) != Some(crc32c::crc32c(&bytes)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the counts are damaged"));
        }
        decode(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// First and last instant of the counts' minutes.
pub(crate) fn window_ns(minutes: &Minutes) -> (u64, u64) {
    let first = minutes.keys().next().map_or(0, |minute| minute.saturating_mul(MINUTE_NS));
    let last = minutes.keys().next_back().map_or(0, |minute| minute.saturating_mul(MINUTE_NS));
    (first, last.saturating_add(MINUTE_NS - 1))
}

/// Number of rows.
pub(crate) fn rows(minutes: &Minutes) -> u64 {
    minutes.values().map(|counts| counts.len() as u64).sum()
}

/// The bytes of counts.
pub(crate) fn encode(minutes: &Minutes) -> io::Result<Vec<u8>> {
    let (mut names, mut places) = (Vec::new(), HashMap::<Arc<str>, u64>::new());
    let mut body = Vec::new();
    put_varint(rows(minutes), &mut body);
    for (minute, counts) in minutes {
        let mut sorted: Vec<(&RedKey, &RedRow)> = counts.rows().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        for (key, row) in sorted {
            put_varint(*minute, &mut body);
            put_varint((key.dimension as u64) << 1 | u64::from(key.other), &mut body);
            for name in [&key.service, &key.name] {
                let place = *places.entry(name.clone()).or_insert_with(|| {
                    names.push(name.clone());
                    names.len() as u64 - 1
                });
                put_varint(place, &mut body);
            }
            let (zeros, classes) = row.durations.parts();
            for number in [row.errors, row.sum_ns, zeros, classes.len() as u64] {
                put_varint(number, &mut body);
            }
            let mut before = 0;
            for (class, count) in classes {
                put_varint(u64::from(class - before), &mut body);
                put_varint(*count, &mut body);
                before = *class;
            }
            for exemplar in [row.slowest, row.failed] {
                put_varint(u64::from(exemplar.is_some()), &mut body);
                if let Some(Exemplar { trace_id, duration_ns, lsn }) = exemplar {
                    body.extend_from_slice(&trace_id.to_be_bytes());
                    put_varint(duration_ns, &mut body);
                    put_varint(lsn, &mut body);
                }
            }
        }
    }
    let mut raw = Vec::with_capacity(body.len() + 1_024);
    put_varint(names.len() as u64, &mut raw);
    names.iter().for_each(|name| raw.put_text(name));
    raw.extend_from_slice(&body);
    let mut out = Vec::new();
    out.put_u32(u32::try_from(raw.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(&zstd::bulk::compress(&raw, ZSTD_LEVEL)?);
    Ok(out)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8]) -> Result<Minutes, Malformed> {
    let mut take = Take(bytes);
    let raw_len = take.u32()? as usize;
    if raw_len > RAW_BYTES_MAX {
        return Err(BAD);
    }
    let raw = zstd::bulk::decompress(take.0, raw_len).map_err(|_| BAD)?;
    let mut rest = raw.as_slice();
    let mut names: Vec<Arc<str>> = Vec::new();
    for _ in 0..take_varint(&mut rest)? {
        let mut take = Take(rest);
        names.push(take.text()?.into());
        rest = take.0;
    }
    let mut minutes = Minutes::new();
    for _ in 0..take_varint(&mut rest)? {
        let (minute, kind) = (take_varint(&mut rest)?, take_varint(&mut rest)?);
        let dimension = *Dimension::ALL.get((kind >> 1) as usize).ok_or(BAD)?;
        let mut name = || names.get(take_varint(&mut rest)? as usize).cloned().ok_or(BAD);
        let key = RedKey { dimension, service: name()?, name: name()?, other: kind & 1 == 1 };
        let row = take_row(&mut rest)?;
        minutes.entry(minute).or_default().add(&key, &row);
    }
    if rest.is_empty() { Ok(minutes) } else { Err(BAD) }
}

fn take_row(rest: &mut &[u8]) -> Result<RedRow, Malformed> {
    let (errors, sum_ns, zeros) = (take_varint(rest)?, take_varint(rest)?, take_varint(rest)?);
    let (mut class, mut classes) = (0u16, Vec::new());
    for _ in 0..take_varint(rest)? {
        let more = u16::try_from(take_varint(rest)?).map_err(|_| BAD)?;
        class = class.checked_add(more).ok_or(BAD)?;
        classes.push((class, take_varint(rest)?));
    }
    let exemplar = |rest: &mut &[u8]| -> Result<Option<Exemplar>, Malformed> {
        if take_varint(rest)? == 0 {
            return Ok(None);
        }
        let (id, tail) = rest.split_first_chunk().ok_or(BAD)?;
        *rest = tail;
        let trace_id = u128::from_be_bytes(*id);
        Ok(Some(Exemplar { trace_id, duration_ns: take_varint(rest)?, lsn: take_varint(rest)? }))
    };
    let (slowest, failed) = (exemplar(rest)?, exemplar(rest)?);
    Ok(RedRow { errors, sum_ns, durations: DurationHistogram::from_parts(zeros, classes), slowest, failed })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row() -> impl Strategy<Value = RedRow> {
        let exemplar = || {
            prop::option::of((any::<u128>(), any::<u64>(), any::<u64>())).prop_map(|known| {
                known.map(|(trace_id, duration_ns, lsn)| Exemplar { trace_id, duration_ns, lsn })
            })
        };
        (any::<u64>(), any::<u64>(), prop::collection::vec(any::<u64>(), 0..9), exemplar(), exemplar())
            .prop_map(|(errors, sum_ns, durations, slowest, failed)| {
                let mut row = RedRow { errors, sum_ns, slowest, failed, ..RedRow::default() };
                durations.iter().for_each(|duration| row.durations.add(*duration));
                row
            })
    }

    proptest! {
        #[test]
        fn counts_come_back(
            rows in prop::collection::vec((0u64..4, 0usize..4, "[a-c]{0,2}", "[a-c]{0,2}", any::<bool>(), row()), 0..20),
        ) {
            let mut minutes = Minutes::new();
            for (minute, dimension, service, name, other, row) in rows {
                let key = RedKey {
                    dimension: Dimension::ALL[dimension], service: service.into(), name: name.into(), other,
                };
                minutes.entry(minute).or_default().add(&key, &row);
            }
            let bytes = encode(&minutes).unwrap();
            prop_assert_eq!(decode(&bytes), Ok(minutes));
            for cut in 0..bytes.len() {
                prop_assert!(decode(&bytes[..cut]).is_err());
            }
        }
    }
}
