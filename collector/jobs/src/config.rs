//! What the jobs are told: validated values, not raw configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use tracepact_base::{ServiceName, Topic};
use tracepact_resilience::lag::Rules;
use url::Url;

/// Everything the jobs need to know. The default does nothing.
#[derive(Debug, Clone, Default)]
pub struct JobsConfig {
    /// Kafka to read; `None`: no lag and no flows.
    pub kafka: Option<KafkaConfig>,
    /// Flows to audit.
    pub flows: Vec<FlowConfig>,
    /// Consumer group → service, from the service catalogue.
    pub group_services: BTreeMap<String, ServiceName>,
    /// Streams to pull.
    pub hystrix: Vec<HystrixTarget>,
}

/// How Kafka is read. It must be version 3.0 or newer.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// `host:port` of one or more brokers, separated by commas.
    pub bootstrap: String,
    /// Pause between two readings of all offsets.
    pub poll_interval: Duration,
    /// Longest wait for a connection or an answer.
    pub timeout: Duration,
    /// Longest answer accepted, bytes.
    pub answer_bytes_max: u32,
    /// How verdicts on lag are reached.
    pub rules: Rules,
}

impl KafkaConfig {
    /// The defaults for these brokers: every 2 s, 5 s of patience, answers up to 64 MiB.
    pub fn new(bootstrap: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            poll_interval: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            answer_bytes_max: 64 << 20,
            rules: Rules::default(),
        }
    }
}

/// A request topic, the group that must answer, and where its answers go. The record key is the correlation key.
#[derive(Debug, Clone)]
pub struct FlowConfig {
    /// The flow's name; unique.
    pub name: String,
    /// Topic of requests.
    pub request_topic: Topic,
    /// Topic of results.
    pub result_topic: Topic,
    /// Topic of dead letters.
    pub dead_letter_topic: Option<Topic>,
    /// The consumer group that must answer.
    pub group: String,
    /// How long an answer may take.
    pub window: Duration,
    /// Messages followed at once; beyond it the oldest are let go, and counted as not followed.
    pub entries_max: usize,
}

/// A `hystrix.stream` to pull.
#[derive(Debug, Clone)]
pub struct HystrixTarget {
    /// Its address, from the configuration only.
    pub url: Url,
    /// The service behind it.
    pub service: ServiceName,
}
