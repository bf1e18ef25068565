//! The last minutes of one group on one partition, and the verdict over them.

use std::collections::VecDeque;

use super::{Numbers, Verdict};

/// How much is remembered and what is tolerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Polls closer together than this share a slot, nanoseconds.
    pub slot_ns: u64,
    /// Slots remembered.
    pub slots: usize,
    /// Slots that must be filled before silence or standstill is a verdict, so that a restart does not alarm.
    pub patience_slots: usize,
    /// Lag that is no lag, for example 1 for transactional topics whose last offset is a control record.
    pub allowed_lag: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { slot_ns: 10_000_000_000, slots: 10, patience_slots: 3, allowed_lag: 0 }
    }
}

/// What one poll read, commit before end offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
    /// The group's committed offset; `None` when it never committed.
    pub committed: Option<i64>,
    /// First offset of the log.
    pub start: i64,
    /// End of the log.
    pub end: i64,
    /// Whether a live member owns the partition. An owner that commits nothing new counts as committing the same again.
    pub owned: bool,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    since_ns: u64,
    at_ns: u64,
    committed: i64,
    lag: i64,
}

/// The remembered polls of one group on one partition.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    slots: VecDeque<Slot>,
    /// (since, end offset at that time): was it ever caught up within the window?
    ends: VecDeque<(u64, i64)>,
    newest: Option<Poll>,
}

impl Ring {
    /// Remembers a poll and judges.
    pub fn observe(&mut self, poll: Poll, rules: &Rules) -> Verdict {
        if self.newest.is_some_and(|newest| poll.at_ns <= newest.at_ns) {
            return self.verdict(rules);
        }
        if self.newest.is_some_and(|newest| poll.end < newest.end) {
            // The log is another one under the same name.
            *self = Self::default();
        }
        let spaced = |since: u64| poll.at_ns.saturating_sub(since) >= rules.slot_ns;
        if self.ends.back().is_none_or(|(since, _)| spaced(*since)) {
            self.ends.push_back((poll.at_ns, poll.end));
        }
        let changed = self.slots.back().map(|slot| slot.committed) != poll.committed;
        if let Some(committed) = poll.committed
            && (changed || poll.owned)
        {
            let lag = Numbers::of(Some(committed), poll.start, poll.end).lag_messages.unwrap_or(0);
            let slot = Slot { since_ns: poll.at_ns, at_ns: poll.at_ns, committed, lag };
            match self.slots.back_mut() {
                // A fast committer must not shrink the window; a step back is never hidden.
                Some(last) if !spaced(last.since_ns) && committed >= last.committed => {
                    *last = Slot { since_ns: last.since_ns, ..slot };
                }
                _ => self.slots.push_back(slot),
            }
        }
        while self.slots.len() > rules.slots {
            self.slots.pop_front();
        }
        while self.ends.len() > rules.slots {
            self.ends.pop_front();
        }
        self.newest = Some(poll);
        self.verdict(rules)
    }

    /// Burrow's rules in their order; the first that matches decides.
    fn verdict(&self, rules: &Rules) -> Verdict {
        let (Some(now), Some(first), Some(last)) = (self.newest, self.slots.front(), self.slots.back())
        else {
            return Verdict::Unknown;
        };
        let Some(lag) = Numbers::of(now.committed, now.start, now.end).lag_messages else {
            return Verdict::Unknown;
        };
        if lag <= rules.allowed_lag {
            return Verdict::Ok;
        }
        let patience_ns = rules.slot_ns.saturating_mul(rules.patience_slots as u64);
        let silent_ns = now.at_ns.saturating_sub(last.at_ns);
        let caught_up_lately = self.ends.iter().any(|(_, end)| *end <= last.committed);
        let remembered_ns = last.at_ns.saturating_sub(first.since_ns);
        if !now.owned && silent_ns >= patience_ns && silent_ns > remembered_ns && !caught_up_lately {
            return Verdict::Stop;
        }
        if self.rewound() {
            return Verdict::Rewind;
        }
        let enough = self.slots.len() >= rules.patience_slots;
        if !enough || self.slots.iter().any(|slot| slot.lag <= rules.allowed_lag) {
            return Verdict::Ok;
        }
        let pairs = || self.slots.iter().zip(self.slots.iter().skip(1));
        if pairs().all(|(a, b)| a.committed == b.committed) {
            return Verdict::Stall;
        }
        if pairs().all(|(a, b)| b.lag >= a.lag) { Verdict::Warn } else { Verdict::Ok }
    }

    fn rewound(&self) -> bool {
        let offsets: Vec<i64> = self.slots.iter().map(|slot| slot.committed).collect();
        let back = offsets.windows(2).position(|pair| pair[1] < pair[0]);
        back.is_some_and(|at| offsets[at + 1..].iter().all(|offset| *offset < offsets[at]))
    }
}
