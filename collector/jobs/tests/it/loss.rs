//! Lost, late, dead-lettered, duplicated and queued messages, told apart from Kafka alone.

use std::time::Duration;

use kafka_protocol::messages::ApiKey;
use tracepact_base::{Event, EventKind};
use tracepact_jobs::JobsConfig;
use tracepact_kafka::{Broker, Config, Faults};
use tracepact_resilience::loss::MessageVerdict as V;

use crate::harness::{Committer, MemoryStore, Running, Target, commit, flow, kafka, producer, send, until};

const WINDOW: Duration = Duration::from_millis(1_500);

fn audit(bootstrap: &str) -> JobsConfig {
    JobsConfig { kafka: Some(kafka(bootstrap)), flows: vec![flow(WINDOW)], ..JobsConfig::default() }
}

fn told(events: &[Event]) -> Vec<(String, String)> {
    let mut told: Vec<_> = events
        .iter()
        .filter(|e| e.kind == EventKind::MessageVerdict)
        .map(|e| (e.attributes["key"].clone(), e.attributes["verdict"].clone()))
        .collect();
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fates_of_messages_are_told_apart_and_each_has_its_trace() {
    let target = Target::start().await;
    let at = target.at.clone();
    for topic in ["order-placed", "payment-result", "order-placed.DLT"] {
        target.create_topic(topic, 1).await;
    }
    let store = std::sync::Arc::<MemoryStore>::default();
    let running = Running::start_on(audit(&at), store.clone());
    let sender = producer(&at);
    for key in ["paid", "dead", "twice", "late", "lost", "slow"] {
        send(&sender, "order-placed", key).await;
    }
    send(&sender, "payment-result", "paid").await;
    send(&sender, "order-placed.DLT", "dead").await;
    send(&sender, "payment-result", "twice").await;
    send(&sender, "payment-result", "twice").await;
    until("answered", || running.message("paid").filter(|m| m.verdict == V::Answered)).await;
    // The window passes with nothing committed: in line, and not lost.
    for key in ["late", "lost", "slow"] {
        until(key, || running.message(key).filter(|m| m.verdict == V::Queued)).await;
    }
    assert!(running.events().iter().all(|e| e.attributes.get("verdict").is_none_or(|v| v != "lost")));
    // The consumer goes on: it answers one, drops one, and works on the last: result first, then commit.
    send(&sender, "payment-result", "late").await;
    commit(&at, "payments", "order-placed", 5).await;
    let lost = until("lost", || running.message("lost").filter(|m| m.verdict == V::Lost)).await;
    assert_eq!(lost.trace_id.unwrap().to_string(), "463ac35c9f6413ad48485a3953bb6124");
    assert!(lost.reason.contains("committed past it"), "{}", lost.reason);
    until("late", || running.message("late").filter(|m| m.verdict == V::Late)).await;
    assert_eq!(running.message("slow").unwrap().verdict, V::Queued);
    send(&sender, "payment-result", "slow").await;
    commit(&at, "payments", "order-placed", 6).await;
    until("slow is late", || running.message("slow").filter(|m| m.verdict == V::Late)).await;

    let want = [
        ("dead", "dead_lettered"),
        ("late", "late"),
        ("lost", "lost"),
        ("slow", "late"),
        ("twice", "duplicated"),
    ];
    let want: Vec<_> = want.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(told(&running.events()), want);
    let event = running.events().into_iter().find(|e| e.attributes["key"] == "lost").unwrap();
    assert!(event.links.iter().any(|l| l.href == "/traces/463ac35c9f6413ad48485a3953bb6124"));
    assert_eq!(event.destination.unwrap().as_str(), "order-placed");
    let counts = running.boards.messages.snapshot().flows[0].counts;
    assert_eq!(
        (counts.lost, counts.late, counts.dead_lettered, counts.duplicated, counts.queued),
        (1, 2, 1, 1, 0)
    );
    until("the series", || running.newest("tracepact_messages_open").filter(|v| *v == 0.0)).await;
    running.end().await;

    // A collector that starts again reads the open windows again, reaches the same verdicts and tells nothing twice.
    let again = Running::start_on(audit(&at), store);
    for (key, verdict) in
        [("lost", V::Lost), ("dead", V::DeadLettered), ("twice", V::Duplicated), ("late", V::Late)]
    {
        until(key, || again.message(key).filter(|m| m.verdict == verdict)).await;
    }
    assert_eq!(told(&again.events()), want);
    again.end().await;
    target.stop().await;
}

/// Payments commits only after its result is produced. However slow it is, nothing may ever look lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_loses_nothing_not_even_for_a_moment() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("order-placed", 1).unwrap();
    let mut config = audit(&at);
    config.flows[0].window = Duration::from_millis(200);
    config.kafka.as_mut().unwrap().poll_interval = Duration::from_millis(1);
    let running = Running::start(config);
    let sender = producer(&at);
    let keys: Vec<String> = (0..25).map(|n| format!("o{n}")).collect();
    for key in &keys {
        send(&sender, "order-placed", key).await;
    }
    until("all in line", || {
        (running.boards.messages.snapshot().flows.first()?.counts.queued == 25).then_some(())
    })
    .await;
    let payments = Committer::new(&at, "payments", "order-placed");
    payments.commit(0).await;
    // The audit's rounds are long now: answers are produced and committed in the middle of them, at every place.
    let slow = vec![(ApiKey::FindCoordinator, Duration::from_millis(150))];
    broker.faults(Faults { slow, ..Faults::default() });
    for (offset, key) in keys.iter().enumerate() {
        // The result topic itself does not exist before the first answer.
        send(&sender, "payment-result", key).await;
        payments.commit(offset as i64 + 1).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until("all late", || (running.boards.messages.snapshot().flows.first()?.counts.late == 25).then_some(()))
        .await;
    let lost = running
        .store
        .points
        .lock()
        .unwrap()
        .iter()
        .any(|p| p.name == "tracepact_messages_total" && p.labels["verdict"] == "lost" && p.value > 0.0);
    assert!(!lost, "something was called lost on the way");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_away_stops_the_verdicts_and_says_so() {
    let broker = Broker::start(Config::default()).await.unwrap();
    let at = broker.bootstrap();
    broker.create_topic("order-placed", 1).unwrap();
    let running = Running::start(audit(&at));
    let sender = producer(&at);
    send(&sender, "order-placed", "o").await;
    until("open", || running.message("o").filter(|m| m.verdict == V::Open)).await;
    drop(sender);
    broker.stop().await;
    until("the reason", || running.boards.messages.snapshot().flows.first()?.error.clone()).await;
    tokio::time::sleep(WINDOW).await;
    assert_eq!(running.message("o").unwrap().verdict, V::Open, "no facts, no verdict");
    running.end().await;
}
