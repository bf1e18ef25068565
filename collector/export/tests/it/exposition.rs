use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use prometheus::{IntCounterVec, Opts, Registry};
use tower::ServiceExt;
use tracepact_base::ManualClock;
use tracepact_export::Exposition;
use tracepact_listener::Access;
use tracepact_store::{Completeness, SeriesStore};

use crate::fake::{ListStore, NOW_NS, point};

const SECOND: u64 = 1_000_000_000;

struct Page {
    store: Arc<ListStore>,
    clock: Arc<ManualClock>,
    registry: Registry,
    router: axum::Router,
}

fn page() -> Page {
    let store = Arc::new(ListStore::default());
    let clock = ManualClock::at(NOW_NS);
    let registry = Registry::new();
    let exposition = Exposition::new(registry.clone(), store.clone(), clock.clone(), Duration::from_secs(30));
    let router =
        tracepact_export::routes(exposition).into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    Page { store, clock, registry, router }
}

impl Page {
    async fn get(&self, path: &str, accept: Option<&str>) -> (StatusCode, String, String) {
        let mut request = Request::get(path).header(header::HOST, "127.0.0.1");
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let media = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, media, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn own_metrics_and_stored_series_stand_on_one_page() {
    let page = page();
    let spans =
        IntCounterVec::new(Opts::new("tracepact_ingest_spans_total", "Spans."), &["transport", "format"])
            .unwrap();
    page.registry.register(Box::new(spans.clone())).unwrap();
    spans.with_label_values(&["http", "zipkin_json"]).inc();
    page.store
        .append_points(vec![
            point(
                "tracepact_breaker_state",
                &[("service", "orders"), ("breaker", "products")],
                NOW_NS - SECOND,
                1.0,
            ),
            point("tracepact_breaker_state", &[("service", "orders"), ("breaker", "products")], NOW_NS, 2.0),
        ])
        .await
        .unwrap();
    let (status, media, text) = page.get("/metrics", None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(media.starts_with("text/plain; version=0.0.4"), "{media}");
    assert!(
        text.contains("tracepact_ingest_spans_total{format=\"zipkin_json\",transport=\"http\"} 1\n"),
        "{text}"
    );
    assert!(text.contains("tracepact_breaker_state{breaker=\"products\",service=\"orders\"} 2\n"), "{text}");
    assert_eq!(page.get("/prometheus", Some("application/json")).await.2, text);
}

#[tokio::test]
async fn a_series_that_went_quiet_leaves_the_page() {
    let page = page();
    page.store.append_points(vec![point("tracepact_consumer_lag_messages", &[], NOW_NS, 5.0)]).await.unwrap();
    assert!(page.get("/metrics", None).await.2.contains("tracepact_consumer_lag_messages 5"));
    page.clock.advance_ns(31 * SECOND);
    assert!(!page.get("/metrics", None).await.2.contains("tracepact_consumer_lag_messages"));
}

#[tokio::test]
async fn half_a_page_is_a_failure() {
    let page = page();
    *page.store.completeness.lock() = Completeness::Cut { limit: "rows_max".to_owned() };
    let (status, media, text) = page.get("/metrics", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(media, "application/problem+json");
    assert!(text.contains("rows_max"), "{text}");
}

#[tokio::test]
async fn json_is_answered_with_zipkins_counters() {
    let page = page();
    let (status, media, text) = page.get("/metrics", Some("text/html, application/json;q=0.9")).await;
    assert_eq!((status, media.as_str()), (StatusCode::OK, "application/json"));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["counter.zipkin_collector.spans.http"], 0.0);
}

#[tokio::test]
async fn answers_of_the_gate_stay_on_the_page() {
    let page = page();
    let labels = [("pacticipant", "products"), ("result", "no")];
    page.store
        .append_points(vec![point("tracepact_gate_decisions_total", &labels, NOW_NS, 1.0)])
        .await
        .unwrap();
    page.clock.advance_ns(3_600 * SECOND);
    let text = page.get("/metrics", None).await.2;
    assert_eq!(
        text.matches("tracepact_gate_decisions_total{pacticipant=\"products\",result=\"no\"} 1").count(),
        1,
        "{text}"
    );
}
