//! A message from a real topic: looks where the topic ends, makes the provider publish, takes the first record after.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde_json::{Map, Value};

use super::Message;
use crate::provider_config::{KafkaConfig, KafkaMessage, ProviderConfig};
use crate::run_command::run;

/// Longest wait for one answer of Kafka.
const ANSWER: Duration = Duration::from_secs(15);

/// The next record of the message's topic.
pub(super) async fn next(
    config: &ProviderConfig,
    kafka: &KafkaConfig,
    message: &KafkaMessage,
    asked: &Value,
) -> Result<Message, String> {
    let (brokers, topic) = (kafka.brokers.clone(), message.topic.clone());
    let at_end = tokio::task::spawn_blocking(move || from_the_end(&brokers, &topic));
    let consumer = at_end.await.map_err(|e| e.to_string())??;
    if let Some(trigger) = &message.trigger {
        run(trigger, &config.folder, kafka.timeout_ms, asked).await?;
    }
    let (wait, wanted) = (Duration::from_millis(kafka.timeout_ms), message.clone());
    tokio::task::spawn_blocking(move || first(&consumer, &wanted, wait)).await.map_err(|e| e.to_string())?
}

/// A consumer that stands at the end of every partition, before anything is triggered.
fn from_the_end(brokers: &str, topic: &str) -> Result<BaseConsumer, String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "tracepact-verify")
        .set("enable.auto.commit", "false")
        .create()
        .map_err(|e| format!("Kafka at {brokers}: {e}"))?;
    let wrong = |e: rdkafka::error::KafkaError| format!("topic {topic} at {brokers}: {e}");
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER).map_err(wrong)?;
    let partitions: Vec<i32> = metadata
        .topics()
        .iter()
        .filter(|t| t.name() == topic && t.error().is_none())
        .flat_map(|t| t.partitions().iter().map(|p| p.id()))
        .collect();
    if partitions.is_empty() {
        return Err(format!("topic {topic} at {brokers} does not exist"));
    }
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        let (_, end) = consumer.fetch_watermarks(topic, partition, ANSWER).map_err(wrong)?;
        list.add_partition_offset(topic, partition, Offset::Offset(end)).map_err(wrong)?;
    }
    consumer.assign(&list).map_err(wrong)?;
    Ok(consumer)
}

/// The first record with the wanted headers. Waits in short steps that add up to `wait`.
fn first(consumer: &BaseConsumer, wanted: &KafkaMessage, wait: Duration) -> Result<Message, String> {
    let step = Duration::from_millis(100);
    let mut seen = 0;
    for _ in 0..wait.as_millis().div_ceil(step.as_millis()) {
        match consumer.poll(step) {
            Some(Ok(record)) => {
                let message = read(&record);
                let fits = wanted
                    .headers
                    .iter()
                    .all(|(name, value)| message.metadata.get(name).and_then(Value::as_str) == Some(value));
                if fits {
                    return Ok(message);
                }
                seen += 1;
            }
            Some(Err(error)) => return Err(format!("topic {}: {error}", wanted.topic)),
            None => {}
        }
    }
    let others =
        if seen > 0 { format!(" ({seen} others came, without the wanted headers)") } else { String::new() };
    Err(format!("nothing came on topic {} within {} ms{others}", wanted.topic, wait.as_millis()))
}

fn read(record: &BorrowedMessage<'_>) -> Message {
    let text = |bytes: &[u8]| Value::String(String::from_utf8_lossy(bytes).into_owned());
    let mut metadata = Map::new();
    if let Some(headers) = record.headers() {
        for header in headers.iter() {
            metadata.insert(header.key.to_owned(), header.value.map_or(Value::Null, text));
        }
    }
    for name in ["topic", "kafka_topic"] {
        metadata.insert(name.to_owned(), record.topic().into());
    }
    if let Some(key) = record.key() {
        for name in ["key", "kafka_messageKey"] {
            metadata.insert(name.to_owned(), text(key));
        }
    }
    let contents = record.payload().unwrap_or_default().to_vec();
    let header = |name: &str| {
        metadata
            .iter()
            .find(|(k, _)| k.eq_ignore_ascii_case(name))
            .and_then(|(_, v)| v.as_str())
            .map(str::to_owned)
    };
    let content_type = header("content-type").or_else(|| header("contentType")).unwrap_or_else(|| {
        if serde_json::from_slice::<Value>(&contents).is_ok() {
            "application/json"
        } else {
            "application/octet-stream"
        }
        .to_owned()
    });
    metadata.entry("contentType").or_insert_with(|| content_type.clone().into());
    Message { contents, content_type, metadata }
}
