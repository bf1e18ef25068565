use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tracepact_base::{ManualClock, ServiceName};
use tracepact_join::{
    Aliases, BreakerState, BreakerSummary, ProblemKind, ServiceSeen, SightingSource, Sightings, SourceError,
    Summary, SummarySource,
};
use tracepact_listener::Access;

use super::*;

#[derive(Default)]
struct Breakers {
    asked: AtomicUsize,
}

impl SummarySource for Breakers {
    fn name(&self) -> &str {
        "breakers"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::BreakerOpen]
    }

    fn summaries(&self) -> BoxFuture<'_, Result<Vec<Summary>, SourceError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let open = BreakerSummary {
            service: ServiceName::new("orders").unwrap(),
            instance: "i-1".into(),
            breaker: "stock".into(),
            callee: None,
            state: BreakerState::Open,
            since_ns: Some(0),
        };
        async move { Ok(vec![Summary::Breaker(open)]) }.boxed()
    }
}

struct Silent;

impl SummarySource for Silent {
    fn name(&self) -> &str {
        "kafka"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::Lag]
    }

    fn summaries(&self) -> BoxFuture<'_, Result<Vec<Summary>, SourceError>> {
        futures::future::pending().boxed()
    }
}

struct Spans;

impl SightingSource for Spans {
    fn name(&self) -> &str {
        "spans"
    }

    fn sightings(&self) -> BoxFuture<'_, Result<Sightings, SourceError>> {
        let seen = ServiceSeen {
            service: ServiceName::new("orders").unwrap(),
            version: None,
            instance: Some("i-1".into()),
            first_seen_ns: None,
            last_seen_ns: Some(0),
        };
        async move { Ok(Sightings { services: vec![seen], ..Sightings::default() }) }.boxed()
    }
}

async fn get(router: &axum::Router, path: &str) -> serde_json::Value {
    let request = Request::get(path).header("host", "127.0.0.1:9411").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

fn router(dashboard: Dashboard) -> axum::Router {
    routes(dashboard).into_router(Arc::new(Access::for_listen(IpAddr::from([127, 0, 0, 1]))))
}

fn dashboard(clock: Arc<ManualClock>) -> Dashboard {
    Dashboard::new(clock, Arc::new(Aliases::default())).with_sightings(Arc::new(Spans))
}

#[tokio::test]
async fn the_overview_tells_problems_and_counts_services() {
    let breakers = Arc::new(Breakers::default());
    let router = router(dashboard(ManualClock::at(1_000_000_000)).with_summaries(breakers));
    let answer = get(&router, "/tracepact/v1/overview").await;
    assert_eq!(answer["as_of"], "1970-01-01T00:00:01Z");
    assert_eq!(answer["complete"], true);
    assert_eq!(answer["problems"][0]["kind"], "breaker_open");
    assert_eq!(answer["counts"], serde_json::json!({"services": 1, "breakers_open": 1}));
    let services = get(&router, "/tracepact/v1/services").await;
    assert_eq!(services["services"][0]["instances"][0]["id"], "i-1");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_costs_its_own_part_only() {
    let dashboard = dashboard(ManualClock::at(0))
        .with_summaries(Arc::new(Silent))
        .with_summaries(Arc::new(Breakers::default()));
    let answer = get(&router(dashboard), "/tracepact/v1/overview").await;
    assert_eq!(answer["complete"], false);
    assert_eq!(answer["cut"], "kafka did not answer: no answer within 3000 ms");
    assert_eq!(answer["problems"].as_array().unwrap().len(), 1);
    assert!(answer["counts"].get("groups_lagging").is_none());
}

#[tokio::test]
async fn many_open_pages_ask_the_sources_once() {
    let clock = ManualClock::at(0);
    let breakers = Arc::new(Breakers::default());
    let router = router(dashboard(clock.clone()).with_summaries(breakers.clone()));
    for _ in 0..5 {
        get(&router, "/tracepact/v1/overview").await;
    }
    assert_eq!(breakers.asked.load(Ordering::SeqCst), 1);
    clock.advance_ns(1_000_000_000);
    get(&router, "/tracepact/v1/overview").await;
    assert_eq!(breakers.asked.load(Ordering::SeqCst), 2, "and again when the answer is old");
}

#[test]
fn the_description_names_both_paths_and_their_shapes() {
    let document = serde_json::to_value(openapi()).unwrap();
    for path in ["/tracepact/v1/overview", "/tracepact/v1/services"] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
    }
    for schema in ["OverviewAnswer", "OverviewProblem", "ServicesAnswer", "Service"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
    }
}
