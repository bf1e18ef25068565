//! Faults to order, as a client meets them.

use std::time::Duration;

use kafka_protocol::messages::{self as m, ApiKey};
use tokio::time::Instant;
use tracepact_kafka::{Broker, Config, ErrorAnswer, Faults};

use crate::requests as r;
use crate::wire::{call, exchange, frame};

fn order(api: ApiKey, code: i16, times: Option<u32>, topic: Option<&str>) -> Faults {
    let answer = ErrorAnswer { api, code, times, topic: topic.map(str::to_owned) };
    Faults { error_answers: vec![answer], ..Faults::default() }
}

#[tokio::test]
async fn error_answers_are_given_as_often_as_ordered_and_only_for_their_topic() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("t", 1).unwrap();
    broker.create_topic("u", 1).unwrap();
    broker.faults(order(ApiKey::Produce, 6, Some(2), Some("t")));
    let mut codes = Vec::new();
    for topic in ["u", "t", "t", "t"] {
        let a: m::ProduceResponse =
            call(&at, ApiKey::Produce, 9, &r::produce(topic, r::some_records())).await;
        codes.push(a.responses[0].partition_responses[0].error_code);
    }
    assert_eq!(codes, [0, 6, 6, 0]);
    let a: m::ListOffsetsResponse = call(&at, ApiKey::ListOffsets, 7, &r::list_offsets("t", -1)).await;
    assert_eq!(a.topics[0].partitions[0].offset, 3, "what was refused was not stored");
}

#[tokio::test]
async fn every_api_that_can_carry_an_error_does() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("t", 1).unwrap();
    for (api, version) in [
        (ApiKey::Fetch, 12),
        (ApiKey::ListOffsets, 7),
        (ApiKey::OffsetCommit, 8),
        (ApiKey::OffsetFetch, 8),
        (ApiKey::OffsetFetch, 5),
        (ApiKey::OffsetFetch, 1),
        (ApiKey::ListGroups, 5),
        (ApiKey::JoinGroup, 3),
        (ApiKey::SyncGroup, 3),
        (ApiKey::Heartbeat, 4),
        (ApiKey::FindCoordinator, 2),
        (ApiKey::InitProducerId, 4),
    ] {
        broker.faults(order(api, 15, None, None));
        let code = match api {
            ApiKey::Fetch => {
                let a: m::FetchResponse = call(&at, api, version, &r::fetch("t", 0, 5_000)).await;
                a.responses[0].partitions[0].error_code
            }
            ApiKey::ListOffsets => {
                let a: m::ListOffsetsResponse = call(&at, api, version, &r::list_offsets("t", -1)).await;
                a.topics[0].partitions[0].error_code
            }
            ApiKey::OffsetCommit => {
                let a: m::OffsetCommitResponse = call(&at, api, version, &r::commit("g", "t", 1)).await;
                a.topics[0].partitions[0].error_code
            }
            ApiKey::OffsetFetch => {
                let q = r::offset_fetch("g", "t", version);
                let a: m::OffsetFetchResponse = call(&at, api, version, &q).await;
                match version {
                    8 => a.groups[0].error_code,
                    5 => a.error_code,
                    _ => a.topics[0].partitions[0].error_code,
                }
            }
            ApiKey::ListGroups => {
                let a: m::ListGroupsResponse =
                    call(&at, api, version, &m::ListGroupsRequest::default()).await;
                a.error_code
            }
            ApiKey::JoinGroup => {
                let a: m::JoinGroupResponse = call(&at, api, version, &r::join("g", "")).await;
                a.error_code
            }
            ApiKey::SyncGroup => {
                let a: m::SyncGroupResponse = call(&at, api, version, &m::SyncGroupRequest::default()).await;
                a.error_code
            }
            ApiKey::Heartbeat => {
                let a: m::HeartbeatResponse = call(&at, api, version, &m::HeartbeatRequest::default()).await;
                a.error_code
            }
            ApiKey::FindCoordinator => {
                let a: m::FindCoordinatorResponse =
                    call(&at, api, version, &m::FindCoordinatorRequest::default()).await;
                a.error_code
            }
            _ => {
                let q = m::InitProducerIdRequest::default().with_transactional_id(None);
                let a: m::InitProducerIdResponse = call(&at, api, version, &q).await;
                a.error_code
            }
        };
        assert_eq!(code, 15, "{api:?} v{version}");
    }
}

#[tokio::test]
async fn answers_can_be_delayed_and_connections_closed() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    let question = frame(ApiKey::ListGroups, 5, &m::ListGroupsRequest::default());
    broker.faults(Faults { delay: Duration::from_millis(300), ..Faults::default() });
    let asked = Instant::now();
    assert!(exchange(&at, &question).await.is_some());
    assert!(asked.elapsed() >= Duration::from_millis(300));
    let slow = vec![(ApiKey::Fetch, Duration::from_secs(60))];
    broker.faults(Faults { slow, ..Faults::default() });
    let asked = Instant::now();
    assert!(exchange(&at, &question).await.is_some());
    assert!(asked.elapsed() < Duration::from_secs(30), "only fetches are slow");
    broker.faults(Faults { close_connections: 1, ..Faults::default() });
    assert!(exchange(&at, &question).await.is_none());
    assert!(exchange(&at, &question).await.is_some());
}

#[tokio::test]
async fn a_long_poll_is_woken_by_a_produce_and_ended_by_a_stop() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("t", 1).unwrap();
    let asked = Instant::now();
    let question = r::fetch("t", 0, 30_000);
    let (fetched, _) = tokio::join!(call::<_, m::FetchResponse>(&at, ApiKey::Fetch, 12, &question), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let q = r::produce("t", r::some_records());
        let _: m::ProduceResponse = call(&at, ApiKey::Produce, 9, &q).await;
    });
    assert!(!fetched.responses[0].partitions[0].records.as_ref().unwrap().is_empty());
    assert!(asked.elapsed() < Duration::from_secs(10));
    let waiting =
        tokio::spawn(
            async move { exchange(&at, &frame(ApiKey::Fetch, 12, &r::fetch("t", 3, 30_000))).await },
        );
    tokio::time::sleep(Duration::from_millis(100)).await;
    broker.stop().await;
    assert!(waiting.await.unwrap().is_none());
    assert!(asked.elapsed() < Duration::from_secs(20), "stopping does not wait for long polls");
}
