use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt as _, SpanKind};
use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Headers as _;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;
use tracepact_kit::kafka::{Consumer, ConsumerSettings, Failure, Outgoing, Producer, Record};
use tracepact_kit::permits::PermitSettings;
use tracepact_kit::{Exporter, Registry, Telemetry, current_ids, spans};

use super::collector::Collector;
use super::support::{clock, free_address, settings, start, until};

struct Broker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Broker {
    fn new(topics: &[(&str, i32)]) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for (topic, partitions) in topics {
            cluster.create_topic(topic, *partitions, 1).unwrap();
        }
        Self { cluster }
    }

    fn address(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Committed offsets of `group` by partition.
    fn committed(&self, group: &str, topic: &str, partitions: i32) -> Vec<Option<i64>> {
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.address())
            .set("group.id", group)
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        let found = reader.committed_offsets(list, Duration::from_secs(5)).unwrap();
        found
            .elements()
            .iter()
            .map(|element| match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            })
            .collect()
    }
}

async fn traced() -> (Telemetry, Collector) {
    let (collector, address) = (Collector::default(), free_address().await);
    let _server = collector.serve_at(address).await;
    (start(settings(Exporter::OtlpHttp, &format!("http://{address}"))), collector)
}

fn quick(broker: &Broker, group: &str, topics: &[&str]) -> ConsumerSettings {
    let mut settings = ConsumerSettings::new(broker.address(), group, topics);
    settings.commit_interval = Duration::from_millis(20);
    settings.retry_backoff = Duration::from_millis(10);
    settings.pause_after = Duration::from_millis(50);
    settings
}

#[tokio::test]
async fn a_record_carries_its_trace_to_the_consumer_and_is_committed_after_success() {
    let broker = Broker::new(&[("orders", 1)]);
    let (telemetry, collector) = traced().await;
    let tracing = telemetry.tracing();
    let producer = Producer::new(&broker.address(), tracing.clone()).unwrap();
    let root = tracing.start(&Context::new(), SpanKind::Server, "root", Vec::new(), Vec::new());
    let sent =
        producer.send(Outgoing::new("orders", "order-1", "{}")).with_context(root.clone()).await.unwrap();
    assert_eq!((sent.partition, sent.offset), (0, 0));
    spans::end(&root);
    let consumer =
        Consumer::new(quick(&broker, "payments", &["orders"]), tracing.clone(), telemetry.registry())
            .unwrap();
    let seen: Arc<Mutex<Vec<(Record, String)>>> = Arc::default();
    let (log, stop) = (seen.clone(), CancellationToken::new());
    let running = tokio::spawn(consumer.run(
        move |record| {
            let log = log.clone();
            async move {
                log.lock().push((record, current_ids().unwrap().0.to_string()));
                Ok(())
            }
        },
        stop.clone(),
    ));
    until("the record", async || seen.lock().len() == 1).await;
    until("its commit", async || broker.committed("payments", "orders", 1) == [Some(1)]).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    until("three spans", async || collector.spans().len() == 3).await;
    let all = collector.spans();
    let named = |name: &str| all.iter().find(|span| span.name == name).unwrap();
    let (root, send, process) = (named("root"), named("send orders"), named("process orders"));
    assert_eq!((send.kind, process.kind), (4, 5));
    assert_eq!(send.parent_span_id, root.span_id);
    assert_eq!(process.parent_span_id, send.span_id);
    assert_eq!(process.links[0].span_id, send.span_id);
    let (record, trace) = seen.lock()[0].clone();
    let header = |name: &str| record.header(name).map(|value| String::from_utf8_lossy(value).into_owned());
    assert_eq!(header("b3").unwrap().split('-').count(), 3, "Brave sends no parent");
    assert!(header("traceparent").unwrap().contains(&trace));
    assert_eq!(record.headers.as_ref().unwrap().count(), 2);
    let attributes = format!("{:?}", process.attributes);
    for expected in ["messaging.system", "messaging.consumer.group.name", "messaging.kafka.offset", "order-1"]
    {
        assert!(attributes.contains(expected), "{expected}");
    }
}

