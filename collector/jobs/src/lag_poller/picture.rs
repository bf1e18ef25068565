//! From a reading to the picture on the board, the series and the events.

use std::collections::BTreeMap;

use tracepact_base::{Event, EventKind, Topic};
use tracepact_resilience::Measure;
use tracepact_resilience::board::{GroupView, LagBoard, LagView, PartitionView, TopicView};
use tracepact_resilience::lag::{Numbers, Poll, Verdict};
use tracepact_resilience::series;

use super::{LagOutcome, LagPoller, Reading};
use crate::kafka::{DescribedGroup, Place};

/// A group that could not be asked: everything that was measured is unknown now.
pub(super) fn unknown(group: &GroupView) -> GroupView {
    let partition = |p: &PartitionView| PartitionView {
        lag_messages: None,
        lag_seconds: None,
        lag_seconds_at_least: false,
        owner: None,
        verdict: Verdict::Unknown,
        ..p.clone()
    };
    let topic = |t: &TopicView| TopicView {
        lag_messages: None,
        lag_seconds: None,
        worst_partition: None,
        partitions: t.partitions.iter().map(partition).collect(),
        ..t.clone()
    };
    GroupView {
        state: "Unknown".to_owned(),
        members: None,
        verdict: Verdict::Unknown,
        topics: group.topics.iter().map(topic).collect(),
        ..group.clone()
    }
}

/// The worst of several verdicts; unknown only when nothing better or worse is known.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let known = verdicts.filter(|verdict| *verdict != Verdict::Unknown).max();
    known.unwrap_or(Verdict::Unknown)
}

fn oldest(ages: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    ages.flatten().reduce(f64::max)
}

impl LagPoller {
    pub(super) fn judge(&mut self, reading: &Reading, board: &LagBoard) -> LagOutcome {
        let mut views = Vec::new();
        let (mut measures, mut events) = (Vec::new(), Vec::new());
        for (name, listed) in &reading.groups {
            let described = self.described.get(name).cloned().unwrap_or_default();
            let Some(commits) = reading.commits.get(name) else {
                let before = self.last.groups.iter().find(|view| view.group == *name);
                views.push(before.map_or_else(|| self.empty(name, "Unknown"), unknown));
                continue;
            };
            let state = if listed.state.is_empty() { &described.state } else { &listed.state };
            let topics = self.topics(name, state, commits, &described, reading);
            let view = GroupView {
                members: Some(described.members),
                rebalances: board.rebalances(name),
                verdict: worst(topics.iter().flat_map(|t| t.partitions.iter().map(|p| p.verdict))),
                topics,
                ..self.empty(name, state)
            };
            measures.extend(group_measures(&view, reading.at_ns));
            events.extend(self.verdict_events(&view, reading.at_ns));
            views.push(view);
        }
        // Groups of brokers that did not answer.
        let unasked = self.last.groups.iter().filter(|view| !reading.groups.contains_key(&view.group));
        views.extend(unasked.map(unknown));
        views.sort_by(|a, b| a.group.cmp(&b.group));
        let error = (!reading.errors.is_empty()).then(|| reading.errors.join("; "));
        let view = LagView { as_of_ns: Some(reading.at_ns), groups: views, error };
        LagOutcome { view, measures, events }
    }

    fn empty(&self, group: &str, state: &str) -> GroupView {
        GroupView {
            group: group.to_owned(),
            service: self.services.get(group).map(ToString::to_string),
            state: state.to_owned(),
            members: None,
            rebalances: None,
            verdict: Verdict::Unknown,
            topics: Vec::new(),
        }
    }

