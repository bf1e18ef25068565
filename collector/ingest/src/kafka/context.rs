//! What librdkafka tells a member: rebalances, statistics, errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;

use super::metrics::KafkaMetrics;
use super::offsets::Offsets;

/// A member's callbacks.
#[derive(Debug)]
pub(super) struct MemberContext {
    pub(super) offsets: Arc<Mutex<Offsets>>,
    /// Set at every assignment: a paused member pauses the new partitions too.
    pub(super) assigned: AtomicBool,
    metrics: KafkaMetrics,
}

impl MemberContext {
    pub(super) fn new(metrics: KafkaMetrics) -> Self {
        Self { offsets: Arc::default(), assigned: AtomicBool::new(false), metrics }
    }
}

impl ClientContext for MemberContext {
    fn stats(&self, statistics: Statistics) {
        for (name, topic) in &statistics.topics {
            for (number, partition) in &topic.partitions {
                // -1 is librdkafka's own partition of messages without one; a negative lag is unknown, and unknown is absent.
                if *number < 0 || partition.fetch_state == "none" || partition.fetch_state == "stopped" {
                    continue;
                }
                // Before the first record the group's commit tells where it stands.
                let lag = match self.offsets.lock().position(name, *number) {
                    Some(position) if partition.hi_offset >= 0 => partition.hi_offset - position,
                    _ => partition.consumer_lag_stored,
                };
                if lag >= 0 {
                    self.metrics.lag.with_label_values(&[name.as_str(), &number.to_string()]).set(lag);
                }
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.metrics.errors.inc();
        tracing::warn!(%error, reason, "Kafka does not answer; spans from it are read as soon as it does");
    }
}

impl ConsumerContext for MemberContext {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(partitions) = rebalance else { return };
        // librdkafka commits the stored offsets itself before the partitions go.
        let mut offsets = self.offsets.lock();
        for element in partitions.elements() {
            offsets.revoke(element.topic(), element.partition());
            self.metrics.forget(element.topic(), element.partition());
        }
    }

    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                self.metrics.rebalances.inc();
                self.assigned.store(true, Ordering::Release);
                tracing::info!(partitions = partitions.count(), "partitions of span topics were assigned");
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "the group's rebalance failed"),
        }
    }
}
