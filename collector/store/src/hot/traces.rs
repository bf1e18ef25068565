//! Trace id to rows: a hash index over traces, the rows of each linked in order of arrival.

use hashbrown::HashTable;
use tracepact_model::columnar::{Columns, NO_DURATION};

const NONE: u32 = u32::MAX;

/// What is known of a trace without looking at its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HotTrace {
    pub(crate) low: u64,
    pub(crate) high: u64,
    first_row: u32,
    last_row: u32,
    pub(crate) rows: u32,
    /// The next trace with the same low half.
    twin: u32,
    /// Start of the first row without a parent that has one; 0 for none.
    pub(crate) root_start_ns: u64,
    /// Earliest start; 0 for none.
    pub(crate) earliest_ns: u64,
    /// Longest duration; 0 for none.
    pub(crate) duration_max_ns: u64,
}

impl HotTrace {
    /// The timestamp that these rows give, and whether it is a root's.
    pub(crate) fn timestamp(&self) -> Option<(u64, bool)> {
        match (self.root_start_ns, self.earliest_ns) {
            (0, 0) => None,
            (0, earliest) => Some((earliest, false)),
            (root, _) => Some((root, true)),
        }
    }
}

/// The traces of a generation, numbered in order of arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct TraceIndex {
    /// By low half: the first trace with it.
    table: HashTable<u32>,
    traces: Vec<HotTrace>,
    /// Of each row: its trace, and the next row of that trace.
    trace_of: Vec<u32>,
    next: Vec<u32>,
}

/// Low halves are random, but senders choose them.
fn spread(low: u64) -> u64 {
    let mixed = (low ^ (low >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}

impl TraceIndex {
    /// Adds rows behind those that are there.
    pub(crate) fn add(&mut self, rows: &Columns) {
        let first = self.trace_of.len() as u32;
        for i in 0..rows.len() {
            let row = first + i as u32;
            let (low, high) = (rows.trace_low[i], rows.trace_high[i]);
            let trace = self.number(low, high, row);
            self.trace_of.push(trace);
            self.next.push(NONE);
            let Some(known) = self.traces.get_mut(trace as usize) else { continue };
            if known.rows > 0
                && let Some(next) = self.next.get_mut(known.last_row as usize)
            {
                *next = row;
            }
            known.last_row = row;
            known.rows += 1;
            let start = rows.start_ns[i];
            if start > 0 {
                if rows.parent_id[i] == 0 && known.root_start_ns == 0 {
                    known.root_start_ns = start;
                }
                if known.earliest_ns == 0 || start < known.earliest_ns {
                    known.earliest_ns = start;
                }
            }
            let duration = rows.duration_ns[i];
            if duration != NO_DURATION {
                known.duration_max_ns = known.duration_max_ns.max(duration);
            }
        }
    }

    fn number(&mut self, low: u64, high: u64, row: u32) -> u32 {
        let Self { table, traces, .. } = self;
        let fresh = |twin| HotTrace {
            low,
            high,
            first_row: row,
            last_row: row,
            rows: 0,
            twin,
            root_start_ns: 0,
            earliest_ns: 0,
            duration_max_ns: 0,
        };
        let new = traces.len() as u32;
        let of = |trace: u32| traces.get(trace as usize).map_or(0, |trace| trace.low);
        let Some(first) = table.find(spread(low), |trace| of(*trace) == low).copied() else {
            table.insert_unique(spread(low), new, |trace| spread(of(*trace)));
            traces.push(fresh(NONE));
            return new;
        };
        let mut at = first;
        loop {
            let Some(known) = traces.get_mut(at as usize) else { return at };
            if known.high == high {
                return at;
            }
            if known.twin == NONE {
                known.twin = new;
                traces.push(fresh(NONE));
                return new;
            }
            at = known.twin;
        }
    }

    /// Numbers of the traces with this low half.
    pub(crate) fn find(&self, low: u64) -> impl Iterator<Item = u32> {
        let same = |trace: &u32| self.traces.get(*trace as usize).is_some_and(|trace| trace.low == low);
        let first = self.table.find(spread(low), same).copied();
        std::iter::successors(first, |trace| {
            self.traces.get(*trace as usize).map(|trace| trace.twin).filter(|twin| *twin != NONE)
        })
    }

    /// The trace with this number.
    pub(crate) fn get(&self, trace: u32) -> Option<&HotTrace> {
        self.traces.get(trace as usize)
    }

    /// All traces.
    pub(crate) fn all(&self) -> &[HotTrace] {
        &self.traces
    }

    /// Rows of a trace in order of arrival.
    pub(crate) fn rows(&self, trace: u32) -> impl Iterator<Item = u32> + Clone {
        let first =
            self.traces.get(trace as usize).filter(|trace| trace.rows > 0).map(|trace| trace.first_row);
        std::iter::successors(first, |row| self.next.get(*row as usize).copied().filter(|next| *next != NONE))
    }

    /// The trace of each row.
    pub(crate) fn trace_of(&self) -> &[u32] {
        &self.trace_of
    }

    /// Bytes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.traces.len() * (size_of::<HotTrace>() + 8) + self.trace_of.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use tracepact_model::columnar::Row;

    use super::*;

    #[test]
    fn rows_of_a_trace_come_in_order_and_twins_are_told_apart() {
        let mut rows = Columns::default();
        for (low, high, parent, start) in
            [(7, 0, 1, 50), (8, 0, 0, 10), (7, 0, 0, 60), (7, 9, 0, 5), (7, 0, 1, 40)]
        {
            let row = Row {
                trace_low: low,
                trace_high: high,
                parent_id: parent,
                start_ns: start,
                ..Row::default()
            };
            rows.push(row);
        }
        let mut index = TraceIndex::default();
        index.add(&rows);
        index.add(&rows);
        let found: Vec<u32> = index.find(7).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(index.rows(found[0]).collect::<Vec<_>>(), [0, 2, 4, 5, 7, 9]);
        assert_eq!(index.rows(found[1]).collect::<Vec<_>>(), [3, 8]);
        assert_eq!(index.get(found[0]).unwrap().timestamp(), Some((60, true)));
        assert_eq!(index.find(99).count(), 0);
        assert_eq!(index.trace_of()[6], index.find(8).next().unwrap());
    }
}
