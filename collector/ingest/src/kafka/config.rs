//! What is read, as whom, and within which bounds.

use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;

/// Settings of the receivers.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// Brokers to begin with: `host:port`, several with commas.
    pub bootstrap: String,
    /// The consumer group.
    pub group: String,
    /// The topics.
    pub topics: Vec<Topic>,
    /// Members of the group in this process; they share the partitions.
    pub consumers: usize,
    /// Most records in hand of one member: decoded and not durable yet.
    pub in_hand_max: usize,
    /// Fetching is paused after all records in hand waited this long: pausing throws prefetched records away, so short
    /// waits are sat out.
    pub pause_after: Duration,
    /// How long a stopping member waits for the records in hand.
    pub drain_within: Duration,
    /// Time between two commits of what became durable.
    pub commit_interval: Duration,
    /// Where records that cannot be read are kept.
    pub poison: PoisonConfig,
    /// librdkafka's properties that override the above.
    pub properties: Vec<(String, String)>,
}

impl KafkaConfig {
    /// The defaults for `topics`, with the side file of poison records under `poison_dir`.
    pub fn new(bootstrap: impl Into<String>, topics: Vec<Topic>, poison_dir: impl Into<PathBuf>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            group: "zipkin".into(),
            topics,
            consumers: 1,
            in_hand_max: 64,
            pause_after: Duration::from_secs(1),
            drain_within: Duration::from_secs(5),
            commit_interval: Duration::from_secs(1),
            poison: PoisonConfig::new(poison_dir),
            properties: Vec::new(),
        }
    }

    /// What is written in a topic; topics that are not configured are never delivered.
    pub(super) fn encoding(&self, topic: &str) -> TopicEncoding {
        self.topics
            .iter()
            .find(|known| known.name == topic)
            .map_or(TopicEncoding::Zipkin, |known| known.encoding)
    }

    pub(super) fn client(&self, number: usize) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.bootstrap)
            .set("group.id", &self.group)
            .set("client.id", format!("tracepact-{number}"))
            // Offsets are stored here, once durable; librdkafka commits the stored ones now and then, and at a rebalance.
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", self.commit_interval.as_millis().to_string())
            // Nobody has read those spans yet: a new group begins at the beginning.
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "10000")
            .set("topic.metadata.refresh.interval.ms", "5000")
            // Prefetched records are memory.
            .set("queued.max.messages.kbytes", "16384")
            .set("statistics.interval.ms", "2000");
        for (key, value) in &self.properties {
            client.set(key, value);
        }
        client
    }
}

/// A topic and what is written in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// What is written in it.
    pub encoding: TopicEncoding,
}

/// What is written in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicEncoding {
    /// One of Zipkin's encodings, another one in every record if need be.
    Zipkin,
    /// OTLP's `TracesData`, protobuf or JSON.
    Otlp,
}

/// Bounds of the side file of poison records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoisonConfig {
    /// Its folder; made when missing.
    pub dir: PathBuf,
    /// Most bytes of it on disk; the oldest records go first.
    pub bytes_max: u64,
    /// Records are kept this long.
    pub age_max: Duration,
    /// Most bytes kept of one record.
    pub record_bytes_max: usize,
}

impl PoisonConfig {
    /// 16 MiB, seven days, 4 KiB of each record.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            bytes_max: 16 << 20,
            age_max: Duration::from_secs(7 * 24 * 3_600),
            record_bytes_max: 4 << 10,
        }
    }
}
