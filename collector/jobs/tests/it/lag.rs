//! Lag as it is read over the wire, and what is said when the wire is cut.

use std::time::Duration;

use kafka_protocol::messages::ApiKey;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use tracepact_base::{EventKind, ServiceName};
use tracepact_jobs::JobsConfig;
use tracepact_kafka::{Broker, Config, ErrorAnswer, Faults};
use tracepact_resilience::lag::Verdict;

use crate::harness::{Running, Target, client, commit, kafka, producer, send, until};

fn lag_only(bootstrap: &str) -> JobsConfig {
    let service = ServiceName::new("payments").unwrap();
    JobsConfig {
        kafka: Some(kafka(bootstrap)),
        group_services: [("payments".to_owned(), service)].into(),
        ..JobsConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lag_of_a_live_group_is_read_with_its_owner_and_age() {
    let target = Target::start().await;
    let at = target.at.clone();
    target.create_topic("order-placed", 2).await;
    let running = Running::start(lag_only(&at));
    let sender = producer(&at);
    until("the first cycle", || running.boards.lag.snapshot().as_of_ns).await;
    for n in 0..10 {
        send(&sender, "order-placed", &format!("o{n}")).await;
    }
    let config = client(&at)
        .set("group.id", "payments")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .clone();
    let (held, hold) = std::sync::mpsc::channel::<()>();
    let consumer = tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer = config.create().unwrap();
        consumer.subscribe(&["order-placed"]).unwrap();
        let mut seen = 0;
        while seen < 4 {
            if let Some(message) = consumer.poll(Duration::from_millis(100)) {
                consumer.commit_message(&message.unwrap(), CommitMode::Sync).unwrap();
                seen += 1;
            }
        }
        while hold.recv_timeout(Duration::from_millis(20)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            drop(consumer.poll(Duration::ZERO));
        }
    });
    let group = until("6 behind, with an age", || {
        running.group("payments").filter(|group| {
            group
                .topics
                .first()
                .is_some_and(|t| t.lag_messages == Some(6) && t.lag_seconds.is_some_and(|s| s > 0.1))
                && group.state == "Stable"
        })
    })
    .await;
    assert_eq!((group.members, group.service.as_deref()), (Some(1), Some("payments")));
    let topic = &group.topics[0];
    let partition = topic.partitions.iter().find(|p| p.partition == 0).unwrap();
    assert_eq!((partition.committed, partition.end, partition.start), (Some(4), 10, 0));
    assert_eq!((topic.worst_partition, topic.partitions.len()), (Some(0), 2));
    let other = topic.partitions.iter().find(|p| p.partition == 1).unwrap();
    assert_eq!((other.committed, other.lag_messages), (None, None), "never committed is unknown, not 0");
    assert!(partition.owner.is_some());
    until("the series", || running.newest("tracepact_consumer_lag_messages").filter(|v| *v == 6.0)).await;
    assert_eq!(running.newest("tracepact_consumer_members"), Some(1.0));

    // The live member commits nothing new: a stall, with its event.
    until("the stall", || running.group("payments").filter(|g| g.verdict == Verdict::Stall)).await;
    let told =
        until("the event", || running.events().into_iter().find(|e| e.kind == EventKind::LagVerdict)).await;
    assert_eq!((told.attributes["to"].as_str(), told.attributes["group"].as_str()), ("stall", "payments"));
    assert_eq!(told.service, Some(ServiceName::new("payments").unwrap()));
    drop(held);
    consumer.await.unwrap();
    until("the stop", || running.group("payments").filter(|g| g.verdict == Verdict::Stop)).await;
    running.end().await;
    target.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_away_is_unknown_and_kafka_back_is_read_again() {
    // Down at the start: the address is free, nobody listens.
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.stop().await;
    let running = Running::start(lag_only(&at));
    let error = until("the reason", || running.boards.lag.snapshot().error.clone()).await;
    assert!(error.contains(&at), "{error}");
    assert!(running.boards.lag.snapshot().groups.is_empty());

    for round in 0..2 {
        let broker = Broker::start(Config { listen: at.clone(), ..Config::default() }).await.unwrap();
        broker.create_topic("order-placed", 1).unwrap();
        let sender = producer(&at);
        send(&sender, "order-placed", "o").await;
        commit(&at, "payments", "order-placed", 0).await;
        until("a lag of 1", || {
            running.group("payments").filter(|g| g.topics.first().is_some_and(|t| t.lag_messages == Some(1)))
        })
        .await;
        until("no error", || running.boards.lag.snapshot().error.is_none().then_some(())).await;
        drop(sender);
        broker.stop().await;
        let away = until("unknown", || running.group("payments").filter(|g| g.state == "Unknown")).await;
        assert_eq!((away.verdict, away.topics[0].lag_messages), (Verdict::Unknown, None), "round {round}");
        assert!(running.boards.lag.snapshot().error.is_some());
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_loads_makes_its_groups_unknown_and_never_gone() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("order-placed", 1).unwrap();
    commit(&at, "payments", "order-placed", 0).await;
    let running = Running::start(lag_only(&at));
    until("the group", || running.group("payments").filter(|g| g.state == "Empty")).await;
    for api in [ApiKey::ListGroups, ApiKey::OffsetFetch] {
        let answer = ErrorAnswer { api, code: 14, times: None, topic: None };
        broker.faults(Faults { error_answers: vec![answer], ..Faults::default() });
        until("unknown", || running.group("payments").filter(|g| g.state == "Unknown")).await;
        // It stays known for as long as it is only silent.
        let cycles = running.boards.lag.snapshot().as_of_ns;
        until("more cycles", || {
            (running.boards.lag.snapshot().as_of_ns > cycles.map(|ns| ns + 300_000_000)).then_some(())
        })
        .await;
        assert_eq!(running.group("payments").unwrap().verdict, Verdict::Unknown);
        broker.faults(Faults::default());
        until("known again", || running.group("payments").filter(|g| g.state == "Empty")).await;
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_retention_removed_is_lost_and_not_lag() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic_with("order-placed", 1, &[("retention.bytes", "1")]).unwrap();
    commit(&at, "payments", "order-placed", 0).await;
    let sender = producer(&at);
    for n in 0..5 {
        send(&sender, "order-placed", &format!("o{n}")).await;
    }
    let running = Running::start(lag_only(&at));
    let group = until("the loss", || {
        running.group("payments").filter(|g| g.topics.first().is_some_and(|t| t.lost_messages == 4))
    })
    .await;
    assert_eq!(group.topics[0].lag_messages, Some(1));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_group_goes() {
    use rdkafka::admin::{AdminClient, AdminOptions};
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("order-placed", 1).unwrap();
    commit(&at, "payments", "order-placed", 0).await;
    let running = Running::start(lag_only(&at));
    until("the group", || running.group("payments")).await;
    let admin: AdminClient<_> = client(&at).create().unwrap();
    admin.delete_groups(&["payments"], &AdminOptions::new()).await.unwrap();
    until("gone", || running.group("payments").is_none().then_some(())).await;
    running.end().await;
}
