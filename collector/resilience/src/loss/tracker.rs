//! The bounded table of one flow's messages.

use std::collections::{BTreeMap, HashMap};

use tracepact_base::{ServiceName, TraceId};

use super::MessageVerdict;
use super::entry::{Entry, Leg};
use crate::board::{FlowCounts, MessageView};

/// Longest correlation key in bytes; a record with a longer one is not followed.
const KEY_BYTES_MAX: usize = 1_024;

/// What a flow is and how long its answers may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRules {
    /// The flow's name.
    pub name: String,
    /// The consumer group that must answer.
    pub group: String,
    /// The service it belongs to.
    pub service: Option<ServiceName>,
    /// Topic of requests, for events.
    pub request_topic: String,
    /// How long an answer may take, nanoseconds.
    pub window_ns: u64,
    /// Messages followed at once.
    pub entries_max: usize,
}

/// A record of one of the flow's topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Correlation key: the record's key as text.
    pub key: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// The record's timestamp, nanoseconds since 1970.
    pub at_ns: u64,
    /// The trace its headers name.
    pub trace_id: Option<TraceId>,
}

/// A message's verdict changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    /// The message as it is now.
    pub message: MessageView,
    /// The verdict before, if it had one.
    pub before: Option<MessageVerdict>,
    /// When the fact behind the verdict happened: the same however often and whenever it is worked out again.
    pub happened_ns: u64,
}

/// Follows the messages of one flow.
#[derive(Debug)]
pub struct FlowTracker {
    pub(super) rules: FlowRules,
    entries: HashMap<String, Entry>,
    commits: BTreeMap<i32, i64>,
    /// Messages dropped from the table after their verdict.
    settled: FlowCounts,
    /// How often each verdict was reached, for counters that never fall.
    reached: BTreeMap<MessageVerdict, u64>,
    unfollowed: u64,
}

impl FlowTracker {
    /// A tracker that knows nothing yet.
    pub fn new(rules: FlowRules) -> Self {
        Self {
            rules,
            entries: HashMap::new(),
            commits: BTreeMap::new(),
            settled: FlowCounts::default(),
            reached: BTreeMap::new(),
            unfollowed: 0,
        }
    }

    /// The flow's rules.
    pub fn rules(&self) -> &FlowRules {
        &self.rules
    }

    /// A record of the request topic.
    pub fn request(&mut self, record: &Record) {
        self.add(Leg::Request, record);
    }

    /// A record of the result topic.
    pub fn result(&mut self, record: &Record) {
        self.add(Leg::Result, record);
    }

    /// A record of the dead-letter topic.
    pub fn dead_letter(&mut self, record: &Record) {
        self.add(Leg::DeadLetter, record);
    }

    fn add(&mut self, leg: Leg, record: &Record) {
        if record.key.is_empty() || record.key.len() > KEY_BYTES_MAX {
            self.unfollowed += 1;
            return;
        }
        if !self.entries.contains_key(&record.key) && self.entries.len() >= self.rules.entries_max {
            self.make_room();
        }
        self.entries.entry(record.key.clone()).or_default().add(leg, record);
    }

    /// Records without a usable key, and messages that were dropped without a verdict because the table was full.
    pub fn unfollowed(&self) -> u64 {
        self.unfollowed
    }

    /// Works the verdicts out anew and returns those that changed.
    ///
    /// The caller's contract: `commits` were read first, and then everything that was in the flow's topics at that time,
    /// or later, has been shown. Partitions without an entry count as not committed.
    pub fn advance(&mut self, commits: BTreeMap<i32, i64>, now_ns: u64) -> Vec<VerdictChange> {
        self.commits = commits;
        let window = self.rules.window_ns;
        let mut changed = Vec::new();
        for (key, entry) in &mut self.entries {
            let verdict = entry.judge(&self.commits, now_ns, window);
            if verdict != entry.verdict {
                let before = entry.verdict;
                entry.verdict = verdict;
                let waits = matches!(verdict, None | Some(MessageVerdict::Open | MessageVerdict::Queued));
                entry.decided_ns = if waits { None } else { Some(now_ns) };
                if let Some(verdict) = verdict {
                    *self.reached.entry(verdict).or_default() += 1;
                }
                changed.push((key.clone(), before));
            }
        }
        let mut changes: Vec<VerdictChange> = changed
            .into_iter()
            .filter_map(|(key, before)| {
                let entry = self.entries.get(&key)?;
                Some(VerdictChange {
                    message: self.view(&key, entry)?,
                    before,
                    happened_ns: self.happened_ns(entry)?,
                })
            })
            .collect();
        changes.sort_by(|a, b| (a.happened_ns, &a.message.key).cmp(&(b.happened_ns, &b.message.key)));
        self.settle(now_ns);
        changes
    }

