//! The newest rows, in memory until they are sealed into a block. Bounded in bytes by the engine.
//!
//! A generation belongs to one run of log segments: once its rows are in published blocks, those segments go.

pub(crate) mod names;
mod part;
mod size;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tracepact_base::{Event, TraceId};
use tracepact_model::Span;

use crate::engine::tombstones::Mark;

use self::names::NameIndex;
pub(crate) use self::part::HotPart;
pub(crate) use self::size::span_bytes;

/// What one log record makes visible.
#[derive(Debug)]
pub(crate) enum HotRows {
    /// Span rows in order of arrival.
    Spans(Vec<Span>, u64),
    /// (series number, nanoseconds since 1970, value).
    Points(Vec<(u32, u64, f64)>),
    /// Events.
    Events(Vec<Event>),
    /// Deleted traces.
    Tombstones(Vec<Mark>),
}

/// The rows of one log record.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) lsn: u64,
    pub(crate) received_at_ns: u64,
    pub(crate) rows: Vec<Span>,
}

/// A row and its place in the order of arrival.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) lsn: u64,
    pub(crate) position: u32,
    pub(crate) received_at_ns: u64,
    pub(crate) row: Span,
}

/// Rows of a run of log segments.
#[derive(Debug, Default)]
pub(crate) struct Generation {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    chunks: Vec<Arc<Chunk>>,
    /// Low half of the trace id → (chunk, row).
    traces: HashMap<u64, Vec<(u32, u32)>>,
    names: NameIndex,
    points: HashMap<u32, Vec<(u64, f64)>>,
    events: Vec<Event>,
    tombstones: Vec<Mark>,
    bytes: usize,
    rows: u64,
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
        Self { inner: RwLock::new(Inner { started_ns: monotonic_ns, ..Inner::default() }) }
    }

    pub(crate) fn push_spans(&self, lsn: u64, received_at_ns: u64, rows: Vec<Span>) {
        let bytes: usize = rows.iter().map(span_bytes).sum();
        let mut inner = self.inner.write();
        inner.note(lsn, bytes);
        inner.rows += rows.len() as u64;
        let chunk = u32::try_from(inner.chunks.len()).unwrap_or(u32::MAX);
        for (i, row) in (0u32..).zip(&rows) {
            inner.traces.entry(row.trace_id.low()).or_default().push((chunk, i));
            inner.names.add(row);
        }
        inner.chunks.push(Arc::new(Chunk { lsn, received_at_ns, rows }));
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
            bytes: inner.bytes,
            rows: inner.rows,
            points: inner.point_count,
            events: inner.events.len() as u64,
            lsns: inner.lsns,
            since_ns: inner.lsns.map(|_| inner.started_ns),
        }
    }

    /// All chunks so far; later ones are not seen.
    pub(crate) fn chunks(&self) -> Vec<Arc<Chunk>> {
        self.inner.read().chunks.clone()
    }

    pub(crate) fn names(&self) -> NameIndex {
        self.inner.read().names.clone()
    }

    /// Rows of one trace; of every trace with the same low half unless `strict`.
    pub(crate) fn trace(&self, id: TraceId, strict: bool, out: &mut Vec<Placed>) {
        let inner = self.inner.read();
        for (chunk, position) in inner.traces.get(&id.low()).into_iter().flatten() {
            let chunk = &inner.chunks[*chunk as usize];
            let row = &chunk.rows[*position as usize];
            if !strict || row.trace_id == id {
                let (lsn, received_at_ns) = (chunk.lsn, chunk.received_at_ns);
                out.push(Placed { lsn, position: *position, received_at_ns, row: row.clone() });
            }
        }
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
        self.bytes += bytes;
        self.lsns = Some(self.lsns.map_or((lsn, lsn), |(first, _)| (first, lsn)));
    }
}
