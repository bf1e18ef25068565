//! One reading of every group's lag: groups, commits, then ends, so that a race makes lag too large and never negative.

mod picture;

use std::collections::{BTreeMap, HashMap};

use tracepact_base::{Event, ServiceName, SharedClock};
use tracepact_resilience::Measure;
use tracepact_resilience::board::{GroupView, LagBoard, LagView};
use tracepact_resilience::lag::{Ring, Rules, TimeTable, Verdict};

use crate::kafka::{Cluster, DescribedGroup, ListedGroup, Place};

/// Groups asked for in one request.
const GROUPS_PER_REQUEST: usize = 100;
/// Log starts and members of unchanged groups are read every third cycle.
const SLOW_CYCLE: u64 = 3;
/// Cycles a group may be missing from complete lists before it is gone.
const MISSES_MAX: u8 = 2;

/// What a cycle brought.
pub(crate) struct LagOutcome {
    pub(crate) view: LagView,
    pub(crate) measures: Vec<Measure>,
    pub(crate) events: Vec<Event>,
}

/// What one cycle read from the wire.
#[derive(Debug, Default)]
struct Reading {
    groups: BTreeMap<String, ListedGroup>,
    /// Groups whose commits were read.
    commits: BTreeMap<String, BTreeMap<Place, i64>>,
    ends: BTreeMap<Place, i64>,
    /// What went wrong on the way; the cycle goes on with what it has.
    errors: Vec<String>,
    at_ns: u64,
}

/// What is remembered between cycles.
pub(crate) struct LagPoller {
    rules: Rules,
    services: BTreeMap<String, ServiceName>,
    cycle: u64,
    rings: HashMap<(String, Place), Ring>,
    tables: HashMap<Place, TimeTable>,
    starts: BTreeMap<Place, i64>,
    topic_ids: BTreeMap<String, uuid::Uuid>,
    described: BTreeMap<String, DescribedGroup>,
    states: BTreeMap<String, String>,
    misses: BTreeMap<String, u8>,
    /// (group, topic) → the last verdict that was known.
    verdicts: BTreeMap<(String, String), Verdict>,
    last: LagView,
}

impl LagPoller {
    pub(crate) fn new(rules: Rules, services: BTreeMap<String, ServiceName>) -> Self {
        Self {
            rules,
            services,
            cycle: 0,
            rings: HashMap::new(),
            tables: HashMap::new(),
            starts: BTreeMap::new(),
            topic_ids: BTreeMap::new(),
            described: BTreeMap::new(),
            states: BTreeMap::new(),
            misses: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            last: LagView::default(),
        }
    }

    /// Reads and judges. Whatever does not answer is unknown in this cycle, and never gone.
    pub(crate) async fn poll(
        &mut self,
        cluster: &mut Cluster,
        board: &LagBoard,
        clock: &SharedClock,
    ) -> LagOutcome {
        self.cycle += 1;
        self.forget_recreated_topics(cluster);
        let reading = self.read(cluster, clock).await;
        for (place, end) in &reading.ends {
            self.tables.entry(place.clone()).or_default().note(reading.at_ns, *end);
        }
        self.tables.retain(|place, _| cluster.topics().contains_key(&place.0));
        let outcome = self.judge(&reading, board);
        self.last = outcome.view.clone();
        outcome
    }

    /// A topic with another id under the same name is another topic: nothing of the old one counts.
    fn forget_recreated_topics(&mut self, cluster: &Cluster) {
        for (topic, info) in cluster.topics() {
            let before = self.topic_ids.insert(topic.clone(), info.id);
            if before.is_some_and(|before| before != info.id) {
                self.rings.retain(|(_, place), _| place.0 != *topic);
                self.tables.retain(|place, _| place.0 != *topic);
                self.starts.retain(|place, _| place.0 != *topic);
            }
        }
        self.topic_ids.retain(|topic, _| cluster.topics().contains_key(topic));
    }

