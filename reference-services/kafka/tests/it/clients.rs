//! librdkafka, unmodified: produce compressed batches with headers, read them back, find offsets by time.

use std::time::Duration;

use futures::StreamExt;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracepact_kafka::{Broker, Config, Faults};

pub(crate) fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("broker.address.family", "v4");
    config
}

async fn send(producer: &FutureProducer, topic: &str, key: &str, at_ms: i64) {
    let headers = OwnedHeaders::new()
        .insert(Header {
            key: "traceparent",
            value: Some("00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01"),
        })
        .insert(Header { key: "empty", value: None::<&str> });
    let record =
        FutureRecord::to(topic).key(key).payload("order").partition(0).timestamp(at_ms).headers(headers);
    producer.send(record, Duration::from_secs(10)).await.map_err(|(error, _)| error).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_every_codec_come_back_whole_and_times_inside_them_are_found() {
    let broker = Broker::start(Config::default()).await.unwrap();
    // zstd needs a librdkafka built with it; the log's own tests cover that codec.
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let topic = format!("codec-{codec}");
        let producer: FutureProducer = client(&broker.bootstrap())
            .set("compression.type", codec)
            .set("linger.ms", "50")
            .set("enable.idempotence", "true")
            .create()
            .unwrap_or_else(|error| panic!("{codec}: {error}"));
        let keys: Vec<String> = (0..20).map(|n| format!("k{n}")).collect();
        let sends = keys.iter().enumerate().map(|(n, key)| send(&producer, &topic, key, 1_000 + n as i64));
        futures::future::join_all(sends).await;

        let consumer: StreamConsumer = client(&broker.bootstrap())
            .set("group.id", format!("read-{codec}"))
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let mut at = TopicPartitionList::new();
        at.add_partition_offset(&topic, 0, Offset::Beginning).unwrap();
        consumer.assign(&at).unwrap();
        let got: Vec<_> = consumer.stream().take(20).map(|m| m.unwrap().detach()).collect().await;
        let mut read: Vec<_> =
            got.iter().map(|m| String::from_utf8(m.key().unwrap().to_vec()).unwrap()).collect();
        read.sort_by_key(|key| key[1..].parse::<u32>().unwrap());
        assert_eq!(read, keys, "{codec}");
        let headers = got[0].headers().unwrap();
        assert_eq!((headers.get(0).key, headers.get(1).value), ("traceparent", None));

        // The stream is in offset order; the first record at or after 1012.5 ms is the one sent with 1013 ms.
        let by_time = got.iter().find(|m| m.timestamp().to_millis().unwrap() >= 1_013).unwrap();
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_offset(&topic, 0, Offset::Offset(1_013)).unwrap();
        let found = consumer.offsets_for_times(wanted, Duration::from_secs(5)).unwrap();
        assert_eq!(found.elements()[0].offset(), Offset::Offset(by_time.offset()), "{codec}");
        let (low, high) = consumer.fetch_watermarks(&topic, 0, Duration::from_secs(5)).unwrap();
        assert_eq!((low, high), (0, 20), "{codec}");
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administration_by_librdkafka() {
    let broker = Broker::start(Config { auto_create_topics: false, ..Config::default() }).await.unwrap();
    let admin: AdminClient<DefaultClientContext> = client(&broker.bootstrap()).create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(5)));
    let wanted = NewTopic::new("made", 3, TopicReplication::Fixed(1)).set("retention.ms", "1000");
    assert_eq!(admin.create_topics([&wanted], &options).await.unwrap(), [Ok("made".to_owned())]);
    let consumer: BaseConsumer = client(&broker.bootstrap()).create().unwrap();
    let metadata = consumer.fetch_metadata(Some("made"), Duration::from_secs(5)).unwrap();
    assert_eq!(metadata.topics()[0].partitions().len(), 3);
    assert!(admin.delete_topics(&["made"], &options).await.unwrap()[0].is_ok());
    let metadata = consumer.fetch_metadata(Some("made"), Duration::from_secs(5)).unwrap();
    assert!(metadata.topics()[0].error().is_some(), "deleted, and not created again by asking");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swallowed_message_is_acknowledged_and_never_arrives() {
    let broker = Broker::start(Config::default()).await.unwrap();
    broker.create_topic("t", 1).unwrap();
    let producer: FutureProducer =
        client(&broker.bootstrap()).set("enable.idempotence", "true").set("linger.ms", "0").create().unwrap();
    send(&producer, "t", "kept", 1).await;
    broker.faults(Faults { swallow: [("t".to_owned(), 1)].into(), ..Faults::default() });
    send(&producer, "t", "swallowed", 2).await;
    send(&producer, "t", "kept too", 3).await;
    let consumer: StreamConsumer =
        client(&broker.bootstrap()).set("group.id", "g").set("enable.auto.commit", "false").create().unwrap();
    let mut at = TopicPartitionList::new();
    at.add_partition_offset("t", 0, Offset::Beginning).unwrap();
    consumer.assign(&at).unwrap();
    let got: Vec<_> = consumer
        .stream()
        .take(2)
        .map(|m| String::from_utf8(m.unwrap().key().unwrap().to_vec()).unwrap())
        .collect()
        .await;
    assert_eq!(got, ["kept", "kept too"]);
}
