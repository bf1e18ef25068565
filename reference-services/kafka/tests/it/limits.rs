//! The bounds hold and say so.

use std::time::Duration;

use kafka_protocol::messages::{self as m, ApiKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracepact_base::ManualClock;
use tracepact_kafka::{Broker, Config};

use crate::requests as r;
use crate::wire::{batch, call, exchange, frame};

async fn starts(at: &str, topic: &str) -> (i64, i64) {
    let mut found = [0; 2];
    for (into, time) in found.iter_mut().zip([-2, -1]) {
        let a: m::ListOffsetsResponse = call(at, ApiKey::ListOffsets, 7, &r::list_offsets(topic, time)).await;
        *into = a.topics[0].partitions[0].offset;
    }
    (found[0], found[1])
}

#[tokio::test]
async fn the_memory_cap_holds_over_all_partitions_and_drops_the_oldest_first() {
    let one = batch(10).len() as u64;
    let config = Config { memory_bytes_max: 5 * one, ..Config::default() };
    let broker = Broker::start(config).await.unwrap();
    let at = broker.bootstrap();
    for topic in ["old", "new"] {
        broker.create_topic(topic, 1).unwrap();
        for _ in 0..4 {
            let a: m::ProduceResponse = call(&at, ApiKey::Produce, 9, &r::produce(topic, batch(10))).await;
            assert_eq!(a.responses[0].partition_responses[0].error_code, 0);
            assert!(broker.memory_bytes() <= 5 * one);
        }
    }
    assert_eq!(starts(&at, "old").await, (30, 40), "three of the four oldest batches went");
    assert_eq!(starts(&at, "new").await, (0, 40));
    // What was dropped reads as out of range, so the reader notices.
    let a: m::FetchResponse = call(&at, ApiKey::Fetch, 12, &r::fetch("old", 0, 0)).await;
    assert_eq!(a.responses[0].partitions[0].error_code, 1);
    // A single batch above the cap is refused instead of emptying the broker.
    let a: m::ProduceResponse = call(&at, ApiKey::Produce, 9, &r::produce("new", batch(80))).await;
    assert_eq!(a.responses[0].partition_responses[0].error_code, 10);
    assert_eq!(starts(&at, "new").await, (0, 40));
}

#[tokio::test]
async fn retention_by_age_follows_the_clock() {
    let clock = ManualClock::at(1_000_000_000_000);
    let broker = Broker::start(Config { clock: clock.clone(), ..Config::default() }).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic_with("t", 1, &[("retention.ms", "5000")]).unwrap();
    for _ in 0..2 {
        let _: m::ProduceResponse = call(&at, ApiKey::Produce, 9, &r::produce("t", batch(2))).await;
        clock.advance_ns(4_000_000_000);
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while starts(&at, "t").await != (2, 4) {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", starts(&at, "t").await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_frame_that_promises_too_much_ends_its_connection_only() {
    let broker = Broker::start(Config { frame_bytes_max: 1_000, ..Config::default() }).await.unwrap();
    let at = broker.bootstrap();
    for length in [1_001i32, -5, 3, i32::MAX] {
        let mut socket = TcpStream::connect(&at).await.unwrap();
        socket.write_all(&length.to_be_bytes()).await.unwrap();
        socket.write_all(&[0; 16]).await.unwrap();
        assert_eq!(socket.read(&mut [0; 1]).await.unwrap_or(0), 0, "{length}");
    }
    let good = frame(ApiKey::ListGroups, 5, &m::ListGroupsRequest::default());
    assert!(exchange(&at, &good).await.is_some());
    // Two billion topics in a frame of thirty bytes.
    let mut huge = frame(ApiKey::Metadata, 1, &m::MetadataRequest::default().with_topics(None)).to_vec();
    let count = huge.len() - 4;
    huge[count..].copy_from_slice(&i32::MAX.to_be_bytes());
    assert!(exchange(&at, &huge).await.is_none());
    assert!(exchange(&at, &good).await.is_some());
}

#[tokio::test]
async fn connections_topics_and_sessions_are_limited() {
    let config = Config { connections_max: 1, partitions_max: 10, ..Config::default() };
    let broker = Broker::start(config).await.unwrap();
    let at = broker.bootstrap();
    let good = frame(ApiKey::ListGroups, 5, &m::ListGroupsRequest::default());
    {
        let _held = TcpStream::connect(&at).await.unwrap();
        assert!(exchange(&at, &good).await.is_none(), "the only place is taken");
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while exchange(&at, &good).await.is_none() {
        assert!(tokio::time::Instant::now() < deadline, "the place is free again");
    }
    broker.create_topic("a", 8).unwrap();
    let refused = broker.create_topic("b", 3).unwrap_err();
    assert!(refused.to_string().contains("44"), "{refused}");
    assert!(broker.create_topic("no/slash", 1).is_err());
}

#[tokio::test]
async fn an_impossible_session_timeout_is_refused() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let q = r::join("g", "").with_session_timeout_ms(1);
    let a: m::JoinGroupResponse = call(&broker.bootstrap(), ApiKey::JoinGroup, 3, &q).await;
    assert_eq!(a.error_code, 26);
}
