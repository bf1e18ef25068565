//! What is counted of the records. Their spans are counted like those of every other transport.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

#[derive(Debug, Clone)]
pub(super) struct KafkaMetrics {
    /// By topic and result: `durable`, `empty`, `poison`.
    pub(super) records: IntCounterVec,
    /// By topic and partition, of this process's partitions.
    pub(super) lag: IntGaugeVec,
    pub(super) retries: IntCounter,
    pub(super) paused: IntGauge,
    pub(super) rebalances: IntCounter,
    pub(super) errors: IntCounter,
}

impl KafkaMetrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let records = IntCounterVec::new(
            Opts::new(
                "tracepact_ingest_kafka_records_total",
                "Records read from Kafka by result: durable, empty, poison (no decoder could read it).",
            ),
            &["topic", "result"],
        )?;
        let lag = IntGaugeVec::new(
            Opts::new(
                "tracepact_ingest_kafka_lag_messages",
                "Records between what is durable here and the end of the partition, for partitions assigned to this process.",
            ),
            &["topic", "partition"],
        )?;
        let retries = IntCounter::new(
            "tracepact_ingest_kafka_retries_total",
            "Times a record was offered to the store again, because it could not take it.",
        )?;
        let paused = IntGauge::new(
            "tracepact_ingest_kafka_paused_members",
            "Members of the consumer group that do not fetch, because the store takes nothing.",
        )?;
        let rebalances = IntCounter::new(
            "tracepact_ingest_kafka_rebalances_total",
            "Assignments of partitions to members in this process.",
        )?;
        let errors = IntCounter::new(
            "tracepact_ingest_kafka_errors_total",
            "Errors of the connection to Kafka; it is connected again by itself.",
        )?;
        registry.register(Box::new(records.clone()))?;
        registry.register(Box::new(lag.clone()))?;
        registry.register(Box::new(retries.clone()))?;
        registry.register(Box::new(paused.clone()))?;
        registry.register(Box::new(rebalances.clone()))?;
        registry.register(Box::new(errors.clone()))?;
        Ok(Self { records, lag, retries, paused, rebalances, errors })
    }

    pub(super) fn record(&self, topic: &str, result: &str) {
        self.records.with_label_values(&[topic, result]).inc();
    }

    pub(super) fn forget(&self, topic: &str, partition: i32) {
        // A partition whose lag was never known has no series to remove.
        let _ = self.lag.remove_label_values(&[topic, &partition.to_string()]);
    }
}
