//! A small OTLP receiver: keeps every span it was sent, with its service and instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tracepact_shop::outcomes::{Kind, Outcome, SpanNode, check};

use crate::processes::until;

#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_id: String,
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) links: usize,
    pub(crate) attributes: HashMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    pub(crate) endpoint: String,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let spans = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new()
            .route("/v1/traces", post(take))
            .route("/v1/metrics", post(async || StatusCode::OK))
            .with_state(spans.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { spans, endpoint }
    }

    pub(crate) fn all(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    pub(crate) fn trace(&self, trace_id: &str) -> Vec<Span> {
        self.all().into_iter().filter(|span| span.trace_id == trace_id).collect()
    }

    /// The trace, once it is exactly a tree of `outcome`.
    pub(crate) async fn prescribed(&self, trace_id: &str, outcome: Outcome) -> Vec<Span> {
        let mut last = String::new();
        let fits = until(10, || {
            let result = check(&nodes(&self.trace(trace_id)), outcome);
            last = format!("{result:?}");
            std::future::ready(result.is_ok())
        })
        .await;
        assert!(fits, "trace {trace_id} is not {outcome:?}: {last}");
        self.trace(trace_id)
    }
}

pub(crate) fn nodes(spans: &[Span]) -> Vec<SpanNode> {
    let place = |id: &str| spans.iter().position(|span| span.span_id == id);
    spans
        .iter()
        .map(|span| SpanNode {
            service: span.service.clone(),
            name: span.name.clone(),
            kind: span.kind,
            // A parent that is not here must not make a root.
            parent: (!span.parent_id.is_empty()).then(|| place(&span.parent_id).unwrap_or(usize::MAX)),
            http_status: span.attributes.get("http.response.status_code").and_then(|text| text.parse().ok()),
            connect_failed: span
                .attributes
                .get("error.type")
                .is_some_and(|kind| kind == "connect" || kind == "request"),
        })
        .collect()
}

async fn take(State(spans): State<Arc<Mutex<Vec<Span>>>>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut kept = spans.lock().unwrap();
    for resource in request.resource_spans {
        let own = texts(&resource.resource.unwrap_or_default().attributes);
        let own = |key: &str| own.get(key).cloned().unwrap_or_default();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            kept.push(Span {
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                parent_id: hex(&span.parent_span_id),
                service: own("service.name"),
                instance: own("service.instance.id"),
                kind: match span.kind() {
                    SpanKind::Server => Kind::Server,
                    SpanKind::Client => Kind::Client,
                    SpanKind::Producer => Kind::Producer,
                    SpanKind::Consumer => Kind::Consumer,
                    _ => Kind::Internal,
                },
                links: span.links.len(),
                attributes: texts(&span.attributes),
                name: span.name,
            });
        }
    }
    StatusCode::OK
}

fn texts(attributes: &[KeyValue]) -> HashMap<String, String> {
    attributes
        .iter()
        .map(|pair| {
            let text = match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::StringValue(text)) => text.clone(),
                Some(Value::IntValue(number)) => number.to_string(),
                other => format!("{other:?}"),
            };
            (pair.key.clone(), text)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
