//! Rows in the order of a block: by trace (low half, then high half), within a trace in order of arrival.

use tracepact_base::TraceId;
use tracepact_model::columnar::NO_DURATION;
use tracepact_model::{Span, SpanChunk};

use super::index::TraceEntry;
use crate::hot::{Inner, Placed};

/// Rows of a chunk that go into one block.
#[derive(Debug)]
pub(crate) struct Sorted<'c> {
    pub(crate) chunk: &'c SpanChunk,
    /// Positions in the chunk.
    pub(crate) rows: Vec<u32>,
    /// Of each row: the log record that brought it.
    pub(crate) lsns: Vec<u64>,
    /// Of each row: its trace's place in `traces`.
    pub(crate) trace_of: Vec<u32>,
    pub(crate) traces: Vec<TraceEntry>,
}

impl<'c> Sorted<'c> {
    /// The rows of a generation that `keep` accepts.
    pub(crate) fn of(inner: &'c Inner, keep: impl Fn(u32) -> bool) -> Self {
        let chunk = inner.chunk();
        let index = inner.traces();
        let mut order: Vec<(u64, u64, u32)> =
            (0u32..).zip(index.all()).map(|(number, trace)| (trace.low, trace.high, number)).collect();
        order.sort_unstable();
        let mut sorted = Self {
            chunk,
            rows: Vec::with_capacity(chunk.len()),
            lsns: Vec::with_capacity(chunk.len()),
            trace_of: Vec::with_capacity(chunk.len()),
            traces: Vec::with_capacity(order.len()),
        };
        for (low, high, number) in order {
            let Some(id) = TraceId::new(u128::from(high) << 64 | u128::from(low)) else { continue };
            let first = sorted.rows.len();
            for row in index.rows(number).filter(|row| keep(*row)) {
                sorted.rows.push(row);
                sorted.lsns.push(inner.request_of(row).lsn);
            }
            sorted.close(id, first);
        }
        sorted
    }

    /// Ends a trace whose rows start at `first`.
    pub(crate) fn close(&mut self, id: TraceId, first: usize) {
        let rows = &self.rows[first..];
        if rows.is_empty() {
            return;
        }
        let columns = &self.chunk.rows;
        let (mut root, mut earliest, mut longest) = (None, None, None);
        for row in rows.iter().map(|row| *row as usize) {
            if let Some(start) = self.chunk.start_ns(row) {
                if columns.parent_id[row] == 0 {
                    root = root.or(Some(start));
                }
                earliest = Some(earliest.map_or(start, |known: u64| known.min(start)));
            }
            let duration = columns.duration_ns[row];
            if duration != NO_DURATION {
                longest = longest.max(Some(duration));
            }
        }
        self.traces.push(TraceEntry {
            id,
            first_row: first as u32,
            rows: rows.len() as u32,
            timestamp_ns: root.or(earliest),
            rooted: root.is_some(),
            duration_max_ns: longest,
        });
        self.trace_of.resize(self.rows.len(), (self.traces.len() - 1) as u32);
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A column in the order of the block.
    pub(crate) fn column<'s, T: Copy + 's>(&'s self, of: &'s [T]) -> impl Iterator<Item = T> + 's {
        self.rows.iter().map(|row| of[*row as usize])
    }

    /// Earliest and latest start; zeros when no row says one.
    pub(crate) fn window_ns(&self) -> (u64, u64) {
        let starts = || self.column(&self.chunk.rows.start_ns).filter(|start| *start > 0);
        (starts().min().unwrap_or(0), starts().max().unwrap_or(0))
    }
}

/// Rows that were read, as columns again, in the order of a block.
#[derive(Debug)]
pub(crate) struct Gathered {
    chunk: SpanChunk,
    lsns: Vec<u64>,
    /// Every trace with its first row.
    traces: Vec<(TraceId, usize)>,
}

impl Gathered {
    /// All of the rows.
    pub(crate) fn of(rows: Vec<Placed>) -> Self {
        Self::gather(rows, false)
    }

    /// The rows, exact duplicates of a trace as one.
    pub(crate) fn distinct(rows: Vec<Placed>) -> Self {
        Self::gather(rows, true)
    }

    fn gather(mut rows: Vec<Placed>, distinct: bool) -> Self {
        // Stable: rows of one request stay in the order in which they were read.
        rows.sort_by_key(|p| (p.row.trace_id.low(), p.row.trace_id.high(), p.lsn));
        let mut spans = Vec::<Span>::with_capacity(rows.len());
        let (mut lsns, mut traces) = (Vec::with_capacity(rows.len()), Vec::<(TraceId, usize)>::new());
        for placed in rows {
            if traces.last().is_none_or(|(id, _)| *id != placed.row.trace_id) {
                traces.push((placed.row.trace_id, spans.len()));
            }
            let first = traces.last().map_or(0, |(_, first)| *first);
            // Equal rows have equal ids: few rows are compared whole.
            let same = |span: &Span| span.span_id == placed.row.span_id && *span == placed.row;
            if !(distinct && spans[first..].iter().any(same)) {
                lsns.push(placed.lsn);
                spans.push(placed.row);
            }
        }
        Self { chunk: SpanChunk::from(spans.as_slice()), lsns, traces }
    }

    /// The rows as a block takes them.
    pub(crate) fn sorted(&self) -> Sorted<'_> {
        let mut sorted = Sorted {
            chunk: &self.chunk,
            rows: Vec::with_capacity(self.chunk.len()),
            lsns: self.lsns.clone(),
            trace_of: Vec::with_capacity(self.chunk.len()),
            traces: Vec::with_capacity(self.traces.len()),
        };
        let ends = self.traces.iter().skip(1).map(|(_, first)| *first).chain([self.chunk.len()]);
        for ((id, first), end) in self.traces.iter().zip(ends) {
            sorted.rows.extend(*first as u32..end as u32);
            sorted.close(*id, *first);
        }
        sorted
    }
}
