//! When was an offset written? Answered from the end offsets seen at polls, by interpolation.

use std::collections::VecDeque;

/// Points remembered per partition. A full table is thinned out, so it reaches far back.
const POINTS_MAX: usize = 240;
/// Distance of points beyond which a full table drops its oldest point instead: it then reaches about two days back.
const SPACING_MAX_NS: u64 = 600_000_000_000;

/// How old a backlog is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Age {
    /// Seconds since the oldest record not committed past was written.
    pub seconds: f64,
    /// The record was written before the table began: it is at least so old.
    pub at_least: bool,
}

/// End offsets of one partition over time.
#[derive(Debug, Clone, Default)]
pub struct TimeTable {
    /// (nanoseconds since 1970, end offset), both ascending.
    points: VecDeque<(u64, i64)>,
    /// Points are kept at least so far apart; the newest one moves until it is.
    spacing_ns: u64,
}

impl TimeTable {
    /// Notes that the log ended at `end` at `at_ns`. A smaller end is another log: the table starts over.
    pub fn note(&mut self, at_ns: u64, end: i64) {
        if let Some((newest_at, newest_end)) = self.points.back().copied() {
            if at_ns <= newest_at {
                return;
            }
            if end < newest_end {
                *self = Self::default();
            }
        }
        let count = self.points.len();
        if count >= 2 {
            let (newest, before) = (self.points[count - 1], self.points[count - 2]);
            let flat = newest.1 == end && before.1 == end;
            if flat || at_ns - before.0 < self.spacing_ns {
                // A flat stretch needs only its two ends.
                self.points[count - 1] = (at_ns, end);
                return;
            }
        }
        if count == POINTS_MAX {
            self.thin_out();
        }
        self.points.push_back((at_ns, end));
    }

    /// Drops every second point but the first: the table then reaches twice as far back, half as finely.
    fn thin_out(&mut self) {
        if self.spacing_ns >= SPACING_MAX_NS {
            self.points.pop_front();
            return;
        }
        let mut index = 0;
        self.points.retain(|_| {
            index += 1;
            index % 2 == 1
        });
        let (first, last) = (self.points.front(), self.points.back());
        let span_ns = last.zip(first).map_or(0, |(last, first)| last.0 - first.0);
        self.spacing_ns = span_ns / self.points.len().max(1) as u64;
    }

    /// How old the record at `committed` is; `None` when the table cannot tell, 0 when nothing is behind.
    pub fn age(&self, committed: i64, now_ns: u64) -> Option<Age> {
        let (newest_at, newest_end) = *self.points.back()?;
        let age = |written_ns: u64, at_least| {
            let seconds = now_ns.saturating_sub(written_ns) as f64 / 1e9;
            Some(Age { seconds, at_least })
        };
        if committed >= newest_end {
            return age(now_ns.max(newest_at), false);
        }
        let (oldest_at, oldest_end) = *self.points.front()?;
        if committed < oldest_end {
            return age(oldest_at, true);
        }
        // The last point at or before the offset, and the first beyond it.
        let beyond = self.points.partition_point(|(_, end)| *end <= committed);
        let (left_at, left_end) = *self.points.get(beyond.checked_sub(1)?)?;
        let (right_at, right_end) = *self.points.get(beyond)?;
        let share = (committed - left_end) as f64 / (right_end - left_end) as f64;
        age(left_at + ((right_at - left_at) as f64 * share) as u64, false)
    }
}
