//! Consumer groups of librdkafka: joins and leaves settle fast, commits are seen from outside.

use std::time::{Duration, Instant};

use kafka_protocol::messages::{self as m, ApiKey};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tracepact_kafka::{Broker, Config};

use crate::clients::client;
use crate::requests as r;
use crate::wire::call;

fn member(bootstrap: &str, group: &str, more: &[(&str, &str)]) -> BaseConsumer {
    let mut config = client(bootstrap);
    config
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "200");
    more.iter().for_each(|(key, value)| {
        config.set(*key, *value);
    });
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&["t"]).unwrap();
    consumer
}

fn assigned(consumer: &BaseConsumer) -> usize {
    drop(consumer.poll(Duration::from_millis(20)));
    consumer.assignment().unwrap().count()
}

/// Polls all until their assignments are `want`; how long that took.
#[expect(clippy::disallowed_methods, reason = "a test measures with the machine's clock")]
fn settle(members: &[&BaseConsumer], want: &[usize]) -> Duration {
    let start = Instant::now();
    loop {
        let mut got: Vec<usize> = members.iter().map(|member| assigned(member)).collect();
        got.sort_unstable();
        if got == want {
            return start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "still {got:?}, not {want:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_and_leaves_settle_fast_and_never_flap() {
    let broker = Broker::start(Config::default()).await.unwrap();
    broker.create_topic("t", 6).unwrap();
    for (group, strategy) in [("eager", "range"), ("cooperative", "cooperative-sticky")] {
        let at = broker.bootstrap();
        let strategy = [("partition.assignment.strategy", strategy)];
        let took = tokio::task::spawn_blocking(move || {
            let a = member(&at, group, &strategy);
            let b = member(&at, group, &strategy);
            let start = settle(&[&a, &b], &[3, 3]);
            let c = member(&at, group, &strategy);
            let join = settle(&[&a, &b, &c], &[2, 2, 2]);
            drop(b);
            let leave = settle(&[&a, &c], &[3, 3]);
            // Nobody comes or goes any more: nothing may move.
            for _ in 0..50 {
                assert_eq!((assigned(&a), assigned(&c)), (3, 3), "{group} flaps");
            }
            [start, join, leave]
        })
        .await
        .unwrap();
        assert!(took.iter().all(|t| *t < Duration::from_secs(10)), "{group}: {took:?}");
        let seen = broker.groups().into_iter().find(|g| g.group == group).unwrap();
        // Start, join, leave, and the two farewells at the end; cooperative needs two phases for each change.
        let most = if group == "eager" { 6 } else { 12 };
        assert!(seen.rebalances <= most, "{seen:?}");
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_static_member_restarts_without_a_rebalance() {
    let broker = Broker::start(Config::default()).await.unwrap();
    broker.create_topic("t", 4).unwrap();
    let at = broker.bootstrap();
    tokio::task::spawn_blocking(move || {
        let a = member(&at, "static", &[("group.instance.id", "a")]);
        let b = member(&at, "static", &[("group.instance.id", "b")]);
        settle(&[&a, &b], &[2, 2]);
        drop(b); // a static member does not leave when it closes
        let b = member(&at, "static", &[("group.instance.id", "b")]);
        settle(&[&a, &b], &[2, 2]);
    })
    .await
    .unwrap();
    let seen = broker.groups().into_iter().find(|g| g.group == "static").unwrap();
    assert!(seen.rebalances <= 3, "{seen:?}");
    assert_eq!(seen.members, 2, "closing is not leaving for a static member");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lag_is_seen_from_outside() {
    let broker = Broker::start(Config::default()).await.unwrap();
    broker.create_topic("t", 1).unwrap();
    let at = broker.bootstrap();
    let outside = at.clone();
    tokio::task::spawn_blocking(move || {
        let producer: BaseProducer = client(&at).create().unwrap();
        for n in 0..10 {
            producer.send(BaseRecord::<(), str>::to("t").partition(0).payload(&n.to_string())).unwrap();
        }
        producer.flush(Duration::from_secs(10)).unwrap();
        let consumer = member(&at, "laggards", &[("enable.auto.commit", "false")]);
        let mut seen = 0;
        while seen < 4 {
            if let Some(message) = consumer.poll(Duration::from_millis(100)) {
                let message = message.unwrap();
                assert_eq!(message.offset(), seen);
                seen += 1;
                consumer.commit_message(&message, CommitMode::Sync).unwrap();
            }
        }
    })
    .await
    .unwrap();
    let listed: m::ListGroupsResponse =
        call(&outside, ApiKey::ListGroups, 5, &m::ListGroupsRequest::default()).await;
    assert_eq!(listed.groups[0].group_id.to_string(), "laggards");
    let commits: m::OffsetFetchResponse =
        call(&outside, ApiKey::OffsetFetch, 8, &r::offset_fetch("laggards", "t", 8)).await;
    let ends: m::ListOffsetsResponse =
        call(&outside, ApiKey::ListOffsets, 7, &r::list_offsets("t", -1)).await;
    let committed = commits.groups[0].topics[0].partitions[0].committed_offset;
    assert_eq!((committed, ends.topics[0].partitions[0].offset), (4, 10));
}
