//! Faults to order: what a demo or a test may break on purpose.

use std::collections::HashMap;
use std::time::Duration;

use kafka_protocol::messages::ApiKey;

/// Faults in force. Give a new value to [`crate::Broker::faults`] to change them; the default breaks nothing.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Acknowledge the next N batches produced to a topic without storing them: messages lost by the broker.
    pub swallow: HashMap<String, u32>,
    /// Added before every answer; heartbeats too.
    pub delay: Duration,
    /// Added before the answers to requests of one kind. What the answer says is what was true before the wait.
    pub slow: Vec<(ApiKey, Duration)>,
    /// Answer requests of one kind with an error code.
    pub error_answers: Vec<ErrorAnswer>,
    /// Close the connection instead of answering the next N requests.
    pub close_connections: u32,
}

/// Answers requests of one API with an error, where its answer can carry one: Produce, Fetch, ListOffsets,
/// OffsetCommit, OffsetFetch, ListGroups, JoinGroup, SyncGroup, Heartbeat, FindCoordinator, InitProducerId.
#[derive(Debug, Clone)]
pub struct ErrorAnswer {
    /// Which requests.
    pub api: ApiKey,
    /// Kafka's error code, for example 14 (COORDINATOR_LOAD_IN_PROGRESS) or 6 (NOT_LEADER_OR_FOLLOWER).
    pub code: i16,
    /// How many requests still; `None` until the faults are changed.
    pub times: Option<u32>,
    /// Only this topic, where the request names topics; `None` for all.
    pub topic: Option<String>,
}

impl Faults {
    /// The error ordered for a request of `api` about `topic`, counting it down.
    pub(crate) fn take_error(&mut self, api: ApiKey, topic: Option<&str>) -> Option<i16> {
        let found = self.error_answers.iter_mut().find(|answer| {
            answer.api as i16 == api as i16
                && answer.times != Some(0)
                && answer.topic.as_deref().is_none_or(|only| Some(only) == topic)
        })?;
        if let Some(times) = &mut found.times {
            *times -= 1;
        }
        Some(found.code)
    }

    /// How long the answer to a request of `api` is held back.
    pub(crate) fn delay_of(&self, api: ApiKey) -> Duration {
        let slow = self.slow.iter().filter(|(slow, _)| *slow as i16 == api as i16);
        self.delay + slow.map(|(_, delay)| *delay).sum::<Duration>()
    }

    /// Whether the next batch for `topic` is to be acknowledged and thrown away, counting it down.
    pub(crate) fn take_swallow(&mut self, topic: &str) -> bool {
        match self.swallow.get_mut(topic) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}
