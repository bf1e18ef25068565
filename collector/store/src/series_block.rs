//! Sealed points: one file with a table of series in front and each series' points as one compressed run.
//!
//! `points.bin` = `magic 8 · table length u32 · table crc32c u32 · table`, then the runs. A table entry is `key · offset
//! u64 · bytes u32 · points u32 · crc32c u32 · first ns u64 · last ns u64 · last value f64`; a run is zstd of
//! `(ns u64, value f64)…` in time order.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StoreError;
use crate::block::BlockMeta;
use crate::fs::Fs;
use crate::series::{Points, SeriesKey, ordered};
use crate::series_wire::{read_key, write_key};
use crate::wire::{Malformed, Put, Take};
use tracepact_base::ErrorKind;

const MAGIC: &[u8; 8] = b"TPACTPTS";
const HEAD_BYTES: usize = 16;
/// Longest table that is read.
const TABLE_BYTES_MAX: u32 = 256 << 20;
pub(crate) const FILE: &str = "points.bin";

/// One series of a block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) key: SeriesKey,
    at: u64,
    bytes: u32,
    points: u32,
    crc32c: u32,
    first_ns: u64,
    pub(crate) last_ns: u64,
    pub(crate) last_value: f64,
}

/// A published block of points; its table is in memory, its points are not.
#[derive(Debug)]
pub(crate) struct SeriesBlock {
    pub(crate) meta: BlockMeta,
    pub(crate) dir: PathBuf,
    fs: Arc<dyn Fs>,
    runs: HashMap<SeriesKey, Run>,
}

/// Writes the file. Answers its bytes, the number of points, and their earliest and latest time.
pub(crate) fn write(series: Vec<(Arc<SeriesKey>, Points)>) -> io::Result<(Vec<u8>, u64, (u64, u64))> {
    let mut runs = Vec::new();
    let (mut table, mut count, mut window) = (Vec::new(), 0, (u64::MAX, 0));
    for (key, points) in series {
        let points = ordered(points);
        let (Some(first), Some(last)) = (points.first(), points.last()) else { continue };
        let mut raw = Vec::with_capacity(points.len() * 16);
        for (at, value) in &points {
            raw.put_u64(*at);
            raw.put_u64(value.to_bits());
        }
        let run = zstd::bulk::compress(&raw, 3)?;
        write_key(&key.name, &key.labels, &mut table);
        table.put_u64(runs.len() as u64);
        table.put_u32(run.len() as u32);
        table.put_u32(points.len() as u32);
        table.put_u32(crc32c::crc32c(&run));
        table.put_u64(first.0);
        table.put_u64(last.0);
        table.put_u64(last.1.to_bits());
        runs.extend_from_slice(&run);
        count += points.len() as u64;
        window = (window.0.min(first.0), window.1.max(last.0));
    }
    let mut out = MAGIC.to_vec();
    out.put_u32(table.len() as u32);
    out.put_u32(crc32c::crc32c(&table));
    out.extend_from_slice(&table);
    out.extend_from_slice(&runs);
    Ok((out, count, window))
}

impl SeriesBlock {
    /// Reads the table.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path, meta: BlockMeta) -> Result<Self, StoreError> {
        let mut block = Self { meta, dir: dir.to_owned(), fs, runs: HashMap::new() };
        let runs = block.read_table().map_err(|error| block.damaged(&error.to_string()))?;
        block.runs = runs;
        Ok(block)
    }

    fn read_table(&self) -> io::Result<HashMap<SeriesKey, Run>> {
        let bad = |error: Malformed| io::Error::new(io::ErrorKind::InvalidData, error.0);
        let file = self.fs.open(&self.dir.join(FILE))?;
        let mut head = [0; HEAD_BYTES];
        file.read_at(&mut head, 0)?;
        let mut take = Take(&head[8..]);
        let (len, crc) = (take.u32().map_err(bad)?, take.u32().map_err(bad)?);
        if head[..8] != *MAGIC || len > TABLE_BYTES_MAX {
            return Err(bad(Malformed("its points.bin is none")));
        }
        let mut table = vec![0; len as usize];
        file.read_at(&mut table, HEAD_BYTES as u64)?;
        if crc32c::crc32c(&table) != crc {
            return Err(bad(Malformed("its table of series is damaged")));
        }
        let start = HEAD_BYTES as u64 + u64::from(len);
        let mut take = Take(&table);
        let mut runs = HashMap::new();
        while !take.0.is_empty() {
            let run = read_run(&mut take, start).map_err(bad)?;
            runs.insert(run.key.clone(), run);
        }
        Ok(runs)
    }

    fn damaged(&self, what: &str) -> StoreError {
        StoreError::new(
            ErrorKind::Corrupt,
            format!("series block {}/{}: {what}", self.meta.day, self.meta.id),
        )
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values()
    }

    /// Points of one series within a window.
    pub(crate) fn points(
        &self,
        key: &SeriesKey,
        start_ns: u64,
        end_ns: u64,
    ) -> Result<Vec<(u64, f64)>, StoreError> {
        let Some(run) = self.runs.get(key).filter(|run| run.first_ns <= end_ns && run.last_ns >= start_ns)
        else {
            return Ok(Vec::new());
        };
        let damaged = |error: io::Error| self.damaged(&error.to_string());
        let file = self.fs.open(&self.dir.join(FILE)).map_err(damaged)?;
        let mut bytes = vec![0; run.bytes as usize];
        file.read_at(&mut bytes, run.at).map_err(damaged)?;
        if crc32c::crc32c(&bytes) != run.crc32c {
            return Err(self.damaged(&format!("the points of {} are damaged", key.name)));
        }
        let raw = zstd::bulk::decompress(&bytes, run.points as usize * 16).map_err(damaged)?;
        let points = raw.as_chunks::<16>().0.iter().map(|point| {
            let (at, value) = point.split_at(8);
            let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk));
            (number(at), f64::from_bits(number(value)))
        });
        Ok(points.filter(|(at, _)| (start_ns..=end_ns).contains(at)).collect())
    }
}

fn read_run(take: &mut Take<'_>, start: u64) -> Result<Run, Malformed> {
    Ok(Run {
        key: read_key(take)?,
        at: start + take.u64()?,
        bytes: take.u32()?,
        points: take.u32()?,
        crc32c: take.u32()?,
        first_ns: take.u64()?,
        last_ns: take.u64()?,
        last_value: f64::from_bits(take.u64()?),
    })
}
