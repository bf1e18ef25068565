//! Sending: one PRODUCER span per record, its context in the record's headers.

use std::time::Duration;

use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;

use super::record::messaging_attributes;
use crate::propagation::kafka::inject_kafka;
use crate::spans::{Tracing, end, fail};

/// A record to send.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// The topic.
    pub topic: String,
    /// The partition; chosen by the key when `None`.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Further headers; the trace context is added to them.
    pub headers: Option<OwnedHeaders>,
    /// The record's time in milliseconds since 1970; now when `None`.
    pub timestamp_ms: Option<i64>,
}

impl Outgoing {
    /// A record with key and value.
    pub fn new(topic: impl Into<String>, key: impl Into<Vec<u8>>, payload: impl Into<Vec<u8>>) -> Self {
        Self { topic: topic.into(), key: Some(key.into()), payload: Some(payload.into()), ..Self::default() }
    }

    /// A record whose value is `value` as JSON.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn json(
        topic: impl Into<String>,
        key: impl Into<Vec<u8>>,
        value: &(impl serde::Serialize + ?Sized),
    ) -> Result<Self, serde_json::Error> {
        Ok(Self::new(topic, key, serde_json::to_vec(value)?))
    }
}

/// Where an acknowledged record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// Sends records. Cheap to clone.
#[derive(Clone)]
pub struct Producer {
    inner: FutureProducer,
    tracing: Tracing,
    queue_timeout: Duration,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}

impl Producer {
    /// A producer for the brokers at `bootstrap`: acknowledged by all replicas, at most 30 s per record.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration.
    pub fn new(bootstrap: &str, tracing: Tracing) -> Result<Self, KafkaError> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", bootstrap)
            .set("acks", "all")
            .set("message.timeout.ms", "30000")
            .set("linger.ms", "2");
        Self::from_config(&config, tracing)
    }

    /// A producer with the caller's configuration.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration.
    pub fn from_config(config: &ClientConfig, tracing: Tracing) -> Result<Self, KafkaError> {
        Ok(Self { inner: config.create()?, tracing, queue_timeout: Duration::from_secs(5) })
    }

    /// Sends a record within a `send T` span below the current one and waits for the acknowledgement.
    ///
    /// # Errors
    /// When the queue stayed full for 5 s, or the brokers did not acknowledge in time.
    pub async fn send(&self, record: Outgoing) -> Result<Delivered, KafkaError> {
        self.send_in(&Context::current(), record, true).await
    }

    /// [`Producer::send`] below `parent`; without `inject` the record's headers stay exactly as they are.
    pub(super) async fn send_in(
        &self,
        parent: &Context,
        record: Outgoing,
        inject: bool,
    ) -> Result<Delivered, KafkaError> {
        let mut attributes = messaging_attributes("send", "send", &record.topic, record.key.as_deref());
        if record.payload.is_none() {
            attributes.push(KeyValue::new("messaging.kafka.message.tombstone", true));
        }
        let name = format!("send {}", record.topic);
        let cx = self.tracing.start(parent, SpanKind::Producer, name, attributes, Vec::new());
        let headers = if inject {
            Some(inject_kafka(&cx, &self.tracing.rules().kafka, record.headers))
        } else {
            record.headers
        };
        let outgoing = FutureRecord::<[u8], [u8]> {
            topic: &record.topic,
            partition: record.partition,
            payload: record.payload.as_deref(),
            key: record.key.as_deref(),
            timestamp: record.timestamp_ms,
            headers,
        };
        let result = self.inner.send(outgoing, Timeout::After(self.queue_timeout)).await;
        let result = match result {
            Ok(delivery) => {
                let span = cx.span();
                span.set_attribute(KeyValue::new(
                    "messaging.destination.partition.id",
                    delivery.partition.to_string(),
                ));
                span.set_attribute(KeyValue::new("messaging.kafka.offset", delivery.offset));
                Ok(Delivered { partition: delivery.partition, offset: delivery.offset })
            }
            Err((error, _record)) => {
                let code = error
                    .rdkafka_error_code()
                    .map_or_else(|| "_OTHER".to_owned(), |code| format!("{code:?}"));
                fail(&cx, &code, error.to_string());
                Err(error)
            }
        };
        end(&cx);
        result
    }

    /// Waits until all records are acknowledged, at most `within`.
    ///
    /// # Errors
    /// When some are not.
    pub async fn flush(&self, within: Duration) -> Result<(), KafkaError> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || inner.flush(Timeout::After(within)))
            .await
            .unwrap_or(Err(KafkaError::Canceled))
    }
}
