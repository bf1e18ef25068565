//! What happens at a rebalance: commit what is finished, forget what is taken away, count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::offsets::Offsets;

/// The group member's callbacks.
#[derive(Debug)]
pub struct GroupContext {
    pub(super) offsets: Arc<Mutex<Offsets>>,
    /// Assignments received.
    pub(super) rebalances: Arc<AtomicU64>,
    /// Set at every assignment: a paused consumer pauses the new partitions too.
    pub(super) assigned: AtomicBool,
}

impl ClientContext for GroupContext {}

impl ConsumerContext for GroupContext {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(partitions) = rebalance else { return };
        let taken: Vec<(String, i32)> = partitions
            .elements()
            .iter()
            .map(|element| (element.topic().to_owned(), element.partition()))
            .collect();
        let is_taken = |topic: &str, partition| taken.iter().any(|(t, p)| t == topic && *p == partition);
        // Not under the lock: librdkafka may call back while it commits.
        let due = self.offsets.lock().due(is_taken);
        if let Some(list) = to_list(&due)
            && let Err(error) = consumer.commit(&list, CommitMode::Sync)
        {
            // The next owner gets those records again: at least once.
            tracing::warn!(%error, "the last offsets before a rebalance were not committed");
        }
        let mut offsets = self.offsets.lock();
        for (topic, partition) in &taken {
            offsets.revoke(topic, *partition);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, partitions: &TopicPartitionList) {
        let elements = partitions.elements();
        let failed = elements.iter().filter(|element| result.is_err() || element.error().is_err());
        let mut offsets = self.offsets.lock();
        for element in failed {
            tracing::warn!(
                topic = element.topic(),
                partition = element.partition(),
                "an offset was not committed; it is tried again"
            );
            offsets.commit_failed(element.topic(), element.partition());
        }
    }

    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(_) => {
                self.rebalances.fetch_add(1, Ordering::Relaxed);
                self.assigned.store(true, Ordering::Release);
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "the group's rebalance failed"),
        }
    }
}

/// A list librdkafka can commit; `None` when there is nothing.
pub(super) fn to_list(due: &[(String, i32, i64)]) -> Option<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(due.len());
    for (topic, partition, next) in due {
        list.add_partition_offset(topic, *partition, Offset::Offset(*next)).ok()?;
    }
    (!due.is_empty()).then_some(list)
}
