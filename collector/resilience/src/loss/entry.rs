//! The facts about one key and the verdict they allow.

use std::collections::BTreeMap;

use tracepact_base::TraceId;

use super::MessageVerdict;
use super::tracker::Record;

/// Positions remembered per key and topic; more are counted as one more.
const POSITIONS_MAX: usize = 16;

/// A record's place and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) at_ns: u64,
}

/// Distinct records of one key in one topic, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions(Vec<Position>);

impl Positions {
    /// Adds a record unless it was shown before.
    fn add(&mut self, record: &Record) {
        let same = |p: &Position| (p.partition, p.offset) == (record.partition, record.offset);
        if self.0.len() < POSITIONS_MAX && !self.0.iter().any(same) {
            self.0.push(Position { partition: record.partition, offset: record.offset, at_ns: record.at_ns });
            self.0.sort_by_key(|p| (p.at_ns, p.partition, p.offset));
        }
    }

    pub(super) fn first(&self) -> Option<&Position> {
        self.0.first()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Position> {
        self.0.get(index)
    }
}

/// Everything known about one key.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) requests: Positions,
    pub(super) results: Positions,
    pub(super) dead_letters: Positions,
    pub(super) trace_id: Option<TraceId>,
    /// The verdict at the last look; `None` while no request was seen.
    pub(super) verdict: Option<MessageVerdict>,
    pub(super) decided_ns: Option<u64>,
    pub(super) touched_ns: u64,
}

/// Which topic of a flow a record is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    Request,
    Result,
    DeadLetter,
}

impl Entry {
    pub(super) fn add(&mut self, leg: Leg, record: &Record) {
        let positions = match leg {
            Leg::Request => &mut self.requests,
            Leg::Result => &mut self.results,
            Leg::DeadLetter => &mut self.dead_letters,
        };
        positions.add(record);
        if leg == Leg::Request || self.trace_id.is_none() {
            self.trace_id = record.trace_id.or(self.trace_id);
        }
        self.touched_ns = self.touched_ns.max(record.at_ns);
    }

    pub(super) fn deadline_ns(&self, window_ns: u64) -> Option<u64> {
        Some(self.requests.first()?.at_ns.saturating_add(window_ns))
    }

    /// The verdict that the facts allow; `None` without a request.
    ///
    /// Lost needs all of: window passed, no result, no dead letter, and a commit beyond *every* request of the key. A
    /// consumer commits after its result is produced, and the caller reads results after commits: so a slow message is
    /// queued, and not lost for even a moment.
    pub(super) fn judge(
        &self,
        commits: &BTreeMap<i32, i64>,
        now_ns: u64,
        window_ns: u64,
    ) -> Option<MessageVerdict> {
        let deadline = self.deadline_ns(window_ns)?;
        if self.dead_letters.first().is_some() {
            return Some(MessageVerdict::DeadLettered);
        }
        let Some(answer) = self.results.first() else {
            let passed = |p: &Position| commits.get(&p.partition).is_some_and(|at| *at > p.offset);
            return Some(if now_ns <= deadline {
                MessageVerdict::Open
            } else if self.requests.0.iter().all(passed) {
                MessageVerdict::Lost
            } else {
                MessageVerdict::Queued
            });
        };
        Some(if self.results.len() > 1 || self.requests.len() > 1 {
            MessageVerdict::Duplicated
        } else if answer.at_ns <= deadline {
            MessageVerdict::Answered
        } else {
            MessageVerdict::Late
        })
    }

    /// The verdict's reason, in one sentence.
    pub(super) fn reason(&self, verdict: MessageVerdict, window_ns: u64, group: &str) -> String {
        let seconds = |ns: u64| format!("{:.1} s", ns as f64 / 1e9);
        let window = seconds(window_ns);
        let waited = || {
            let requested = self.requests.first().map_or(0, |p| p.at_ns);
            seconds(self.results.first().map_or(0, |p| p.at_ns).saturating_sub(requested))
        };
        match verdict {
            MessageVerdict::Open => format!("its answer is due within {window}"),
            MessageVerdict::Answered => format!("answered after {}", waited()),
            MessageVerdict::Queued => {
                format!("no answer within {window}, but group {group} has not committed past it")
            }
            MessageVerdict::Late => format!("answered after {}, the window is {window}", waited()),
            MessageVerdict::Lost => format!(
                "group {group} committed past it, and within {window} came neither result nor dead letter"
            ),
            MessageVerdict::DeadLettered => "found in the dead-letter topic".to_owned(),
            MessageVerdict::Duplicated => {
                format!("{} requests and {} results with this key", self.requests.len(), self.results.len())
            }
        }
    }
}