    async fn read(&mut self, cluster: &mut Cluster, clock: &SharedClock) -> Reading {
        let mut reading = Reading::default();
        let mut complete = true;
        for node in cluster.nodes() {
            match cluster.on(node, async |c| c.list_groups().await).await {
                Ok(groups) => self.read_groups(cluster, node, groups, &mut reading).await,
                Err(error) => {
                    complete = false;
                    reading.errors.push(format!("broker {node}: {error}"));
                }
            }
        }
        self.note_missing(&reading, complete);
        let places = cluster.places();
        let at = |time: i64| places.iter().map(|place| (place.clone(), time)).collect::<Vec<_>>();
        if self.cycle % SLOW_CYCLE == 1 || places.iter().any(|place| !self.starts.contains_key(place)) {
            match cluster.offsets(&at(-2)).await {
                Ok(starts) => self.starts = starts,
                Err(error) => reading.errors.push(error.to_string()),
            }
        }
        match cluster.offsets(&at(-1)).await {
            Ok(ends) => reading.ends = ends,
            Err(error) => reading.errors.push(error.to_string()),
        }
        reading.at_ns = clock.now_ns();
        reading
    }

    /// Commits and, when due, members of the groups that one broker coordinates.
    async fn read_groups(
        &mut self,
        cluster: &mut Cluster,
        node: i32,
        groups: Vec<ListedGroup>,
        reading: &mut Reading,
    ) {
        // Share groups keep their positions elsewhere: OffsetFetch does not know them.
        let groups: Vec<ListedGroup> = groups.into_iter().filter(|group| group.kind != "share").collect();
        let due = |group: &&ListedGroup| {
            self.cycle % SLOW_CYCLE == 1
                || !self.described.contains_key(&group.group)
                || self.states.get(&group.group) != Some(&group.state)
        };
        let names: Vec<String> = groups.iter().map(|group| group.group.clone()).collect();
        let due: Vec<String> = groups.iter().filter(due).map(|group| group.group.clone()).collect();
        for chunk in due.chunks(GROUPS_PER_REQUEST) {
            match cluster.on(node, async |c| c.describe(chunk).await).await {
                Ok(described) => self.described.extend(described),
                Err(error) => reading.errors.push(format!("broker {node}: {error}")),
            }
        }
        for chunk in names.chunks(GROUPS_PER_REQUEST) {
            match cluster.on(node, async |c| c.commits(chunk).await).await {
                Ok(commits) => reading.commits.extend(commits),
                Err(error) => reading.errors.push(format!("broker {node}: {error}")),
            }
        }
        for group in groups {
            self.states.insert(group.group.clone(), group.state.clone());
            reading.groups.insert(group.group.clone(), group);
        }
    }

    /// Only a complete list can say that a group is gone, and only when it says so twice.
    fn note_missing(&mut self, reading: &Reading, complete: bool) {
        let missing = |view: &&GroupView| !reading.groups.contains_key(&view.group);
        for view in self.last.groups.iter().filter(missing) {
            if complete {
                *self.misses.entry(view.group.clone()).or_default() += 1;
            }
        }
        self.misses.retain(|group, _| !reading.groups.contains_key(group));
        let gone: Vec<String> = self
            .misses
            .iter()
            .filter(|(_, misses)| **misses >= MISSES_MAX)
            .map(|(group, _)| group.clone())
            .collect();
        for group in gone {
            self.last.groups.retain(|view| view.group != group);
            self.rings.retain(|(name, _), _| *name != group);
            self.verdicts.retain(|(name, _), _| *name != group);
            self.described.remove(&group);
            self.states.remove(&group);
            self.misses.remove(&group);
        }
    }

    /// The picture when nothing could be read at all.
    pub(crate) fn unknown(&mut self, error: &str) -> LagView {
        self.last.groups = self.last.groups.iter().map(picture::unknown).collect();
        self.last.error = Some(error.to_owned());
        self.last.clone()
    }
}