#[tokio::test]
async fn what_cannot_be_handled_becomes_a_dead_letter_with_its_trace() {
    let broker = Broker::new(&[("t", 1), ("t.DLT", 1)]);
    let (telemetry, _collector) = traced().await;
    let producer = Producer::new(&broker.address(), telemetry.tracing().clone()).unwrap();
    for value in ["retry", "never", "good"] {
        producer.send(Outgoing::new("t", "k", value)).await.unwrap();
    }
    let mut failing = quick(&broker, "g", &["t"]);
    failing.attempts_max = 3;
    let consumer = Consumer::new(failing, telemetry.tracing().clone(), telemetry.registry()).unwrap();
    let tries: Arc<Mutex<HashMap<Vec<u8>, u32>>> = Arc::default();
    let (log, stop) = (tries.clone(), CancellationToken::new());
    let running = tokio::spawn(consumer.run(
        move |record| {
            let value = record.payload.clone().unwrap_or_default();
            *log.lock().entry(value.clone()).or_default() += 1;
            std::future::ready(match value.as_slice() {
                b"retry" => Err(Failure::Retry("not now".to_owned())),
                b"never" => Err(Failure::DeadLetter("never".to_owned())),
                _ => Ok(()),
            })
        },
        stop.clone(),
    ));
    until("all committed", async || broker.committed("g", "t", 1) == [Some(3)]).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    let tried = tries.lock().clone();
    assert_eq!((tried[&b"retry"[..]], tried[&b"never"[..]], tried[&b"good"[..]]), (3, 1, 1));
    // Read the dead letters as a stranger would.
    let mut reading = quick(&broker, "reader", &["t.DLT"]);
    reading.dead_letters = false;
    let reader = Consumer::new(reading, telemetry.tracing().clone(), &Registry::new(clock())).unwrap();
    let letters: Arc<Mutex<Vec<Record>>> = Arc::default();
    let (log, stop) = (letters.clone(), CancellationToken::new());
    let running = tokio::spawn(reader.run(
        move |record| {
            log.lock().push(record);
            std::future::ready(Ok(()))
        },
        stop.clone(),
    ));
    until("two letters", async || letters.lock().len() == 2).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    let letter = letters.lock()[0].clone();
    assert_eq!(letter.header("kafka_dlt-original-topic"), Some(&b"t"[..]));
    assert_eq!(letter.header("kafka_dlt-original-offset"), Some(&0i64.to_be_bytes()[..]));
    assert_eq!(letter.header("kafka_dlt-exception-fqcn"), Some(&b"retries_exhausted"[..]));
    let traceparents = letter.headers.as_ref().unwrap().iter().filter(|h| h.key == "traceparent").count();
    assert_eq!(traceparents, 1, "the trace headers are copied, not written anew");
}

#[tokio::test]
async fn without_permits_it_pauses_and_stays_in_its_group() {
    let broker = Broker::new(&[("t", 2)]);
    let (telemetry, _collector) = traced().await;
    let registry = telemetry.registry();
    let producer = Producer::new(&broker.address(), telemetry.tracing().clone()).unwrap();
    for at in 0..40 {
        producer.send(Outgoing::new("t", format!("k{at}"), "v")).await.unwrap();
    }
    let mut settings = quick(&broker, "g", &["t"]);
    settings.permits = PermitSettings { limit: 0, resume_percent: 50 };
    let consumer = Consumer::new(settings, telemetry.tracing().clone(), registry).unwrap();
    let (control, stop) = (consumer.control(), CancellationToken::new());
    let handled = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = handled.clone();
    let running = tokio::spawn(consumer.run(
        move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok(()))
        },
        stop.clone(),
    ));
    until("it paused", async || control.permits().is_paused()).await;
    assert!(control.permits().waiting() > 0);
    assert_eq!(handled.load(Ordering::Relaxed), 0);
    control.permits().set_limit(4);
    until("all handled", async || handled.load(Ordering::Relaxed) == 40).await;
    until("it resumed", async || !control.permits().is_paused()).await;
    assert_eq!(registry.rebalances("g").load(Ordering::Relaxed), 1);
    assert!(control.permits().paused_seconds_total() > 0.0);
    control.hold(true);
    until("it is held", async || control.permits().is_paused()).await;
    producer.send(Outgoing::new("t", "late", "v")).await.unwrap();
    control.hold(false);
    until("the late one", async || handled.load(Ordering::Relaxed) == 41).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    let committed: i64 = broker.committed("g", "t", 2).into_iter().flatten().sum();
    assert_eq!(committed, 41);
}

