//! The messages of contracts as real Kafka records: what the consumer will read from its topic once the provider
//! publishes.

use std::collections::HashMap;
use std::time::Duration;

use pact_matching::generators::apply_generators_to_async_message;
use pact_models::bodies::OptionalBody;
use pact_models::generators::GeneratorTestMode;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use serde_json::{Value, json};

use super::STATE_HEADER;
use super::contracts::Contracts;
use crate::Error;

/// How long one record may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(15);
/// Metadata names of the topic and of the key; the first is ours, the others are those of other Pact libraries.
const TOPIC_NAMES: [&str; 3] = ["topic", "kafka_topic", "kafka.topic"];
const KEY_NAMES: [&str; 4] = ["key", "kafka_messageKey", "kafka_key", "kafka.key"];

/// A record that Kafka acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The message's description.
    pub description: String,
    /// Where it is.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

impl Published {
    pub(super) fn json(&self) -> Value {
        json!({
            "description": self.description, "topic": self.topic, "partition": self.partition, "offset": self.offset,
        })
    }
}

/// Publishes the messages of all contracts to Kafka at `brokers`, or those of one description.
///
/// # Errors
/// When a message names no topic, nothing has the description, or Kafka does not take a record.
pub async fn publish(
    contracts: &Contracts,
    brokers: &str,
    description: Option<&str>,
) -> Result<Vec<Published>, Error> {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("message.timeout.ms", SEND_TIMEOUT.as_millis().to_string())
        .set("acks", "all")
        .create()
        .map_err(|e| Error::Usage(format!("--kafka {brokers}: {e}")))?;
    let mut published = Vec::new();
    for contract in &contracts.list {
        for message in contract.messages.iter().filter(|m| description.is_none_or(|d| d == m.description)) {
            let contents = apply_generators_to_async_message(
                message,
                &GeneratorTestMode::Consumer,
                &HashMap::new(),
                &Vec::new(),
                &HashMap::new(),
            )
            .await;
            let named = |names: &[&str]| names.iter().find_map(|n| contents.metadata.get(*n)).map(text);
            let topic = named(&TOPIC_NAMES).ok_or_else(|| {
                Error::Usage(format!("the message {:?} names no topic in its metadata", message.description))
            })?;
            let key = named(&KEY_NAMES);
            let mut headers =
                OwnedHeaders::new().insert(Header { key: STATE_HEADER, value: Some(contract.state.name()) });
            for (name, value) in &contents.metadata {
                let is_header = !TOPIC_NAMES.contains(&name.as_str()) && !KEY_NAMES.contains(&name.as_str());
                if is_header {
                    headers = headers.insert(Header { key: name, value: Some(&text(value)) });
                }
            }
            let body = match &contents.contents {
                OptionalBody::Present(bytes, _, _) => bytes.to_vec(),
                _ => Vec::new(),
            };
            let mut record = FutureRecord::<String, Vec<u8>>::to(&topic).payload(&body).headers(headers);
            if let Some(key) = &key {
                record = record.key(key);
            }
            let sent = producer.send(record, SEND_TIMEOUT).await.map_err(|(e, _)| Error::Unreachable {
                url: format!("kafka://{brokers}"),
                reason: format!("{:?} was not taken for topic {topic}: {e}", message.description),
            })?;
            published.push(Published {
                description: message.description.clone(),
                topic: topic.clone(),
                partition: sent.partition,
                offset: sent.offset,
            });
        }
    }
    let _ = producer.flush(SEND_TIMEOUT);
    match (published.is_empty(), description) {
        (true, Some(description)) => Err(Error::Usage(format!("no contract has a message {description:?}"))),
        _ => Ok(published),
    }
}

/// A metadata value as text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
