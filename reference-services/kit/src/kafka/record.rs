//! A consumed record and what its handler may say about it.

use opentelemetry::KeyValue;
use rdkafka::message::{BorrowedMessage, Headers, Message, OwnedHeaders};

/// A record, detached from librdkafka's buffers.
#[derive(Debug, Clone)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// When it was produced or appended, in milliseconds since 1970, if known.
    pub timestamp_ms: Option<i64>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; absent in a tombstone.
    pub payload: Option<Vec<u8>>,
    /// The headers.
    pub headers: Option<OwnedHeaders>,
}

impl Record {
    pub(super) fn detach(message: &BorrowedMessage<'_>) -> Self {
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            headers: message.headers().map(|headers| headers.detach()),
        }
    }

    /// The key as text; empty when there is none or it is not UTF-8.
    pub fn key_str(&self) -> &str {
        self.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default()
    }

    /// The value parsed from JSON.
    ///
    /// # Errors
    /// [`Failure::DeadLetter`]: a record that does not parse now never will.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(self.payload.as_deref().unwrap_or_default())
            .map_err(|error| Failure::DeadLetter(format!("the value is not the JSON expected: {error}")))
    }

    /// The last header called `name`.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let headers = self.headers.as_ref()?;
        (0..headers.count())
            .rev()
            .filter_map(|at| headers.try_get(at))
            .find(|header| header.key == name)
            .and_then(|header| header.value)
    }
}

/// Why a handler did not finish a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may work later: the record is tried again, and nothing after it in its lane runs meanwhile.
    #[error("{0}")]
    Retry(String),
    /// It never will: the record goes to the dead-letter topic.
    #[error("{0}")]
    DeadLetter(String),
}

/// The attributes every messaging span has (semantic conventions 1.44).
pub(super) fn messaging_attributes(
    operation_name: &'static str,
    operation_type: &'static str,
    topic: &str,
    key: Option<&[u8]>,
) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("messaging.system", "kafka"),
        KeyValue::new("messaging.operation.name", operation_name),
        KeyValue::new("messaging.operation.type", operation_type),
        KeyValue::new("messaging.destination.name", topic.to_owned()),
    ];
    if let Some(key) = key.and_then(|key| std::str::from_utf8(key).ok()) {
        let shown: String = key.chars().take(256).collect();
        attributes.push(KeyValue::new("messaging.kafka.message.key", shown));
    }
    attributes
}