    fn happened_ns(&self, entry: &Entry) -> Option<u64> {
        let deadline = entry.deadline_ns(self.rules.window_ns)?;
        let at = match entry.verdict? {
            MessageVerdict::DeadLettered => entry.dead_letters.first(),
            MessageVerdict::Answered | MessageVerdict::Late => entry.results.first(),
            MessageVerdict::Duplicated => entry.results.get(1).or(entry.requests.get(1)),
            MessageVerdict::Open => entry.requests.first(),
            MessageVerdict::Lost | MessageVerdict::Queued => None,
        };
        Some(at.map_or(deadline, |position| position.at_ns))
    }

    /// Forgets what can change no more: answered messages one window after their deadline (until then a second result
    /// makes them duplicates), and results whose request never showed.
    fn settle(&mut self, now_ns: u64) {
        let window = self.rules.window_ns;
        let settled = &mut self.settled;
        self.entries.retain(|_, entry| {
            let end = entry.deadline_ns(window).unwrap_or(entry.touched_ns).max(entry.touched_ns);
            let over = now_ns > end.saturating_add(window);
            match entry.verdict {
                None => !over,
                Some(MessageVerdict::Answered) if over => {
                    settled.answered += 1;
                    false
                }
                Some(_) => true,
            }
        });
    }

    /// Drops the oldest message that has its verdict, else the oldest of all: that one is counted as not followed, for
    /// nothing may be called lost for lack of room.
    fn make_room(&mut self) {
        let waits = |entry: &Entry| {
            matches!(entry.verdict, None | Some(MessageVerdict::Open | MessageVerdict::Queued))
        };
        let oldest = self
            .entries
            .iter()
            .min_by_key(|(_, entry)| (waits(entry), entry.touched_ns))
            .map(|(key, _)| key.clone());
        let Some(gone) = oldest.and_then(|key| self.entries.remove(&key)) else { return };
        match gone.verdict {
            Some(verdict) if !waits(&gone) => *slot(&mut self.settled, verdict) += 1,
            _ => self.unfollowed += 1,
        }
    }

    /// Messages by their present verdict.
    pub fn counts(&self) -> FlowCounts {
        let mut counts = self.settled;
        for verdict in self.entries.values().filter_map(|entry| entry.verdict) {
            *slot(&mut counts, verdict) += 1;
        }
        counts
    }

    /// When the oldest message in the table was requested, nanoseconds since 1970.
    pub fn oldest_request_ns(&self) -> Option<u64> {
        self.entries.values().filter_map(|entry| Some(entry.requests.first()?.at_ns)).min()
    }

    /// How often a verdict was reached since the tracker began; never falls.
    pub fn reached(&self, verdict: MessageVerdict) -> u64 {
        self.reached.get(&verdict).copied().unwrap_or(0)
    }

    /// Up to `limit` messages of each kind: with a verdict worth hearing of, waiting past their window, and the rest;
    /// each newest first.
    pub fn messages(&self, limit: usize) -> Vec<MessageView> {
        let kind = |verdict: MessageVerdict| match verdict {
            verdict if verdict.is_news() => 0,
            MessageVerdict::Queued => 1,
            _ => 2,
        };
        let mut all: Vec<MessageView> =
            self.entries.iter().filter_map(|(key, entry)| self.view(key, entry)).collect();
        all.sort_by(|a, b| {
            let newest = |m: &MessageView| m.decided_at_ns.unwrap_or(m.requested_at_ns);
            (kind(a.verdict), newest(b), &a.key).cmp(&(kind(b.verdict), newest(a), &b.key))
        });
        let mut taken = [0usize; 3];
        all.retain(|message| {
            taken[kind(message.verdict)] += 1;
            taken[kind(message.verdict)] <= limit
        });
        all
    }

    fn view(&self, key: &str, entry: &Entry) -> Option<MessageView> {
        let request = entry.requests.first()?;
        let verdict = entry.verdict?;
        Some(MessageView {
            flow: self.rules.name.clone(),
            key: key.to_owned(),
            verdict,
            requested_at_ns: request.at_ns,
            deadline_at_ns: entry.deadline_ns(self.rules.window_ns)?,
            answered_at_ns: entry.results.first().map(|p| p.at_ns),
            decided_at_ns: entry.decided_ns,
            trace_id: entry.trace_id,
            partition: request.partition,
            offset: request.offset,
            reason: entry.reason(verdict, self.rules.window_ns, &self.rules.group),
        })
    }
}

fn slot(counts: &mut FlowCounts, verdict: MessageVerdict) -> &mut u64 {
    match verdict {
        MessageVerdict::Open => &mut counts.open,
        MessageVerdict::Answered => &mut counts.answered,
        MessageVerdict::Queued => &mut counts.queued,
        MessageVerdict::Late => &mut counts.late,
        MessageVerdict::Lost => &mut counts.lost,
        MessageVerdict::DeadLettered => &mut counts.dead_lettered,
        MessageVerdict::Duplicated => &mut counts.duplicated,
    }
}
