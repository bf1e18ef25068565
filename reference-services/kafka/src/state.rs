//! Everything the broker knows, behind one lock. Nothing awaits while it is held.

use std::collections::BTreeMap;

use kafka_protocol::messages::{BrokerId, TopicName};
use kafka_protocol::protocol::StrBytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::config::Config;
use crate::error_code;
use crate::faults::Faults;
use crate::group::Group;
use crate::log::{Arrival, Partition, Retention};

/// The id of the only node.
pub(crate) const NODE: BrokerId = BrokerId(1);

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) retention: Retention,
    pub(crate) configs: Vec<(String, String)>,
}

impl Topic {
    /// The partition at a wire index, which may be negative.
    pub(crate) fn partition(&self, index: i32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

/// Topics, groups and what goes with them.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) faults: Faults,
    pub(crate) next_producer_id: i64,
    arrivals: u64,
    bytes: u64,
}

/// One broker: its settings, address and state.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) cluster_id: String,
    /// Woken whenever a fetch might have something new to say.
    pub(crate) news: Notify,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(config: Config, host: String, port: u16) -> Self {
        let cluster_id: String = Uuid::new_v4().simple().to_string().chars().take(22).collect();
        Self { config, host, port, cluster_id, news: Notify::new(), state: Mutex::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn host_text(&self) -> StrBytes {
        text(&self.host)
    }

    fn now_ms(&self) -> u64 {
        self.config.clock.now_ns() / 1_000_000
    }

    /// Creates a topic; the answer is an error code.
    pub(crate) fn create_topic(
        &self,
        state: &mut State,
        name: &str,
        partitions: i32,
        configs: Vec<(String, String)>,
        validate_only: bool,
    ) -> i16 {
        if tracepact_base::Topic::new(name).is_err() {
            return error_code::INVALID_TOPIC_EXCEPTION;
        }
        if state.topics.contains_key(name) {
            return error_code::TOPIC_ALREADY_EXISTS;
        }
        let count = if partitions == -1 { self.config.default_partitions } else { partitions };
        let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
            return error_code::INVALID_PARTITIONS;
        };
        if state.partition_count().saturating_add(count) > self.config.partitions_max {
            return error_code::POLICY_VIOLATION;
        }
        if validate_only {
            return error_code::NONE;
        }
        let number = |key: &str, otherwise: u64| {
            let written = configs.iter().find(|c| c.0 == key).and_then(|c| c.1.parse::<i64>().ok());
            match written {
                Some(-1) => u64::MAX,
                Some(value) => u64::try_from(value).unwrap_or(otherwise),
                None => otherwise,
            }
        };
        let topic = Topic {
            id: Uuid::new_v4(),
            partitions: (0..count).map(|_| Partition::default()).collect(),
            retention: Retention {
                bytes: number("retention.bytes", self.config.retention_bytes),
                age_ms: number("retention.ms", self.config.retention_ms),
            },
            configs,
        };
        state.topics.insert(name.to_owned(), topic);
        error_code::NONE
    }

    /// Stores what a producer sent to one partition; the answer is (base offset, log start).
    pub(crate) fn append(
        &self,
        state: &mut State,
        topic: &str,
        partition: i32,
        records: bytes::Bytes,
    ) -> Result<(i64, i64), i16> {
        if records.len() as u64 > self.config.memory_bytes_max {
            return Err(error_code::MESSAGE_TOO_LARGE);
        }
        state.arrivals += 1;
        let arrival = Arrival { at_ms: self.now_ms(), order: state.arrivals };
        let swallow = state.faults.take_swallow(topic);
        let known = state.topics.get_mut(topic).ok_or(error_code::UNKNOWN_TOPIC_OR_PARTITION)?;
        let retention = known.retention;
        let log = usize::try_from(partition)
            .ok()
            .and_then(|index| known.partitions.get_mut(index))
            .ok_or(error_code::UNKNOWN_TOPIC_OR_PARTITION)?;
        if swallow {
            return Ok((log.swallow(records, arrival)?, log.start()));
        }
        let before = log.bytes();
        let base = log.append(records, arrival);
        log.trim(retention, arrival.at_ms);
        let (start, after) = (log.start(), log.bytes());
        state.bytes = (state.bytes + after).saturating_sub(before);
        state.enforce_cap(self.config.memory_bytes_max);
        Ok((base?, start))
    }

    /// Sessions, deadlines and retention; called a few times a second.
    pub(crate) fn tick(&self) {
        let now_ms = self.now_ms();
        let mut state = self.state();
        state.groups.values_mut().for_each(Group::tick);
        for topic in state.topics.values_mut() {
            let keep = topic.retention;
            topic.partitions.iter_mut().for_each(|partition| partition.trim(keep, now_ms));
        }
        state.recount();
    }
}

impl State {
    pub(crate) fn partition_count(&self) -> usize {
        self.topics.values().map(|topic| topic.partitions.len()).sum()
    }

    /// Bytes of record batches held.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts the bytes held again, after something other than an append changed them.
    pub(crate) fn recount(&mut self) {
        self.bytes = self.topics.values().flat_map(|topic| &topic.partitions).map(Partition::bytes).sum();
    }

    /// Drops the oldest batches of the whole broker until it fits.
    fn enforce_cap(&mut self, bytes_max: u64) {
        while self.bytes > bytes_max {
            let oldest = self
                .topics
                .values_mut()
                .flat_map(|topic| &mut topic.partitions)
                .filter_map(|partition| partition.oldest_arrival().map(|order| (order, partition)))
                .min_by_key(|(order, _)| *order);
            let Some((_, partition)) = oldest else { return };
            let before = partition.bytes();
            partition.drop_oldest();
            self.bytes = (self.bytes + partition.bytes()).saturating_sub(before);
            tracing::debug!(bytes_max, "dropped the oldest batch to stay within the memory cap");
        }
    }

    /// The name of the topic with this id.
    pub(crate) fn topic_name(&self, id: Uuid) -> Option<String> {
        self.topics.iter().find(|(_, topic)| topic.id == id).map(|(name, _)| name.clone())
    }
}

/// A Kafka string.
pub(crate) fn text(from: &str) -> StrBytes {
    StrBytes::from_string(from.to_owned())
}

/// A Kafka topic name.
pub(crate) fn topic_name(from: &str) -> TopicName {
    TopicName(text(from))
}
