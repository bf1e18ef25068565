//! A collector that keeps what it is sent and can be told how to answer.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use parking_lot::Mutex;
use prost::Message as _;

/// One scripted refusal.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    Status(u16, Option<u64>),
    /// Takes the batch and says that it rejected so many of it.
    Partial(i64),
    /// Never answers.
    Hang,
}

#[derive(Clone, Default)]
pub(super) struct Collector {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    otlp: Mutex<Vec<ResourceSpans>>,
    zipkin: Mutex<Vec<serde_json::Value>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    script: Mutex<VecDeque<Answer>>,
    arrivals: Mutex<Vec<tokio::time::Instant>>,
}

impl Collector {
    pub(super) fn script(&self, answers: &[Answer]) {
        self.inner.script.lock().extend(answers.iter().copied());
    }

    fn next(&self) -> Option<Answer> {
        self.inner.arrivals.lock().push(tokio::time::Instant::now());
        self.inner.script.lock().pop_front()
    }

    fn scripted(&self) -> Option<(StatusCode, HeaderMap)> {
        let Answer::Status(status, retry_after) = self.next()? else { return None };
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert(http::header::RETRY_AFTER, seconds.into());
        }
        Some((StatusCode::from_u16(status).unwrap(), headers))
    }

    pub(super) fn arrivals(&self) -> Vec<tokio::time::Instant> {
        self.inner.arrivals.lock().clone()
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        let all = self.inner.otlp.lock();
        all.iter().flat_map(|r| &r.scope_spans).flat_map(|s| s.spans.clone()).collect()
    }

    pub(super) fn resources(&self) -> Vec<ResourceSpans> {
        self.inner.otlp.lock().clone()
    }

    pub(super) fn zipkin(&self) -> Vec<serde_json::Value> {
        self.inner.zipkin.lock().clone()
    }

    pub(super) fn metrics(&self) -> Vec<ExportMetricsServiceRequest> {
        self.inner.metrics.lock().clone()
    }

    /// OTLP/HTTP and Zipkin.
    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .route("/api/v2/spans", post(zipkin))
            .with_state(self.clone())
    }

    /// OTLP/HTTP and Zipkin at `address`, until the returned task is aborted.
    pub(super) async fn serve_at(&self, address: SocketAddr) -> tokio::task::JoinHandle<()> {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let app = self.router();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() })
    }

    /// OTLP/gRPC at `address`.
    pub(super) fn serve_grpc_at(&self, address: SocketAddr) -> tokio::task::JoinHandle<()> {
        let (spans, metrics) =
            (TraceServiceServer::new(self.clone()), MetricsServiceServer::new(self.clone()));
        tokio::spawn(async move {
            tonic::transport::Server::builder()
                .add_service(spans)
                .add_service(metrics)
                .serve(address)
                .await
                .unwrap();
        })
    }
}

type Answered = Result<StatusCode, (StatusCode, HeaderMap)>;

async fn traces(State(collector): State<Collector>, body: Bytes) -> Answered {
    if let Some(refusal) = collector.scripted() {
        return Err(refusal);
    }
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    collector.inner.otlp.lock().extend(request.resource_spans);
    Ok(StatusCode::OK)
}

async fn metrics(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    collector.inner.metrics.lock().push(ExportMetricsServiceRequest::decode(body).unwrap());
    StatusCode::OK
}

async fn zipkin(State(collector): State<Collector>, body: Bytes) -> Answered {
    if let Some(refusal) = collector.scripted() {
        return Err(refusal);
    }
    let spans: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
    collector.inner.zipkin.lock().extend(spans);
    Ok(StatusCode::ACCEPTED)
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let mut answer = ExportTraceServiceResponse::default();
        match self.next() {
            Some(Answer::Status(400, _)) => return Err(tonic::Status::invalid_argument("scripted")),
            Some(Answer::Status(..)) => return Err(tonic::Status::unavailable("scripted")),
            Some(Answer::Hang) => std::future::pending().await,
            Some(Answer::Partial(rejected_spans)) => {
                let error_message = "scripted".to_owned();
                answer.partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message });
            }
            None => {}
        }
        self.inner.otlp.lock().extend(request.into_inner().resource_spans);
        Ok(tonic::Response::new(answer))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<tonic::Response<ExportMetricsServiceResponse>, tonic::Status> {
        self.inner.metrics.lock().push(request.into_inner());
        Ok(tonic::Response::new(ExportMetricsServiceResponse::default()))
    }
}