    fn topics(
        &mut self,
        group: &str,
        state: &str,
        commits: &BTreeMap<Place, i64>,
        described: &DescribedGroup,
        reading: &Reading,
    ) -> Vec<TopicView> {
        let mut places: Vec<&Place> = commits.keys().chain(described.owners.keys()).collect();
        places.sort();
        places.dedup();
        let mut topics: Vec<TopicView> = Vec::new();
        for place in places {
            // A topic that is gone has no numbers; neither has a partition whose leader did not answer.
            let Some(end) = reading.ends.get(place).copied() else { continue };
            let start = self.starts.get(place).copied().unwrap_or(0);
            let owner = described.owners.get(place).filter(|_| state == "Stable");
            let committed = commits.get(place).copied();
            let numbers = Numbers::of(committed, start, end);
            let poll = Poll { at_ns: reading.at_ns, committed, start, end, owned: owner.is_some() };
            let ring = self.rings.entry((group.to_owned(), place.clone())).or_default();
            let verdict = ring.observe(poll, &self.rules);
            let age = committed.and_then(|at| self.tables.get(place)?.age(at.max(start), reading.at_ns));
            let partition = PartitionView {
                partition: place.1,
                committed,
                end,
                start,
                lag_messages: numbers.lag_messages,
                lag_seconds: age.map(|age| age.seconds),
                lag_seconds_at_least: age.is_some_and(|age| age.at_least),
                lost_messages: numbers.lost_messages,
                ahead_messages: numbers.ahead_messages,
                owner: owner.cloned(),
                verdict,
            };
            match topics.last_mut().filter(|topic| topic.topic == place.0) {
                Some(topic) => topic.partitions.push(partition),
                None => topics.push(TopicView {
                    topic: place.0.clone(),
                    lag_messages: None,
                    lag_seconds: None,
                    lost_messages: 0,
                    worst_partition: None,
                    partitions: vec![partition],
                }),
            }
        }
        topics.iter_mut().for_each(sum_up);
        topics
    }

    /// A change of a topic's worst verdict is an event; unknown is no verdict and changes nothing.
    fn verdict_events(&mut self, group: &GroupView, at_ns: u64) -> Vec<Event> {
        let mut events = Vec::new();
        for topic in &group.topics {
            let now = worst(topic.partitions.iter().map(|p| p.verdict));
            if now == Verdict::Unknown {
                continue;
            }
            let key = (group.group.clone(), topic.topic.clone());
            let before = self.verdicts.insert(key, now).unwrap_or(Verdict::Ok);
            if before == now {
                continue;
            }
            let lag = topic.lag_messages.map_or_else(|| "unknown".to_owned(), |lag| lag.to_string());
            let title = format!(
                "Group {} on {} went from {} to {}",
                group.group,
                topic.topic,
                before.name(),
                now.name()
            );
            let mut event = Event::new(EventKind::LagVerdict, at_ns, title)
                .because(format!("lag is {lag} messages, the group is {}", group.state))
                .with("group", group.group.clone())
                .with("from", before.name())
                .with("to", now.name())
                .with("lag_messages", lag)
                .link("lag", format!("/messages?group={}", group.group));
            event.destination = Topic::new(&topic.topic).ok();
            event.service = self.services.get(&group.group).cloned();
            events.push(event);
        }
        events
    }
}

fn sum_up(topic: &mut TopicView) {
    let lags = || topic.partitions.iter().filter_map(|p| Some((p.lag_messages?, p.partition)));
    topic.lag_messages = lags().map(|(lag, _)| lag).reduce(i64::saturating_add);
    topic.worst_partition = lags().filter(|(lag, _)| *lag > 0).max().map(|(_, partition)| partition);
    topic.lag_seconds = oldest(topic.partitions.iter().map(|p| p.lag_seconds));
    topic.lost_messages = topic.partitions.iter().map(|p| p.lost_messages).sum();
}

fn group_measures(group: &GroupView, at_ns: u64) -> Vec<Measure> {
    let mut measures = Vec::new();
    if let Some(members) = group.members {
        let labels = [("group", group.group.as_str())];
        measures.push(Measure::new(series::CONSUMER_MEMBERS, &labels, at_ns, members as f64));
    }
    for topic in &group.topics {
        for p in topic.partitions.iter().filter(|p| p.committed.is_some()) {
            let partition = p.partition.to_string();
            let labels =
                [("group", group.group.as_str()), ("topic", &topic.topic), ("partition", &partition)];
            let values = [
                (series::CONSUMER_LAG_MESSAGES, p.lag_messages.map(|lag| lag as f64)),
                (series::CONSUMER_LAG_SECONDS, p.lag_seconds),
                (series::CONSUMER_LOST_MESSAGES, Some(p.lost_messages as f64)),
            ];
            let measure = |(name, value): (_, Option<f64>)| {
                value.map(|value| Measure::new(name, &labels, at_ns, value))
            };
            measures.extend(values.into_iter().filter_map(measure));
        }
    }
    measures
}
