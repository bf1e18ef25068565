//! Sending the shop's records, and making sure that their topics exist.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;
use serde::Serialize;
use tracepact_kit::Tracing;
use tracepact_kit::kafka::{Outgoing, Producer};

/// A record that is not on Kafka.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// It cannot be written as JSON.
    #[error("the record for {topic} cannot be written: {reason}")]
    Json {
        /// The topic.
        topic: String,
        /// Why.
        reason: String,
    },
    /// Kafka did not acknowledge it.
    #[error("Kafka did not take the record for {topic}: {reason}")]
    Kafka {
        /// The topic.
        topic: String,
        /// Why.
        reason: String,
    },
}

/// Sends records. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    producer: Producer,
}

impl Bus {
    /// A producer for the brokers at `bootstrap`: every record acknowledged by all replicas, none twice by a retry.
    ///
    /// # Errors
    /// When the configuration is refused.
    pub fn connect(bootstrap: &str, tracing: Tracing) -> Result<Self, rdkafka::error::KafkaError> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", bootstrap)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", "10000")
            .set("linger.ms", "1");
        Ok(Self { producer: Producer::from_config(&config, tracing)? })
    }

    /// Sends `value` as JSON under `key` and waits until Kafka has it.
    ///
    /// # Errors
    /// When Kafka does not acknowledge it in time.
    pub async fn send(&self, topic: &str, key: &str, value: &impl Serialize) -> Result<(), BusError> {
        let record = Outgoing::json(topic, key, value)
            .map_err(|error| BusError::Json { topic: topic.to_owned(), reason: error.to_string() })?;
        self.producer
            .send(record)
            .await
            .map(drop)
            .map_err(|error| BusError::Kafka { topic: topic.to_owned(), reason: error.to_string() })
    }

    /// Waits until everything sent is acknowledged, at most `within`.
    pub async fn flush(&self, within: Duration) {
        if let Err(error) = self.producer.flush(within).await {
            tracing::warn!(%error, "some records were not acknowledged");
        }
    }
}

/// Creates the topics that are missing.
///
/// # Errors
/// When Kafka cannot be reached or refuses a topic.
pub async fn ensure_topics(bootstrap: &str, topics: &[&str], partitions: i32) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap).create()?;
    let wanted: Vec<NewTopic<'_>> =
        topics.iter().map(|topic| NewTopic::new(topic, partitions, TopicReplication::Fixed(1))).collect();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
    for result in admin.create_topics(&wanted, &options).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => anyhow::bail!("topic {topic} could not be created: {code}"),
        }
    }
    Ok(())
}
