//! Rows that are durable in the log and not yet in blocks: columns under one dictionary, found by trace id through a
//! hash index. Bounded: see `seal_bytes` and `hot_bytes_max`.

mod links;
pub(crate) mod names;
mod part;
mod scan;
mod traces;

use std::collections::{HashMap, HashSet};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tracepact_base::{Event, TraceId};
use tracepact_model::columnar::Merged;
use tracepact_model::{Span, SpanChunk};

use crate::engine::tombstones::{Mark, Tombstones};
use crate::red::{Counted, Minutes, minute_of};

pub(crate) use part::HotPart;
pub(crate) use scan::status_tag;
pub(crate) use traces::{HotTrace, TraceIndex};

/// What a log record makes visible.
#[derive(Debug)]
pub(crate) enum HotRows {
    /// Span rows in order of arrival, when they were received, and what they add to the counts.
    Spans(Box<SpanChunk>, u64, Box<Counted>),
    /// Counts of spans that are not kept, and when they were received.
    Counts(Box<Counted>, u64),
    /// (series number, nanoseconds since 1970, value).
    Points(Vec<(u32, u64, f64)>),
    /// Events.
    Events(Vec<Event>),
    /// Deleted traces.
    Tombstones(Vec<Mark>),
}

/// A row and its place in the order of arrival.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) lsn: u64,
    pub(crate) position: u32,
    pub(crate) row: Span,
}

/// The rows of one log record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) lsn: u64,
    pub(crate) received_at_ns: u64,
    pub(crate) first_row: u32,
}

/// Rows of a run of log segments.
#[derive(Debug, Default)]
pub(crate) struct Generation {
    inner: RwLock<Inner>,
    /// Links of its traces as far as somebody asked for them.
    links: Mutex<links::HotLinks>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    merged: Merged,
    requests: Vec<Request>,
    traces: TraceIndex,
    points: HashMap<u32, Vec<(u64, f64)>>,
    events: Vec<Event>,
    tombstones: Vec<Mark>,
    red: Minutes,
    /// Bodies that were counted: one that is sent again counts once.
    bodies: HashSet<u64>,
    /// Of points, counts, events and deletions.
    other_bytes: usize,
    point_count: u64,
    lsns: Option<(u64, u64)>,
    started_ns: u64,
}

/// How much a generation holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) bytes: usize,
    pub(crate) rows: u64,
    pub(crate) points: u64,
    pub(crate) events: u64,
    /// First and last LSN.
    pub(crate) lsns: Option<(u64, u64)>,
    /// Monotonic time of its beginning; `None` while it is empty.
    pub(crate) since_ns: Option<u64>,
}

impl Generation {
    /// An empty generation; its age counts from now.
    pub(crate) fn starting_at(monotonic_ns: u64) -> Self {
        let inner = RwLock::new(Inner { started_ns: monotonic_ns, ..Inner::default() });
        Self { inner, links: Mutex::default() }
    }

    pub(crate) fn push_spans(&self, lsn: u64, received_at_ns: u64, rows: &SpanChunk) {
        let mut inner = self.inner.write();
        inner.note(lsn, 0);
        let first_row = inner.chunk().len() as u32;
        inner.requests.push(Request { lsn, received_at_ns, first_row });
        inner.merged.absorb(rows);
        inner.traces.add(&rows.rows);
    }

    /// Adds to the counts what a log record brought, unless the same body was counted before.
    pub(crate) fn push_counts(&self, lsn: u64, received_at_ns: u64, mut counted: Counted) {
        /// Bytes of a row of counts in memory, roughly.
        const ROW_BYTES: usize = 400;
        let mut inner = self.inner.write();
        inner.note(lsn, 0);
        if counted.counts.is_empty() || counted.body.is_some_and(|body| !inner.bodies.insert(body)) {
            return;
        }
        counted.counts.brought_by(lsn);
        let minute = inner.red.entry(minute_of(received_at_ns)).or_default();
        let known = minute.len();
        minute.merge(&counted.counts);
        let new = minute.len() - known;
        inner.other_bytes += new * ROW_BYTES + 16;
    }

