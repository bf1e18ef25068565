//! Spans from Kafka: members of one consumer group that share the partitions. An offset is committed only after the
//! spans of its record, and of every record before it, are durable.
//!
//! Records of Zipkin topics are told apart one by one ([`tracepact_model::sniff`]); those of OTLP topics are protobuf
//! or JSON. A record that no decoder can read is *poison*: counted, kept in a bounded side file, and skipped. What the
//! store cannot take at the moment is tried again until it can; meanwhile the partitions are paused, and the member
//! stays in its group.

mod config;
mod consumer;
mod context;
mod encoding;
mod metrics;
mod offsets;
mod poison;

use prometheus::Registry;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use tokio_util::sync::CancellationToken;
use tracepact_base::SharedClock;

use self::consumer::Member;
use self::context::MemberContext;
use self::metrics::KafkaMetrics;
use self::poison::PoisonFile;
use crate::Ingest;

pub use self::config::{KafkaConfig, PoisonConfig, Topic, TopicEncoding};

/// How often old poison records are looked for.
const EXPIRE_EVERY: std::time::Duration = std::time::Duration::from_secs(600);

/// The receivers could not be put together. A broker that does not answer is no such error: it is waited for.
#[derive(Debug, thiserror::Error)]
pub enum KafkaReceiverError {
    /// librdkafka refused a setting.
    #[error("spans cannot be read from Kafka: {0}")]
    Client(#[from] KafkaError),
    /// A metric of this name is there already.
    #[error("the counters of spans from Kafka cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// The side file of poison records cannot be opened.
    #[error("the file of records that cannot be read, in {}, cannot be opened", dir.display())]
    Poison {
        /// Its folder.
        dir: std::path::PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
}

/// Members of the group, not running yet.
pub struct KafkaReceiver {
    members: Vec<Member>,
    poison: PoisonFile,
}

impl KafkaReceiver {
    /// Makes the members. None of them has to reach Kafka for that.
    ///
    /// # Errors
    /// Settings that librdkafka does not know, a side file that cannot be opened, metrics that are there already.
    pub fn new(
        config: &KafkaConfig,
        ingest: &Ingest,
        clock: SharedClock,
        registry: &Registry,
    ) -> Result<Self, KafkaReceiverError> {
        let metrics = KafkaMetrics::register(registry)?;
        let poison = PoisonFile::open(&config.poison, clock, ingest.config().redaction.clone())
            .map_err(|source| KafkaReceiverError::Poison { dir: config.poison.dir.clone(), source })?;
        let names: Vec<&str> = config.topics.iter().map(|topic| topic.name.as_str()).collect();
        let mut members = Vec::new();
        for number in 0..config.consumers.max(1) {
            let context = MemberContext::new(metrics.clone());
            let consumer: StreamConsumer<MemberContext> =
                config.client(number).create_with_context(context)?;
            consumer.subscribe(&names)?;
            members.push(Member::new(consumer, config, ingest.clone(), metrics.clone(), poison.clone()));
        }
        Ok(Self { members, poison })
    }

    /// Reads until `stop`, then finishes what is in hand, commits it and leaves the group.
    pub async fn run(self, stop: CancellationToken) {
        let running = self.members.into_iter().map(|member| member.run(stop.clone()));
        let expiring = async {
            let mut ticks = tokio::time::interval(EXPIRE_EVERY);
            loop {
                ticks.tick().await;
                let poison = self.poison.clone();
                if let Ok(Err(error)) = tokio::task::spawn_blocking(move || poison.expire()).await {
                    tracing::warn!(%error, "old records that could not be read were not removed");
                }
            }
        };
        tokio::select! {
            _ = futures::future::join_all(running) => {}
            () = expiring => {}
        }
    }
}
