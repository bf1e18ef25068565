//! Spans from Kafka, the embedded one or the fresh real one that TRACEPACT_TEST_KAFKA (`host:port`) names.

use std::time::Duration;

use prost::Message as _;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;
use tracepact_base::{ErrorKind, SystemClock};
use tracepact_ingest::{KafkaConfig, KafkaReceiver, KafkaTopic, TopicEncoding};
use tracepact_kafka::{Broker, Config};
use tracepact_store::StoreError;

use super::fake::{Receivers, otlp, otlp_span, receivers};

const DEADLINE: Duration = Duration::from_secs(60);
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
const PROTO3: &[u8] = include_bytes!("../../../model/tests/corpus/zipkin_proto3/full.bin");
const THRIFT: &[u8] = include_bytes!("../../../model/tests/corpus/zipkin_thrift/list.bin");
const THRIFT_SINGLE: &[u8] = include_bytes!("../../../model/tests/corpus/zipkin_thrift/single.bin");
const V1_JSON: &[u8] = include_bytes!("../../../model/tests/corpus/zipkin_v1_json/list.json");
const V2_JSON: &[u8] = include_bytes!("../../../model/tests/corpus/zipkin_json/full.json");
const OTLP_JSON: &[u8] = include_bytes!("../../../model/tests/corpus/otlp_json/example.json");

struct Kafka {
    embedded: Option<Broker>,
    at: String,
}

impl Kafka {
    async fn start() -> Self {
        match std::env::var("TRACEPACT_TEST_KAFKA") {
            Ok(at) => Self { embedded: None, at },
            Err(_) => {
                let broker = Broker::start(Config::default()).await.unwrap();
                Self { at: broker.bootstrap(), embedded: Some(broker) }
            }
        }
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.at);
        client
    }

    async fn create(&self, topic: &str, partitions: i32) {
        let admin: AdminClient<_> = self.client().create().unwrap();
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
        let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        drop(admin.delete_topics(&[topic], &options).await);
        until("the topic", async || admin.create_topics([&wanted], &options).await.unwrap()[0].is_ok()).await;
    }

    async fn produce(&self, topic: &str, partition: i32, payload: &[u8]) {
        let producer: FutureProducer = self.client().create().unwrap();
        let record = FutureRecord::<(), [u8]>::to(topic).partition(partition).payload(payload);
        producer.send(record, Duration::from_secs(20)).await.unwrap();
    }

    /// What the group has committed of a partition. Asked again while a real Kafka still looks for the coordinator.
    async fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let mut found = None;
        until("the group's coordinator", async || {
            let consumer: BaseConsumer = self.client().set("group.id", group).create().unwrap();
            let mut list = TopicPartitionList::new();
            list.add_partition(topic, partition);
            let ask = move || consumer.committed_offsets(list, Duration::from_secs(20));
            let Ok(answer) = tokio::task::spawn_blocking(ask).await.unwrap() else { return false };
            found = match answer.elements()[0].offset() {
                Offset::Offset(next) => Some(next),
                _ => None,
            };
            true
        })
        .await;
        found
    }

    async fn stop(self) {
        if let Some(broker) = self.embedded {
            broker.stop().await;
        }
    }
}

/// Receivers that run.
struct Running {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(config: &KafkaConfig, at: &Receivers) -> Self {
        let receiver = KafkaReceiver::new(config, &at.ingest, SystemClock::shared(), &at.registry).unwrap();
        let stop = CancellationToken::new();
        Self { task: tokio::spawn(receiver.run(stop.clone())), stop }
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.unwrap().unwrap();
    }
}

