//! Events: written with what they tell, delivered at least once; the hooks of the binary.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracepact_base::event::SinkError;
use tracepact_base::{ErrorKind, Event, EventKind, EventSink, Link};
use tracepact_broker::{CountedDecision, DecisionCounter, TraceFinder, TraceQuestion};

use super::support::{Bench, pact};

/// Refuses the first `refusals` deliveries, then keeps everything.
#[derive(Default)]
struct Sink {
    refusals: AtomicUsize,
    kept: std::sync::Mutex<Vec<Event>>,
}

impl EventSink for Sink {
    fn deliver(&self, events: Vec<Event>) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            if self.refusals.load(Ordering::SeqCst) > 0 {
                self.refusals.fetch_sub(1, Ordering::SeqCst);
                return Err(SinkError { kind: ErrorKind::Unavailable, reason: "not now".into() });
            }
            self.kept.lock().unwrap().extend(events);
            Ok(())
        })
    }
}

struct Finder;

impl TraceFinder for Finder {
    fn find<'a>(&'a self, question: &'a TraceQuestion) -> BoxFuture<'a, Option<Link>> {
        Box::pin(async move {
            assert_eq!((question.consumer.as_str(), question.provider.as_str()), ("orders", "products"));
            assert_eq!(
                (question.method.as_deref(), question.path.as_deref()),
                (Some("GET"), Some("/items/1"))
            );
            Some(Link { rel: "trace".into(), href: "/traces/463ac35c9f6413ad".into() })
        })
    }
}

#[derive(Default)]
struct Counter(std::sync::Mutex<Vec<(String, String, &'static str)>>);

impl DecisionCounter for Counter {
    fn count(&self, d: CountedDecision<'_>) {
        self.0.lock().unwrap().push((d.pacticipant.to_owned(), d.environment.to_owned(), d.result));
    }
}

#[tokio::test]
async fn every_change_is_told_once_it_can_be() {
    let bench = Bench::new().await;
    let counter = Arc::new(Counter::default());
    bench.broker.set_trace_finder(Arc::new(Finder));
    bench.broker.set_decision_counter(counter.clone());
    bench.environment("prod").await;
    bench.publish(&pact("orders", "products", "/items/1", "1"), "1", "main").await.is(200);
    bench.publish(&pact("orders", "products", "/items/1", "1"), "1", "main").await.is(200);
    bench.deploy("orders", "1", "prod", None).await;
    bench.verify("products", "v2", "main", false).await;
    let refused = bench.native("products", "v2", "prod").await;
    assert_eq!(refused["trace"]["href"], "/traces/463ac35c9f6413ad");
    bench.native("products", "v2", "prod").await;

    let sink = Arc::new(Sink { refusals: AtomicUsize::new(2), ..Sink::default() });
    let stop = CancellationToken::new();
    let (broker, to, token) = (bench.broker.clone(), sink.clone(), stop.clone());
    let running = tokio::spawn(async move { broker.run_outbox(to, token).await });
    let kept = |n: usize| {
        let sink = sink.clone();
        async move {
            for _ in 0..1_000 {
                if sink.kept.lock().unwrap().len() >= n {
                    return sink.kept.lock().unwrap().clone();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("not delivered: {:?}", sink.kept.lock().unwrap());
        }
    };
    let events = kept(4).await;
    let kinds: Vec<_> = events.iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        [EventKind::ContractChange, EventKind::Deploy, EventKind::ContractChange, EventKind::GateRefusal]
    );
    assert_eq!(events[1].title, "orders 1 was deployed to prod");
    assert_eq!(events[3].attributes["interaction"], "a request for /items/1");
    assert!(events[3].links.iter().any(|l| l.rel == "trace"));
    assert_eq!(events[3].edge.as_ref().unwrap().caller.as_str(), "orders");
    assert_eq!(events[3].service.as_ref().unwrap().as_str(), "products");
    assert_eq!(events[2].edge.as_ref().unwrap().callee.as_str(), "products");
    // What happens while it runs is told as well, without waiting for a timer.
    bench.post("/tracepact/v1/proposals", &json!({"consumer":"orders","provider":"products","consumer_branch":"b",
        "content": serde_json::from_str::<serde_json::Value>(&pact("orders","products","/items/2","1")).unwrap()})).await.is(201);
    assert_eq!(kept(5).await[4].attributes["action"], "proposed");
    // A tag named like an environment is a deployment too.
    bench.put("/pacticipants/orders/versions/2/tags/prod", &json!({})).await.is(201);
    assert_eq!(kept(6).await[5].title, "orders 2 was deployed to prod");
    stop.cancel();
    running.await.unwrap();
    assert_eq!(
        counter.0.lock().unwrap().as_slice(),
        vec![("products".to_owned(), "prod".to_owned(), "no"); 2]
    );
}
