//! Which traces were deleted, and up to which log record: rows of the trace with a smaller LSN are gone, rows that
//! arrive later are not.
//!
//! A deletion is a log record like any other, so it is durable before it is answered. Sealing moves it into a block of
//! its own kind (`tombstones.bin`), where it stays until no block holds a row that it hides.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use tracepact_base::{Event, TraceId};

use crate::block::BlockMeta;
use crate::fs::{Fs, read_all};
use crate::wire::{Malformed, Put, Take};

/// The only file of a block of tombstones, beside its `meta.json`.
pub(crate) const FILE: &str = "tombstones.bin";
/// Longest file that is read: more marks than any store keeps.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// `low u64 · high u64 · width u8 · lsn u64 · at_ns u64`.
const MARK_BYTES: usize = 33;

/// One deleted trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) low: u64,
    /// `None`: every trace with this low half, whatever its high half.
    pub(crate) high: Option<u64>,
    /// Rows with a smaller LSN are hidden; the LSN of the deletion's own record.
    pub(crate) lsn: u64,
    /// When it was asked for, nanoseconds since 1970.
    pub(crate) at_ns: u64,
}

impl Mark {
    /// The mark of a deletion that is on its way into the log, which gives it its LSN.
    pub(crate) fn new(id: TraceId, strict: bool, at_ns: u64) -> Self {
        Self { low: id.low(), high: strict.then(|| id.high()), lsn: 0, at_ns }
    }

    fn covers(&self, id: TraceId) -> bool {
        self.low == id.low() && self.high.is_none_or(|high| high == id.high())
    }
}

/// All deletions whose rows may still be somewhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tombstones {
    by_low: HashMap<u64, Vec<Mark>>,
    len: usize,
}

impl Tombstones {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// When the oldest was asked for.
    pub(crate) fn oldest_ns(&self) -> Option<u64> {
        self.by_low.values().flatten().map(|mark| mark.at_ns).min()
    }

    /// Number of the newest record that deletes.
    pub(crate) fn newest_lsn(&self) -> Option<u64> {
        self.by_low.values().flatten().map(|mark| mark.lsn).max()
    }

    /// Whether rows of this trace, of whatever log records, were deleted.
    pub(crate) fn names(&self, id: TraceId) -> bool {
        self.by_low.get(&id.low()).is_some_and(|marks| marks.iter().any(|mark| mark.covers(id)))
    }

    /// Whether a row of this trace in this log record was deleted.
    pub(crate) fn hides(&self, id: TraceId, lsn: u64) -> bool {
        self.by_low
            .get(&id.low())
            .is_some_and(|marks| marks.iter().any(|mark| mark.covers(id) && lsn < mark.lsn))
    }

    /// Whether an event that was logged at `lsn` was derived from a deleted trace.
    pub(crate) fn hide_event(&self, event: &Event, lsn: u64) -> bool {
        self.len > 0 && traces_of(event).any(|id| self.hides(id, lsn))
    }

    /// Adds a mark; of two for one trace the later hides what the earlier does.
    pub(crate) fn add(&mut self, mark: Mark) {
        let marks = self.by_low.entry(mark.low).or_default();
        match marks.iter_mut().find(|known| known.high == mark.high) {
            Some(known) if known.lsn < mark.lsn => *known = mark,
            Some(_) => {}
            None => {
                marks.push(mark);
                self.len += 1;
            }
        }
    }

    /// Forgets a mark that hides nothing any more; a later one for the same trace stays.
    pub(crate) fn remove(&mut self, mark: &Mark) {
        let Some(marks) = self.by_low.get_mut(&mark.low) else { return };
        let known = marks.len();
        marks.retain(|other| other != mark);
        self.len -= known - marks.len();
        if marks.is_empty() {
            self.by_low.remove(&mark.low);
        }
    }
}

/// The traces that an event links to.
fn traces_of(event: &Event) -> impl Iterator<Item = TraceId> {
    let of_trace = event.links.iter().filter(|link| link.rel == "trace");
    of_trace.filter_map(|link| link.href.rsplit('/').next()?.parse().ok())
}

/// Marks as the body of a log record and as a block's file.
pub(crate) fn write_marks(marks: &[Mark]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + marks.len() * MARK_BYTES);
    out.put_u32(u32::try_from(marks.len()).unwrap_or(u32::MAX));
    for mark in marks {
        out.put_u64(mark.low);
        out.put_u64(mark.high.unwrap_or(0));
        out.push(u8::from(mark.high.is_some()));
        out.put_u64(mark.lsn);
        out.put_u64(mark.at_ns);
    }
    out
}