fn config(
    kafka: &Kafka,
    group: &str,
    topic: &str,
    encoding: TopicEncoding,
    dir: &tempfile::TempDir,
) -> KafkaConfig {
    let topics = vec![KafkaTopic { name: topic.to_owned(), encoding }];
    let mut config = KafkaConfig::new(&kafka.at, topics, dir.path().join("poison"));
    config.group = group.to_owned();
    config.commit_interval = Duration::from_millis(100);
    config
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A body with one span of this number.
fn body(number: u8) -> Vec<u8> {
    otlp(vec![otlp_span(number, super::fake::NOW_NS)]).encode_to_vec()
}

fn gauge(at: &Receivers, name: &str) -> Option<i64> {
    let families = at.registry.gather();
    let family = families.iter().find(|family| family.name() == name)?;
    let values: Vec<f64> = family.get_metric().iter().map(|metric| metric.get_gauge().get_value()).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() as i64)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_encoding_is_told_apart_and_read() {
    let (kafka, dir) = (Kafka::start().await, tempfile::tempdir().unwrap());
    kafka.create("mixed-zipkin", 1).await;
    kafka.create("mixed-otlp", 1).await;
    for payload in [V2_JSON, V1_JSON, PROTO3, THRIFT, THRIFT_SINGLE] {
        kafka.produce("mixed-zipkin", 0, payload).await;
    }
    kafka.produce("mixed-otlp", 0, OTLP_JSON).await;
    kafka.produce("mixed-otlp", 0, &body(1)).await;
    let at = receivers(|bounds| bounds.age_max = CENTURY);
    let mut config = config(&kafka, "mixed", "mixed-zipkin", TopicEncoding::Zipkin, &dir);
    config.topics.push(KafkaTopic { name: "mixed-otlp".into(), encoding: TopicEncoding::Otlp });
    let running = Running::start(&config, &at);
    for (format, records) in [
        ("zipkin_json", 1),
        ("zipkin_json_v1", 1),
        ("zipkin_proto3", 1),
        ("zipkin_thrift", 2),
        ("otlp_json", 1),
        ("otlp_proto", 1),
    ] {
        until(format, async || {
            at.counter("tracepact_ingest_requests_total", &["kafka", format, "accepted"]) == records
        })
        .await;
    }
    running.end().await;
    assert_eq!(at.counter("tracepact_ingest_kafka_records_total", &["mixed-zipkin", "durable"]), 5);
    assert_eq!(at.counter("tracepact_ingest_kafka_records_total", &["poison"]), 0);
    kafka.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_offset_is_committed_before_its_spans_are_durable() {
    let (kafka, dir) = (Kafka::start().await, tempfile::tempdir().unwrap());
    kafka.create("durable", 1).await;
    for number in 1..=5 {
        kafka.produce("durable", 0, &body(number)).await;
    }
    let at = receivers(|_| {});
    at.store.synced.forget_permits(1_000);
    let config = config(&kafka, "durable", "durable", TopicEncoding::Otlp, &dir);
    let running = Running::start(&config, &at);
    // All are on their way to the store, and several commit intervals pass.
    until("bytes in flight", async || gauge(&at, "tracepact_ingest_in_flight_bytes").is_some_and(|b| b > 0))
        .await;
    until("the lag", async || gauge(&at, "tracepact_ingest_kafka_lag_messages") == Some(5)).await;
    assert_eq!(kafka.committed("durable", "durable", 0).await, None);
    assert_eq!(at.store.batches.lock().len(), 0);

    at.store.synced.add_permits(1_000);
    until("the commit", async || kafka.committed("durable", "durable", 0).await == Some(5)).await;
    assert_eq!(at.store.batches.lock().len(), 5);
    until("no lag", async || gauge(&at, "tracepact_ingest_kafka_lag_messages") == Some(0)).await;
    running.end().await;

    // Whoever comes next begins behind what is durable.
    kafka.produce("durable", 0, &body(6)).await;
    let again = receivers(|_| {});
    let running = Running::start(&config, &again);
    until("the sixth", async || again.store.batches.lock().len() == 1).await;
    running.end().await;
    assert_eq!(kafka.committed("durable", "durable", 0).await, Some(6));
    kafka.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_record_is_counted_kept_and_skipped() {
    let (kafka, dir) = (Kafka::start().await, tempfile::tempdir().unwrap());
    kafka.create("poison", 1).await;
    kafka.produce("poison", 0, b"[\"password=hunter2\"").await;
    kafka.produce("poison", 0, b"malformed").await;
    kafka.produce("poison", 0, b"").await;
    kafka.produce("poison", 0, V2_JSON).await;
    let at = receivers(|bounds| bounds.age_max = CENTURY);
    let config = config(&kafka, "poison", "poison", TopicEncoding::Zipkin, &dir);
    let running = Running::start(&config, &at);
    until("all of it", async || kafka.committed("poison", "poison", 0).await == Some(4)).await;
    running.end().await;
    assert_eq!(at.store.batches.lock().len(), 1);
    let counted = |result| at.counter("tracepact_ingest_kafka_records_total", &["poison", result]);
    assert_eq!(counted("empty"), 1);
    assert_eq!(counted("durable"), 1);
    let kept = std::fs::read_to_string(config.poison.dir.join("kafka-poison.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 2, "{kept}");
    assert!(kept.contains("malformed") && !kept.contains("hunter2"), "{kept}");
    kafka.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_nothing_pauses_reading_and_loses_nothing() {
    let (kafka, dir) = (Kafka::start().await, tempfile::tempdir().unwrap());
    kafka.create("paused", 2).await;
    for number in 1..=40 {
        kafka.produce("paused", i32::from(number % 2), &body(number)).await;
    }
    let at = receivers(|_| {});
    *at.store.refuse.lock() = Some(StoreError::new(ErrorKind::Exhausted, "sealing is behind"));
    let mut config = config(&kafka, "paused", "paused", TopicEncoding::Otlp, &dir);
    config.in_hand_max = 4;
    config.pause_after = Duration::from_millis(200);
    let running = Running::start(&config, &at);
    until("the pause", async || gauge(&at, "tracepact_ingest_kafka_paused_members") == Some(1)).await;
    assert_eq!(kafka.committed("paused", "paused", 0).await, None);

    *at.store.refuse.lock() = None;
    until("everything", async || at.store.batches.lock().len() >= 40).await;
    for partition in 0..2 {
        until("its commit", async || kafka.committed("paused", "paused", partition).await == Some(20)).await;
    }
    assert_eq!(gauge(&at, "tracepact_ingest_kafka_paused_members"), Some(0));
    running.end().await;
    kafka.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_members_share_the_partitions() {
    let (kafka, dir) = (Kafka::start().await, tempfile::tempdir().unwrap());
    kafka.create("shared", 4).await;
    let (one, other) = (receivers(|_| {}), receivers(|_| {}));
    let config =
        KafkaConfig { consumers: 2, ..config(&kafka, "shared", "shared", TopicEncoding::Otlp, &dir) };
    let running = [Running::start(&config, &one), Running::start(&config, &other)];
    // The lag gauge exists for assigned partitions alone: two members here and two there have one each.
    let assigned = |at: &Receivers| {
        let families = at.registry.gather();
        let lag = families.iter().find(|family| family.name() == "tracepact_ingest_kafka_lag_messages");
        lag.map_or(0, |family| family.get_metric().len())
    };
    let mut number = 0;
    until("two partitions each", async || {
        number += 1;
        for partition in 0..4 {
            kafka.produce("shared", partition, &body(number)).await;
        }
        assigned(&one) == 2 && assigned(&other) == 2
    })
    .await;
    let sent = u64::from(number) * 4;
    until("every record", async || {
        let durable =
            |at: &Receivers| at.counter("tracepact_ingest_kafka_records_total", &["shared", "durable"]);
        durable(&one) > 0 && durable(&other) > 0 && durable(&one) + durable(&other) >= sent
    })
    .await;
    for running in running {
        running.end().await;
    }
    for partition in 0..4 {
        assert_eq!(kafka.committed("shared", "shared", partition).await, Some(i64::from(number)));
    }
    kafka.stop().await;
}

/// The embedded Kafka alone: a real one cannot be told to come later on a chosen port.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_later_is_found() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap().to_string();
    drop(free);
    let dir = tempfile::tempdir().unwrap();
    let nowhere = Kafka { embedded: None, at: listen.clone() };
    let at = receivers(|_| {});
    let config = config(&nowhere, "later", "later", TopicEncoding::Otlp, &dir);
    let running = Running::start(&config, &at);
    until("a try that failed", async || at.counter("tracepact_ingest_kafka_errors_total", &[]) > 0).await;

    let broker = Broker::start(Config { listen, ..Config::default() }).await.unwrap();
    let kafka = Kafka { at: broker.bootstrap(), embedded: Some(broker) };
    kafka.create("later", 1).await;
    kafka.produce("later", 0, &body(1)).await;
    until("the span", async || at.store.batches.lock().len() == 1).await;
    running.end().await;
    kafka.stop().await;
}
