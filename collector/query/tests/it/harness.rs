//! A collector in one router: receivers, engine, readers.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use tracepact_base::ManualClock;
use tracepact_ingest::{Ingest, IngestConfig, Sinks};
use tracepact_listener::Access;
use tracepact_query::{Query, QueryConfig, SeeingStore, Seen, Sources};
use tracepact_resilience::board::Boards;
use tracepact_store::{Engine, EngineConfig, SpanStore};

/// 2026-11-21T00:00:00Z.
pub(crate) const NOW_NS: u64 = 1_795_219_200_000_000_000;
pub(crate) const NOW_US: u64 = NOW_NS / 1_000;
pub(crate) const NOW_MS: u64 = NOW_NS / 1_000_000;

pub(crate) struct Collector {
    pub(crate) engine: Arc<Engine>,
    pub(crate) boards: Arc<Boards>,
    pub(crate) query: Query,
    pub(crate) clock: Arc<ManualClock>,
    router: axum::Router,
    _dir: Arc<tempfile::TempDir>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

pub(crate) fn collector(change: impl FnOnce(&mut QueryConfig)) -> Collector {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let mut config = QueryConfig::default();
    change(&mut config);
    open(dir, ManualClock::at(NOW_NS), config)
}

fn open(dir: Arc<tempfile::TempDir>, clock: Arc<ManualClock>, config: QueryConfig) -> Collector {
    let engine = Engine::open(dir.path(), EngineConfig::default(), clock.clone()).unwrap();
    let registry = prometheus::Registry::new();
    let boards = Arc::new(Boards::new(NOW_NS));
    let seen = Arc::new(Seen::default());
    let spans: Arc<dyn SpanStore> = Arc::new(SeeingStore::new(engine.clone(), seen.clone()));
    let sinks = Sinks {
        spans: spans.clone(),
        series: engine.clone(),
        events: engine.clone(),
        boards: boards.clone(),
    };
    let ingest = Ingest::new(sinks, clock.clone(), IngestConfig::default(), &registry).unwrap();
    let sources = Sources {
        spans,
        series: engine.clone(),
        red: engine.clone(),
        events: engine.clone(),
        boards: boards.clone(),
        seen,
    };
    let query = Query::new(sources, clock.clone(), config);
    let router = tracepact_ingest::routes(ingest)
        .merge(tracepact_query::zipkin_routes(query.clone()))
        .unwrap()
        .merge(tracepact_query::native_routes(query.clone()))
        .unwrap()
        .into_router(Arc::new(Access::for_listen([127, 0, 0, 1].into())));
    Collector { engine, boards, query, clock, router, _dir: dir }
}

impl Collector {
    /// Closes the engine and opens it again on the same directory.
    pub(crate) fn restart(self) -> Self {
        self.restart_with(|_| {})
    }

    /// The same, with other settings.
    pub(crate) fn restart_with(self, change: impl FnOnce(&mut QueryConfig)) -> Self {
        let Self { engine, boards: _, query, clock, router, _dir: dir } = self;
        engine.close();
        drop((engine, query, router));
        let mut config = QueryConfig::default();
        change(&mut config);
        open(dir, clock, config)
    }

    pub(crate) async fn request(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "127.0.0.1").body(Body::empty()).unwrap();
        let (parts, body) = self.request(request).await.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }

    async fn post(&self, path: &str, media: &str, body: Vec<u8>) -> StatusCode {
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1")
            .header(header::CONTENT_TYPE, media)
            .body(Body::from(body))
            .unwrap();
        self.request(request).await.status()
    }

    /// Sends Zipkin v2 JSON and demands that it is accepted.
    pub(crate) async fn zipkin(&self, spans: &str) {
        let status = self.post("/api/v2/spans", "application/json", spans.as_bytes().to_vec()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{spans}");
    }

    /// Sends OTLP and demands that it is accepted.
    pub(crate) async fn otlp(&self, request: &impl prost::Message) {
        let status = self.post("/v1/traces", "application/x-protobuf", request.encode_to_vec()).await;
        assert_eq!(status, StatusCode::OK);
    }
}

/// A span of `service` in Zipkin's JSON with further members.
pub(crate) fn span(trace: &str, id: &str, service: &str, more: &str) -> String {
    format!(
        r#"{{"traceId":"{trace}","id":"{id}","timestamp":{NOW_US},"duration":1000,"localEndpoint":{{"serviceName":"{service}"}}{more}}}"#
    )
}