/// Reads what [`write_marks`] wrote.
pub(crate) fn read_marks(bytes: &[u8]) -> Result<Vec<Mark>, Malformed> {
    let mut take = Take(bytes);
    let count = take.u32()? as usize;
    if take.0.len() != count.saturating_mul(MARK_BYTES) {
        return Err(Malformed("its length does not fit the number of its marks"));
    }
    (0..count)
        .map(|_| {
            let (low, high, exact) = (take.u64()?, take.u64()?, take.u8()?);
            let high = match exact {
                0 => None,
                1 => Some(high),
                _ => return Err(Malformed("a mark has an unknown width")),
            };
            Ok(Mark { low, high, lsn: take.u64()?, at_ns: take.u64()? })
        })
        .collect()
}

/// A published block of tombstones; its marks are in memory.
#[derive(Debug)]
pub(crate) struct TombstoneBlock {
    pub(crate) meta: BlockMeta,
    pub(crate) dir: PathBuf,
    pub(crate) marks: Vec<Mark>,
}

impl TombstoneBlock {
    /// Reads a block. Damage is an error that says what follows from it: without its marks deleted rows would show.
    pub(crate) fn open(fs: &dyn Fs, dir: &Path, meta: BlockMeta) -> io::Result<Self> {
        let damaged = |what: &str| {
            let reason = format!(
                "{}: {what}; it lists deleted traces that would show again. Restore it from a snapshot, or remove this \
                 directory to let them show",
                dir.join(FILE).display()
            );
            io::Error::new(io::ErrorKind::InvalidData, reason)
        };
        let bytes = read_all(fs, &dir.join(FILE), FILE_BYTES_MAX).map_err(|e| damaged(&e.to_string()))?;
        if meta.files.get(FILE).map(|file| file.crc32c) != Some(crc32c::crc32c(&bytes)) {
            return Err(damaged("its checksum does not hold"));
        }
        let marks = read_marks(&bytes).map_err(|error| damaged(error.0))?;
        Ok(Self { meta, dir: dir.to_owned(), marks })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tracepact_base::EventKind;

    use super::*;

    fn id(value: u128) -> TraceId {
        TraceId::new(value).unwrap()
    }

    #[test]
    fn rows_before_the_deletion_are_hidden_and_later_ones_are_not() {
        let mut tombstones = Tombstones::default();
        let wide = id(7 << 64 | 5);
        tombstones.add(Mark { lsn: 10, ..Mark::new(wide, true, 1) });
        assert!(tombstones.hides(wide, 9) && !tombstones.hides(wide, 10) && !tombstones.hides(wide, 11));
        assert!(!tombstones.hides(id(5), 9) && !tombstones.hides(id(8 << 64 | 5), 9));
        tombstones.add(Mark { lsn: 20, ..Mark::new(id(5), false, 2) });
        assert!(tombstones.hides(id(5), 19) && tombstones.hides(id(8 << 64 | 5), 19));
        assert_eq!((tombstones.len(), tombstones.oldest_ns()), (2, Some(1)));
    }

    #[test]
    fn the_later_of_two_deletions_counts_and_outlives_the_earlier() {
        let mut tombstones = Tombstones::default();
        let (early, late) =
            (Mark { lsn: 3, ..Mark::new(id(1), true, 1) }, Mark { lsn: 8, ..Mark::new(id(1), true, 2) });
        tombstones.add(late);
        tombstones.add(early);
        assert_eq!(tombstones.len(), 1);
        tombstones.remove(&early);
        assert!(tombstones.hides(id(1), 7));
        tombstones.remove(&late);
        assert_eq!(tombstones.len(), 0);
        assert!(!tombstones.hides(id(1), 7));
    }

    #[test]
    fn events_belong_to_the_traces_they_link() {
        let mut tombstones = Tombstones::default();
        tombstones.add(Mark { lsn: 5, ..Mark::new(id(0xabc), true, 1) });
        let event =
            Event::new(EventKind::MessageVerdict, 1, "lost").link("trace", format!("/traces/{}", id(0xabc)));
        assert!(tombstones.hide_event(&event, 4) && !tombstones.hide_event(&event, 6));
        let other = Event::new(EventKind::Deploy, 1, "deployed").link("lag", format!("/lag/{}", id(0xabc)));
        assert!(!tombstones.hide_event(&other, 4));
    }

    proptest! {
        #[test]
        fn marks_come_back(marks in proptest::collection::vec((any::<u64>(), any::<Option<u64>>(), any::<u64>(), any::<u64>()), 0..20)) {
            let marks: Vec<Mark> = marks.into_iter().map(|(low, high, lsn, at_ns)| Mark { low, high, lsn, at_ns }).collect();
            let bytes = write_marks(&marks);
            prop_assert_eq!(read_marks(&bytes), Ok(marks));
            for cut in 0..bytes.len() {
                prop_assert!(read_marks(&bytes[..cut]).is_err());
            }
        }
    }
}
