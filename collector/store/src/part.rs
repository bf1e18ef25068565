//! One part of the store, as a search sees it: a generation of rows in memory, or one block.

use std::ops::RangeInclusive;
use std::sync::Arc;

use roaring::RoaringBitmap;
use tracepact_base::TraceId;

use crate::hot::Placed;
use crate::{Predicate, SpanQuery, StoreError};

/// What a part's rows alone say about when a trace was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceTime {
    /// Start of the first row without a parent, else the earliest start.
    pub(crate) at_ns: u64,
    /// Whether it is the start of a row without a parent: then no other part's earliest start counts.
    pub(crate) rooted: bool,
}

impl TraceTime {
    /// The word of a trace none of whose rows has a start.
    const NONE: u64 = u64::MAX;
    /// Set in the start of a row without a parent. Nanoseconds need this bit only from the year 2262 on.
    const ROOTED: u64 = 1 << 63;

    /// As it stands in memory and in a block's index.
    pub(crate) fn word(time: Option<Self>) -> u64 {
        let rooted = |time: Self| if time.rooted { Self::ROOTED } else { 0 };
        time.map_or(Self::NONE, |time| time.at_ns & !Self::ROOTED | rooted(time))
    }

    /// The time that a word says.
    pub(crate) const fn from_word(word: u64) -> Option<Self> {
        if word == Self::NONE {
            return None;
        }
        Some(Self { at_ns: word & !Self::ROOTED, rooted: word & Self::ROOTED != 0 })
    }
}

/// The traces of a part by their places.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    pub(crate) ids: Vec<TraceId>,
    /// Of each trace the word of its time: [`TraceTime::from_word`].
    times: Vec<u64>,
    /// Places of the traces that have a time, newest first; empty where nobody sorted them.
    by_time: Vec<u32>,
}

impl Traces {
    /// Traces that are looked through as they come.
    pub(crate) fn unsorted(ids: Vec<TraceId>, times: Vec<u64>) -> Self {
        Self { ids, times, by_time: Vec::new() }
    }

    /// Traces that many searches look through.
    pub(crate) fn sorted(ids: Vec<TraceId>, times: Vec<u64>) -> Self {
        let at_ns = |place: &u32| times.get(*place as usize).and_then(|word| TraceTime::from_word(*word));
        let places = 0..u32::try_from(times.len()).unwrap_or(u32::MAX);
        let mut timed: Vec<(u64, u32)> =
            places.filter_map(|place| Some((at_ns(&place)?.at_ns, place))).collect();
        timed.sort_unstable_by(|a, b| b.cmp(a));
        let by_time = timed.into_iter().map(|(_, place)| place).collect();
        Self { ids, times, by_time }
    }

    /// When the trace at a place was.
    pub(crate) fn time(&self, place: u32) -> Option<TraceTime> {
        self.times.get(place as usize).and_then(|word| TraceTime::from_word(*word))
    }

    /// Number of traces.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    /// Places, newest first; `None` where nobody sorted them.
    pub(crate) fn by_time(&self) -> Option<&[u32]> {
        (!self.by_time.is_empty()).then_some(&self.by_time)
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.ids.len() * 16 + self.times.len() * 8 + self.by_time.len() * 4
    }
}

/// One condition of a search, as a part's index is asked about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition<'q> {
    /// What a row must meet (names lowered).
    pub(crate) predicate: &'q Predicate,
    /// The service whose row it must be, when one and the same row has to meet both.
    pub(crate) service: Option<&'q str>,
}

/// A part of the store. Its traces have places from 0 on.
pub(crate) trait Part: Send + Sync {
    /// Places of the traces with a row that may meet the condition; `None` for all of them.
    fn matching(&self, condition: Condition<'_>) -> Result<Option<RoaringBitmap>, StoreError>;

    /// Number of traces.
    fn count(&self) -> u32;

    /// Earliest and latest start of its rows where that is known: a trace whose rows are all here was between them.
    fn window_ns(&self) -> Option<(u64, u64)>;

    /// Whether a trace whose rows are all here may lie in the window.
    fn overlaps(&self, window: &RangeInclusive<u64>) -> bool {
        self.window_ns().is_none_or(|(first, last)| first <= *window.end() && last >= *window.start())
    }

    /// All traces.
    fn traces(&self) -> Result<Arc<Traces>, StoreError>;

    /// When the trace at a place was.
    fn time(&self, place: u32) -> Result<Option<TraceTime>, StoreError>;

    /// The id of the trace at a place.
    fn id(&self, place: u32) -> Result<TraceId, StoreError>;

    /// Places of the traces with this id, or with its low half unless `strict`.
    fn find(&self, id: TraceId, strict: bool) -> Result<Vec<u32>, StoreError>;

    /// Appends the rows of the trace at a place.
    fn rows(&self, place: u32, out: &mut Vec<Placed>) -> Result<(), StoreError>;

    /// Whether the rows of the trace at a place meet the conditions of the query (names lowered), whatever its window
    /// and its limit say.
    fn meets(&self, place: u32, query: &SpanQuery) -> Result<bool, StoreError>;

    /// Name in messages about damage.
    fn name(&self) -> String;
}

/// What traces are grouped by: the whole id, or its low half.
pub(crate) fn group(id: TraceId, strict: bool) -> TraceId {
    if strict { id } else { TraceId::new(u128::from(id.low())).unwrap_or(id) }
}