#[tokio::test]
async fn keys_keep_their_order_while_others_run_beside_them() {
    let broker = Broker::new(&[("t", 1)]);
    let (telemetry, _collector) = traced().await;
    let producer = Producer::new(&broker.address(), telemetry.tracing().clone()).unwrap();
    for at in 0..30u8 {
        producer.send(Outgoing::new("t", format!("k{}", at % 5), vec![at])).await.unwrap();
    }
    let settings = quick(&broker, "g", &["t"]);
    let consumer = Consumer::new(settings, telemetry.tracing().clone(), telemetry.registry()).unwrap();
    let done: Arc<Mutex<Vec<(String, u8)>>> = Arc::default();
    let (log, stop) = (done.clone(), CancellationToken::new());
    let beside = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (running_now, most) = (Arc::new(std::sync::atomic::AtomicUsize::new(0)), beside.clone());
    let running = tokio::spawn(consumer.run(
        move |record| {
            let (log, now, most) = (log.clone(), running_now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let value = record.payload.as_ref().unwrap()[0];
                tokio::time::sleep(Duration::from_millis(u64::from(30 - value))).await;
                log.lock().push((record.key_str().to_owned(), value));
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        },
        stop.clone(),
    ));
    until("all", async || done.lock().len() == 30).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    for key in 0..5 {
        let order: Vec<u8> =
            done.lock().iter().filter(|(k, _)| *k == format!("k{key}")).map(|(_, value)| *value).collect();
        assert!(order.is_sorted() && order.len() == 6, "{order:?}");
    }
    assert!(beside.load(Ordering::SeqCst) > 1);
    assert_eq!(broker.committed("g", "t", 1), [Some(30)]);
}

#[tokio::test]
async fn a_record_in_hand_at_the_end_is_not_committed() {
    let broker = Broker::new(&[("t", 1)]);
    let (telemetry, _collector) = traced().await;
    let producer = Producer::new(&broker.address(), telemetry.tracing().clone()).unwrap();
    for at in 0..3 {
        producer.send(Outgoing::new("t", format!("k{at}"), "v")).await.unwrap();
    }
    let mut settings = quick(&broker, "g", &["t"]);
    settings.drain_within = Duration::from_millis(100);
    let consumer = Consumer::new(settings, telemetry.tracing().clone(), telemetry.registry()).unwrap();
    let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let log = seen.clone();
    let running = tokio::spawn(consumer.run(
        move |record| {
            log.lock().push(record.offset);
            async move {
                if record.offset == 1 {
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        },
        stop.clone(),
    ));
    until("all begun", async || seen.lock().len() == 3).await;
    until("the first is committed", async || broker.committed("g", "t", 1) == [Some(1)]).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(broker.committed("g", "t", 1), [Some(1)], "the third is finished, but the second is not");
}

#[tokio::test]
async fn a_handler_that_panics_costs_a_try_and_not_the_lane() {
    let broker = Broker::new(&[("t", 1)]);
    let (telemetry, _collector) = traced().await;
    let producer = Producer::new(&broker.address(), telemetry.tracing().clone()).unwrap();
    for value in ["first", "second"] {
        producer.send(Outgoing::new("t", "k", value)).await.unwrap();
    }
    let consumer =
        Consumer::new(quick(&broker, "g", &["t"]), telemetry.tracing().clone(), telemetry.registry())
            .unwrap();
    let (tries, stop) = (Arc::new(std::sync::atomic::AtomicUsize::new(0)), CancellationToken::new());
    let count = tries.clone();
    let running = tokio::spawn(consumer.run(
        move |_| {
            let this = count.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(this != 0, "the first try panics");
                Ok(())
            }
        },
        stop.clone(),
    ));
    until("both committed", async || broker.committed("g", "t", 1) == [Some(2)]).await;
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_rebalance_loses_nothing_and_both_members_work() {
    let broker = Broker::new(&[("t", 4)]);
    let (telemetry, _collector) = traced().await;
    let producer = Producer::new(&broker.address(), telemetry.tracing().clone()).unwrap();
    type Log = Arc<Mutex<Vec<(i32, i64)>>>;
    let handled: [Log; 2] = Default::default();
    let stop = CancellationToken::new();
    let member = |at: usize| {
        let mut settings = quick(&broker, "g", &["t"]);
        settings.properties.push(("heartbeat.interval.ms".to_owned(), "200".to_owned()));
        let registry = Registry::new(clock());
        let consumer = Consumer::new(settings, telemetry.tracing().clone(), &registry).unwrap();
        let log = handled[at].clone();
        let running = tokio::spawn(consumer.run(
            move |record| {
                let log = log.clone();
                async move {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    log.lock().push((record.partition, record.offset));
                    Ok(())
                }
            },
            stop.clone(),
        ));
        (running, registry)
    };
    let (first, first_registry) = member(0);
    let mut sent = 0;
    let mut send = async |count: usize| {
        for _ in 0..count {
            producer.send(Outgoing::new("t", format!("k{sent}"), "v")).await.unwrap();
            sent += 1;
        }
        sent
    };
    send(40).await;
    until("the first works", async || handled[0].lock().len() == 40).await;
    let (second, _registry) = member(1);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(40);
    let mut sent = 0;
    while handled[1].lock().is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "the second member never worked");
        sent = send(2).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until("everything is committed", async || {
        broker.committed("g", "t", 4).into_iter().flatten().sum::<i64>() == i64::try_from(sent).unwrap()
    })
    .await;
    assert!(first_registry.rebalances("g").load(Ordering::Relaxed) >= 2);
    stop.cancel();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    let mut all: Vec<_> = handled.iter().flat_map(|log| log.lock().clone()).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), sent);
}
