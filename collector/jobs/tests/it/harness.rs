//! A store in memory, clients, and waiting on a condition with a deadline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::BoxFuture;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;
use tracepact_base::{Event, SystemClock};
use tracepact_jobs::{FlowConfig, Jobs, JobsConfig, KafkaConfig};
use tracepact_kafka::{Broker, Config};
use tracepact_resilience::board::{Boards, GroupView, MessageView};
use tracepact_resilience::lag::Rules;
use tracepact_store::{
    EventQuery, EventStore, Point, ReadCtx, SeriesAnswer, SeriesQuery, SeriesStore, StoreError,
};

/// Keeps what was written; an event whose id is known is ignored, as the trait demands.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    pub(crate) points: Mutex<Vec<Point>>,
    pub(crate) events: Mutex<BTreeMap<String, Event>>,
}

impl SeriesStore for MemoryStore {
    fn append_points(&self, points: Vec<Point>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.points.lock().unwrap().extend(points);
        Box::pin(async { Ok(()) })
    }

    fn select(&self, _: SeriesQuery, _: ReadCtx) -> BoxFuture<'_, Result<SeriesAnswer, StoreError>> {
        Box::pin(async { Ok(SeriesAnswer::default()) })
    }
}

impl EventStore for MemoryStore {
    fn append_events(&self, events: Vec<Event>) -> BoxFuture<'_, Result<(), StoreError>> {
        let mut known = self.events.lock().unwrap();
        for event in events {
            known.entry(event.id.clone()).or_insert(event);
        }
        Box::pin(async { Ok(()) })
    }

    fn events(&self, _: EventQuery, _: ReadCtx) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn events_version(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }
}

/// Running jobs with their boards and store.
pub(crate) struct Running {
    pub(crate) boards: Arc<Boards>,
    pub(crate) store: Arc<MemoryStore>,
    jobs: Jobs,
    stop: CancellationToken,
}

impl Running {
    pub(crate) fn start(config: JobsConfig) -> Self {
        Self::start_on(config, Arc::default())
    }

    pub(crate) fn start_on(config: JobsConfig, store: Arc<MemoryStore>) -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let clock = SystemClock::shared();
        let boards = Arc::new(Boards::new(clock.now_ns()));
        let stop = CancellationToken::new();
        let jobs = Jobs::start(config, store.clone(), store.clone(), boards.clone(), clock, stop.clone());
        Self { boards, store, jobs, stop }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), self.jobs.ended()).await.unwrap();
    }

    pub(crate) fn group(&self, name: &str) -> Option<GroupView> {
        self.boards.lag.snapshot().groups.iter().find(|view| view.group == name).cloned()
    }

    pub(crate) fn message(&self, key: &str) -> Option<MessageView> {
        self.boards.messages.snapshot().messages.iter().find(|view| view.key == key).cloned()
    }

    pub(crate) fn newest(&self, name: &str) -> Option<f64> {
        self.store.points.lock().unwrap().iter().rev().find(|p| p.name == name).map(|p| p.value)
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.store.events.lock().unwrap().values().cloned().collect()
    }
}

/// The Kafka under test: the embedded one, or the fresh real one that TRACEPACT_TEST_KAFKA (`host:port`) names.
pub(crate) struct Target {
    embedded: Option<Broker>,
    pub(crate) at: String,
}

impl Target {
    pub(crate) async fn start() -> Self {
        match std::env::var("TRACEPACT_TEST_KAFKA") {
            Ok(at) => Self { embedded: None, at },
            Err(_) => {
                let broker = Broker::start(Config::default()).await.unwrap();
                Self { at: broker.bootstrap(), embedded: Some(broker) }
            }
        }
    }

    /// Deletes what is left of an earlier run and creates the topic.
    pub(crate) async fn create_topic(&self, name: &str, partitions: i32) {
        let admin: AdminClient<_> = client(&self.at).create().unwrap();
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        drop(admin.delete_topics(&[name], &options).await);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while admin.create_topics([&topic], &options).await.unwrap()[0].is_err() {
            assert!(tokio::time::Instant::now() < deadline, "{name} was not created");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn stop(self) {
        if let Some(broker) = self.embedded {
            broker.stop().await;
        }
    }
}

/// Quick polls and verdicts.
pub(crate) fn kafka(bootstrap: &str) -> KafkaConfig {
    KafkaConfig {
        poll_interval: Duration::from_millis(50),
        timeout: Duration::from_secs(2),
        rules: Rules { slot_ns: 200_000_000, ..Rules::default() },
        ..KafkaConfig::new(bootstrap)
    }
}

pub(crate) fn flow(window: Duration) -> FlowConfig {
    FlowConfig {
        name: "order-payment".to_owned(),
        request_topic: tracepact_base::Topic::new("order-placed").unwrap(),
        result_topic: tracepact_base::Topic::new("payment-result").unwrap(),
        dead_letter_topic: Some(tracepact_base::Topic::new("order-placed.DLT").unwrap()),
        group: "payments".to_owned(),
        window,
        entries_max: 10_000,
    }
}

/// Waits until `found` finds something.
pub(crate) async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("broker.address.family", "v4");
    config
}

pub(crate) fn producer(bootstrap: &str) -> FutureProducer {
    client(bootstrap).set("linger.ms", "0").set("compression.type", "lz4").create().unwrap()
}

/// Sends one record to partition 0 with a trace header.
pub(crate) async fn send(producer: &FutureProducer, topic: &str, key: &str) {
    let parent = "00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01";
    let headers = OwnedHeaders::new().insert(Header { key: "traceparent", value: Some(parent) });
    let record = FutureRecord::to(topic).key(key).payload("{}").partition(0).headers(headers);
    producer.send(record, Duration::from_secs(10)).await.map_err(|(error, _)| error).unwrap();
}

/// Commits offsets of partition 0 for a group without members, quickly: on one connection.
pub(crate) struct Committer {
    consumer: Arc<BaseConsumer>,
    topic: String,
}

impl Committer {
    pub(crate) fn new(bootstrap: &str, group: &str, topic: &str) -> Self {
        let consumer = client(bootstrap).set("group.id", group).create().unwrap();
        Self { consumer: Arc::new(consumer), topic: topic.to_owned() }
    }

    pub(crate) async fn commit(&self, offset: i64) {
        let (consumer, topic) = (self.consumer.clone(), self.topic.clone());
        let commit = move || {
            let mut at = TopicPartitionList::new();
            at.add_partition_offset(&topic, 0, Offset::Offset(offset)).unwrap();
            consumer.commit(&at, CommitMode::Sync).unwrap();
        };
        tokio::task::spawn_blocking(commit).await.unwrap();
    }
}

/// Commits once.
pub(crate) async fn commit(bootstrap: &str, group: &str, topic: &str, offset: i64) {
    Committer::new(bootstrap, group, topic).commit(offset).await;
}
