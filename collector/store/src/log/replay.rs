//! Reading the log at start: everything acknowledged comes back, an unacknowledged tail is cut, and damage to what was
//! durable is reported, never skipped in silence.

use std::io;
use std::path::{Path, PathBuf};

use super::record::{self, Found, Record, Table};
use super::segment::{self, Header};
use crate::fs::{self, Fs};

/// Longest segment that is read: twice the size at which a segment is closed, and one record.
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// Durable records that cannot be read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) segment: PathBuf,
    pub(crate) first_lsn: u64,
    pub(crate) last_lsn: u64,
}

/// What the log held.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The LSN of the next record.
    pub(crate) next_lsn: u64,
    /// The highest LSN known to be durable.
    pub(crate) durable_lsn: u64,
    pub(crate) damage: Vec<Damage>,
    /// Records read.
    pub(crate) records: u64,
    /// Bytes at the end that were never acknowledged.
    pub(crate) cut_bytes: u64,
    /// First LSN and path of each segment.
    pub(crate) segments: Vec<(u64, PathBuf)>,
}

/// Gives every readable record to `apply` in order. `durable_lsn` is the highest LSN that blocks are known to hold.
pub(crate) fn replay(
    fs: &dyn Fs,
    dir: &Path,
    durable_lsn: u64,
    mut apply: impl FnMut(Record) -> io::Result<()>,
) -> io::Result<Replay> {
    let segments = segment::list(fs, dir)?;
    let mut state = Replay { next_lsn: durable_lsn + 1, durable_lsn, ..Replay::default() };
    for (i, (first_lsn, path)) in segments.iter().enumerate() {
        let bytes = fs::read_all(fs, path, SEGMENT_BYTES_MAX)?;
        if i == 0 {
            // What was before went into blocks.
            state.next_lsn = *first_lsn;
        } else if *first_lsn > state.next_lsn {
            state.lose(&segments[i - 1].1, *first_lsn - 1);
        }
        // The next segment says where this one was taken to end when the log was last opened or rotated. Whole records
        // behind that are leftovers of an unacknowledged tail.
        let end_lsn = segments.get(i + 1).map(|(lsn, _)| *lsn);
        match Header::read(&bytes) {
            Ok((_, length)) => read_segment(&bytes, length, path, end_lsn, &mut state, &mut apply)?,
            Err(reason) if reason == segment::OTHER_VERSION => {
                return Err(io::Error::other(format!("{}: {reason}", path.display())));
            }
            // Headers are synced before anything is acknowledged, so a torn one is a segment that never was; a
            // damaged one does not keep its records from being read.
            Err(_) => read_segment(&bytes, 0, path, end_lsn, &mut state, &mut apply)?,
        }
    }
    if let Some((_, path)) = segments.last() {
        let durable_lsn = state.durable_lsn;
        if durable_lsn >= state.next_lsn {
            state.lose(path, durable_lsn);
        }
    }
    state.next_lsn = state.next_lsn.max(state.durable_lsn + 1).max(1);
    state.segments = segments;
    Ok(state)
}

impl Replay {
    /// Notes that everything from the expected LSN to `last_lsn` cannot be read.
    fn lose(&mut self, segment: &Path, last_lsn: u64) {
        self.damage.push(Damage { segment: segment.to_owned(), first_lsn: self.next_lsn, last_lsn });
        self.next_lsn = last_lsn + 1;
    }
}

fn read_segment(
    bytes: &[u8],
    mut at: usize,
    path: &Path,
    end_lsn: Option<u64>,
    state: &mut Replay,
    apply: &mut impl FnMut(Record) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        match record::read(&bytes[at..]) {
            Found::End => return Ok(()),
            Found::Record(record, length) => {
                if end_lsn.is_some_and(|end| record.lsn >= end) {
                    state.cut_bytes += (bytes.len() - at) as u64;
                    return Ok(());
                }
                at += length;
                state.durable_lsn = state.durable_lsn.max(record.durable_lsn);
                if record.table == Table::Mark || record.lsn < state.next_lsn {
                    continue;
                }
                if record.lsn > state.next_lsn {
                    state.lose(path, record.lsn - 1);
                }
                state.next_lsn = record.lsn + 1;
                state.records += 1;
                apply(*record)?;
            }
            Found::Damage => match resume(bytes, at + 1, state.next_lsn, end_lsn) {
                // Records below the end of a closed segment were accepted once. In the open segment only what a
                // later record calls durable was.
                Some(next) if end_lsn.is_some() || durable_behind(&bytes[next..]) >= state.next_lsn => {
                    at = next
                }
                _ => {
                    state.cut_bytes += (bytes.len() - at) as u64;
                    return Ok(());
                }
            },
        }
    }
}

/// Where the next whole record at or behind `from` starts whose LSN is `lsn` or a little more, but below the end.
fn resume(bytes: &[u8], from: usize, lsn: u64, end_lsn: Option<u64>) -> Option<usize> {
    (from..bytes.len().saturating_sub(record::FRAME_BYTES + 8)).find(|at| {
        // The LSN is compared first: checksums over every offset would take minutes.
        let Some(field) = bytes[at + record::FRAME_BYTES..].first_chunk::<8>() else { return false };
        let found = u64::from_le_bytes(*field);
        found + 1 >= lsn
            && found <= lsn.saturating_add(1_000_000)
            && end_lsn.is_none_or(|end| found < end)
            && record::peek(&bytes[*at..]).is_some()
    })
}

/// The highest durable LSN that whole records from here on know.
fn durable_behind(mut bytes: &[u8]) -> u64 {
    let mut durable_lsn = 0;
    while let Found::Record(record, length) = record::read(bytes) {
        durable_lsn = durable_lsn.max(record.durable_lsn);
        bytes = &bytes[length..];
    }
    durable_lsn
}
