//! The audit of one flow: reads request, result and dead-letter topics by plain fetch, without joining any group.
//!
//! A round reads in this order: the group's commits; the ends of the topics; everything up to those ends. A consumer
//! commits after its result is produced, so whatever is committed past has its result within what was then read: a slow
//! message is never called lost. After a restart it reads again from before the oldest open window.

mod trace_header;

use std::collections::BTreeMap;

use tracepact_base::{Event, ServiceName, SharedClock, Topic};
use tracepact_resilience::Measure;
use tracepact_resilience::board::{FlowView, MessageView};
use tracepact_resilience::loss::{FlowRules, FlowTracker, MessageVerdict, Record};
use tracepact_resilience::series;

use crate::config::FlowConfig;
use crate::kafka::{Cluster, Place, WireError, WireRecord, read_records};

/// How much before two windows ago reading begins after a start: producers' clocks differ.
const REPLAY_SLACK_NS: u64 = 60_000_000_000;
/// Records asked for at once, bytes.
const FETCH_BYTES_MAX: i32 = 4 << 20;
/// A batch that is longer than this when unpacked is not read.
const UNPACKED_BYTES_MAX: usize = 64 << 20;
/// Fetches in one round; what is left waits for the next, and nothing is judged before.
const FETCHES_MAX: usize = 200;
/// Kafka's OFFSET_OUT_OF_RANGE.
const OUT_OF_RANGE: i16 = 1;

/// What a round brought.
#[derive(Default)]
pub(crate) struct AuditOutcome {
    pub(crate) measures: Vec<Measure>,
    pub(crate) events: Vec<Event>,
}

/// The audit of one flow.
pub(crate) struct LossAudit {
    flow: FlowConfig,
    tracker: FlowTracker,
    /// Next offset to read.
    positions: BTreeMap<Place, i64>,
    topic_ids: BTreeMap<String, uuid::Uuid>,
    error: Option<String>,
    damaged: u64,
}

impl LossAudit {
    pub(crate) fn new(flow: &FlowConfig, service: Option<ServiceName>) -> Self {
        let rules = FlowRules {
            name: flow.name.clone(),
            group: flow.group.clone(),
            service,
            request_topic: flow.request_topic.to_string(),
            window_ns: u64::try_from(flow.window.as_nanos()).unwrap_or(u64::MAX),
            entries_max: flow.entries_max,
        };
        Self {
            flow: flow.clone(),
            tracker: FlowTracker::new(rules),
            positions: BTreeMap::new(),
            topic_ids: BTreeMap::new(),
            error: None,
            damaged: 0,
        }
    }

    /// Notes that Kafka could not be asked: verdicts stand still.
    pub(crate) fn failed(&mut self, error: &str) {
        self.error = Some(error.to_owned());
    }

    /// One round. On an error nothing is judged; the next round goes on where this one stopped.
    pub(crate) async fn round(&mut self, cluster: &mut Cluster, clock: &SharedClock) -> AuditOutcome {
        match self.read(cluster, clock.now_ns()).await {
            Ok(Some(commits)) => {
                self.error = None;
                self.judge(commits, clock.now_ns())
            }
            Ok(None) => {
                self.error = Some("still reading what happened before".to_owned());
                AuditOutcome::default()
            }
            Err(error) => {
                self.error = Some(error.to_string());
                AuditOutcome::default()
            }
        }
    }

    /// Reads up to now; the group's commits on the request topic, or `None` when the ends were not reached yet.
    async fn read(
        &mut self,
        cluster: &mut Cluster,
        now_ns: u64,
    ) -> Result<Option<BTreeMap<i32, i64>>, WireError> {
        self.forget_recreated_topics(cluster);
        let commits = cluster.commits_of(&self.flow.group).await?;
        // A topic that did not exist a moment ago may hold the answer that was committed past by now.
        let unknown = |topic: &Topic| !cluster.topics().contains_key(topic.as_str());
        if unknown(&self.flow.result_topic) || self.flow.dead_letter_topic.as_ref().is_some_and(unknown) {
            cluster.refresh().await?;
        }
        let request_topic = self.flow.request_topic.as_str().to_owned();
        let window_ns = self.tracker.rules().window_ns;
        let since_ns = now_ns.saturating_sub(window_ns.saturating_mul(2)).saturating_sub(REPLAY_SLACK_NS);
        let mut complete = true;

        let requests = places(cluster, &request_topic);
        self.begin(cluster, &requests, since_ns, &commits).await?;
        complete &= self.read_to_end(cluster, &requests).await?;

        // A request that waits since long ago may have been answered long ago, too.
        let since_ns = self.tracker.oldest_request_ns().map_or(since_ns, |oldest| oldest.min(since_ns));
        let answers = self.flow.dead_letter_topic.iter().chain([&self.flow.result_topic]);
        let answers: Vec<Place> = answers.flat_map(|topic| places(cluster, topic.as_str())).collect();
        self.begin(cluster, &answers, since_ns, &BTreeMap::new()).await?;
        complete &= self.read_to_end(cluster, &answers).await?;

        let on_requests = commits.into_iter().filter(|(place, _)| place.0 == request_topic);
        Ok(complete.then(|| on_requests.map(|(place, offset)| (place.1, offset)).collect()))
    }

    fn forget_recreated_topics(&mut self, cluster: &Cluster) {
        for (topic, info) in cluster.topics() {
            let before = self.topic_ids.insert(topic.clone(), info.id);
            if before.is_some_and(|before| before != info.id) {
                self.positions.retain(|place, _| place.0 != *topic);
            }
        }
    }