    pub(crate) fn push_points(&self, lsn: u64, points: &[(u32, u64, f64)]) {
        let mut inner = self.inner.write();
        inner.note(lsn, points.len() * 16);
        inner.point_count += points.len() as u64;
        for (series, at, value) in points {
            inner.points.entry(*series).or_default().push((*at, *value));
        }
    }

    pub(crate) fn push_events(&self, lsn: u64, events: &[Event]) {
        let mut inner = self.inner.write();
        inner.note(lsn, events.len() * 512);
        inner.events.extend_from_slice(events);
    }

    pub(crate) fn push_tombstones(&self, lsn: u64, marks: &[Mark]) {
        let mut inner = self.inner.write();
        inner.note(lsn, size_of_val(marks));
        inner.tombstones.extend_from_slice(marks);
    }

    /// Deletions that were logged beside these rows, for sealing.
    pub(crate) fn tombstones(&self) -> Vec<Mark> {
        self.inner.read().tombstones.clone()
    }

    pub(crate) fn held(&self) -> Held {
        let inner = self.inner.read();
        Held {
            bytes: inner.merged.bytes() + inner.traces.bytes() + inner.other_bytes,
            rows: inner.chunk().len() as u64,
            points: inner.point_count,
            events: inner.events.len() as u64,
            lsns: inner.lsns,
            since_ns: inner.lsns.map(|_| inner.started_ns),
        }
    }

    /// The rows so far. Appends wait while this is held: for as long as a scan takes, not longer.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read()
    }

    /// Points of a series within a window, in order of arrival.
    pub(crate) fn points(&self, series: u32, start_ns: u64, end_ns: u64) -> Vec<(u64, f64)> {
        let inner = self.inner.read();
        let points = inner.points.get(&series).into_iter().flatten();
        points.filter(|(at, _)| (start_ns..=end_ns).contains(at)).copied().collect()
    }

    /// All points by series, for sealing.
    pub(crate) fn all_points(&self) -> HashMap<u32, Vec<(u64, f64)>> {
        self.inner.read().points.clone()
    }

    /// All events, for sealing.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.inner.read().events.clone()
    }
}

impl Inner {
    fn note(&mut self, lsn: u64, bytes: usize) {
        self.other_bytes += bytes;
        self.lsns = Some(self.lsns.map_or((lsn, lsn), |(first, _)| (first, lsn)));
    }

    /// The first log record whose rows are here: no other generation has it.
    pub(crate) fn first_lsn(&self) -> Option<u64> {
        self.lsns.map(|(first, _)| first)
    }

    /// Rate, errors and durations by minute.
    pub(crate) fn red(&self) -> &Minutes {
        &self.red
    }

    /// All rows in order of arrival.
    pub(crate) fn chunk(&self) -> &SpanChunk {
        self.merged.chunk()
    }

    /// Whether a row was deleted.
    pub(crate) fn is_hidden(&self, row: usize, tombstones: &Tombstones) -> bool {
        if tombstones.len() == 0 {
            return false;
        }
        let rows = &self.chunk().rows;
        let id = TraceId::new(u128::from(rows.trace_high[row]) << 64 | u128::from(rows.trace_low[row]));
        id.is_some_and(|id| tombstones.hides(id, self.request_of(row as u32).lsn))
    }

    /// All traces.
    pub(crate) fn traces(&self) -> &TraceIndex {
        &self.traces
    }

    /// The request that brought a row.
    pub(crate) fn request_of(&self, row: u32) -> Request {
        let after = self.requests.partition_point(|request| request.first_row <= row);
        let none = Request { lsn: 0, received_at_ns: 0, first_row: row };
        after.checked_sub(1).and_then(|index| self.requests.get(index)).copied().unwrap_or(none)
    }
}
