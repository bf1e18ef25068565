//! The board of consumer lag: the last cycle's picture, replaced as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::Serialize;

use super::breakers::optional_rfc3339;
use crate::lag::Verdict;

/// Instances whose rebalance counters are remembered.
const COUNTERS_MAX: usize = 10_000;

/// A partition as one group reads it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PartitionView {
    /// Partition number.
    pub partition: i32,
    /// Offset the group committed; absent when it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed: Option<i64>,
    /// Offset of the next record to be written.
    pub end: i64,
    /// First offset that can be read.
    pub start: i64,
    /// Records between commit (or log start, if later) and end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_messages: Option<i64>,
    /// Age of the oldest record not committed past, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// Whether `lag_seconds` is a lower bound: the backlog is older than our memory of the partition.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lag_seconds_at_least: bool,
    /// Records that retention removed before the group committed past them.
    pub lost_messages: i64,
    /// How far the commit lies beyond the end; the sign of a recreated topic or a foreign commit.
    #[serde(skip_serializing_if = "is_zero")]
    pub ahead_messages: i64,
    /// Member that owns the partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the last minutes say.
    pub verdict: Verdict,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// A topic as one group reads it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TopicView {
    /// Topic name.
    pub topic: String,
    /// Sum over the partitions whose lag is known; absent when none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_messages: Option<i64>,
    /// The oldest partition's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// Sum over the partitions.
    pub lost_messages: i64,
    /// Partition with the most lag, when any lags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_partition: Option<i32>,
    /// Partitions, by number.
    pub partitions: Vec<PartitionView>,
}

/// A consumer group.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct GroupView {
    /// Group name.
    pub group: String,
    /// The service it belongs to, by the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Kafka's state of the group: `Stable`, `Empty`, `PreparingRebalance`, …; `Unknown` when it could not be asked.
    pub state: String,
    /// Members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<usize>,
    /// Rebalances its members counted since they began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebalances: Option<u64>,
    /// The worst verdict of its partitions.
    pub verdict: Verdict,
    /// Its topics, by name.
    pub topics: Vec<TopicView>,
}

/// All groups after one cycle.
#[derive(Debug, Clone, PartialEq, Default, Serialize, utoipa::ToSchema)]
pub struct LagView {
    /// When the offsets were read; absent before the first answer.
    #[serde(rename = "as_of", skip_serializing_if = "Option::is_none", with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of_ns: Option<u64>,
    /// Groups, by name.
    pub groups: Vec<GroupView>,
    /// Why the picture is old or lacks parts; absent when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The current picture of all groups. Before the poller's first cycle, or without Kafka, it is empty.
#[derive(Debug, Default)]
pub struct LagBoard {
    view: RwLock<Arc<LagView>>,
    /// (group, instance) → rebalances counted.
    rebalances: RwLock<BTreeMap<(String, String), u64>>,
}

impl LagBoard {
    /// Replaces the picture.
    pub fn publish(&self, view: LagView) {
        *self.view.write() = Arc::new(view);
    }

    /// Keeps the groups as they were and says why they are old.
    pub fn publish_error(&self, error: String) {
        let mut view = self.view.write();
        *view = Arc::new(LagView { error: Some(error), ..(**view).clone() });
    }

    /// The picture now.
    pub fn snapshot(&self) -> Arc<LagView> {
        self.view.read().clone()
    }

    /// Notes how many rebalances an instance counted.
    pub fn note_rebalances(&self, group: &str, instance: &str, total: u64) {
        let mut known = self.rebalances.write();
        let key = (group.to_owned(), instance.to_owned());
        if known.len() < COUNTERS_MAX || known.contains_key(&key) {
            known.insert(key, total);
        }
    }

    /// The highest number of rebalances that an instance of `group` counted; every member counts each of them.
    pub fn rebalances(&self, group: &str) -> Option<u64> {
        let known = self.rebalances.read();
        known.iter().filter(|((name, _), _)| name == group).map(|(_, total)| *total).max()
    }
}