    /// Finds where to begin on partitions that were not read before: at `since_ns`, or at the commit if that is earlier.
    async fn begin(
        &mut self,
        cluster: &mut Cluster,
        wanted: &[Place],
        since_ns: u64,
        commits: &BTreeMap<Place, i64>,
    ) -> Result<(), WireError> {
        let fresh = wanted.iter().filter(|place| !self.positions.contains_key(*place));
        let fresh: Vec<Place> = fresh.cloned().collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let at = |time: i64| fresh.iter().map(|place| (place.clone(), time)).collect::<Vec<_>>();
        let since_ms = i64::try_from(since_ns / 1_000_000).unwrap_or(i64::MAX);
        let by_time = cluster.offsets(&at(since_ms)).await?;
        let ends = cluster.offsets(&at(-1)).await?;
        for place in fresh {
            let (Some(by_time), Some(end)) = (by_time.get(&place), ends.get(&place)) else { continue };
            // -1: nothing is that young.
            let from = if *by_time < 0 { *end } else { *by_time };
            let from = commits.get(&place).map_or(from, |committed| from.min(*committed));
            self.positions.insert(place, from);
        }
        Ok(())
    }

    /// Reads partitions up to their present ends; `false` when that would take too many requests for one round.
    async fn read_to_end(&mut self, cluster: &mut Cluster, wanted: &[Place]) -> Result<bool, WireError> {
        let at_end: Vec<_> = wanted.iter().map(|place| (place.clone(), -1)).collect();
        let ends = cluster.offsets(&at_end).await?;
        let all_answered = wanted.iter().all(|place| ends.contains_key(place));
        for _ in 0..FETCHES_MAX {
            let behind: Vec<(Place, i64)> = ends
                .iter()
                .filter_map(|(place, end)| {
                    let at = *self.positions.get(place)?;
                    (at < *end).then(|| (place.clone(), at))
                })
                .collect();
            if behind.is_empty() {
                return Ok(all_answered);
            }
            let fetched = cluster.fetch(&behind, FETCH_BYTES_MAX).await?;
            let mut moved = false;
            for (place, at) in behind {
                let Some(part) = fetched.get(&place) else { continue };
                let next = match part.code {
                    0 => self.show(&place, at, &part.records),
                    // Retention overtook us, or the log is another one: go on at its start.
                    OUT_OF_RANGE => Some(if at < part.log_start { part.log_start } else { 0 }),
                    code => return Err(WireError::Code { what: "Fetch", code }),
                };
                if let Some(next) = next.filter(|next| *next != at) {
                    moved = true;
                    self.positions.insert(place, next);
                }
            }
            if !moved {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Shows the records of one partition to the tracker; where to go on.
    fn show(&mut self, place: &Place, from: i64, data: &bytes::Bytes) -> Option<i64> {
        let batches = read_records(data, UNPACKED_BYTES_MAX);
        if batches.damaged > 0 {
            self.damaged += batches.damaged;
            tracing::warn!(topic = place.0, partition = place.1, "batches could not be read");
        }
        for record in batches.records.iter().filter(|record| record.offset >= from) {
            let Some(record) = correlated(record, place.1) else { continue };
            if place.0 == self.flow.request_topic.as_str() {
                self.tracker.request(&record);
            } else if place.0 == self.flow.result_topic.as_str() {
                self.tracker.result(&record);
            } else {
                self.tracker.dead_letter(&record);
            }
        }
        batches.next_offset
    }

    fn judge(&mut self, commits: BTreeMap<i32, i64>, now_ns: u64) -> AuditOutcome {
        let changes = self.tracker.advance(commits, now_ns);
        let events = changes.iter().filter_map(|change| change.event(self.tracker.rules())).collect();
        let flow = self.flow.name.as_str();
        let total = |verdict: MessageVerdict| {
            let labels = [("flow", flow), ("verdict", verdict.name())];
            let reached = self.tracker.reached(verdict) as f64;
            Measure::new(series::MESSAGES_TOTAL, &labels, now_ns, reached)
        };
        let mut measures: Vec<Measure> = MessageVerdict::ALL.into_iter().map(total).collect();
        let counts = self.tracker.counts();
        let waiting = (counts.open + counts.queued) as f64;
        measures.push(Measure::new(series::MESSAGES_OPEN, &[("flow", flow)], now_ns, waiting));
        AuditOutcome { measures, events }
    }

    /// The flow as the board shows it.
    pub(crate) fn flow_view(&self) -> FlowView {
        let damaged = (self.damaged > 0).then(|| format!("{} batches could not be read", self.damaged));
        FlowView {
            name: self.flow.name.clone(),
            request_topic: self.flow.request_topic.to_string(),
            result_topic: self.flow.result_topic.to_string(),
            dead_letter_topic: self.flow.dead_letter_topic.as_ref().map(ToString::to_string),
            group: self.flow.group.clone(),
            window_ms: u64::try_from(self.flow.window.as_millis()).unwrap_or(u64::MAX),
            counts: self.tracker.counts(),
            error: self.error.clone().or(damaged),
        }
    }

    /// Messages for the board.
    pub(crate) fn messages(&self, limit: usize) -> Vec<MessageView> {
        self.tracker.messages(limit)
    }
}

fn places(cluster: &Cluster, topic: &str) -> Vec<Place> {
    let info = cluster.topics().get(topic);
    info.into_iter().flat_map(|i| i.leaders.keys().map(|p| (topic.to_owned(), *p))).collect()
}

/// The record in the tracker's words; `None` without a key, for then nothing can be correlated.
fn correlated(record: &WireRecord, partition: i32) -> Option<Record> {
    let key = String::from_utf8_lossy(record.key.as_ref()?).into_owned();
    let at_ns = u64::try_from(record.at_ms).unwrap_or(0).saturating_mul(1_000_000);
    let trace_id = trace_header::trace_id(&record.headers);
    Some(Record { key, partition, offset: record.offset, at_ns, trace_id })
}
