//! Our own reading requests as spans, as Zipkin's `SELF_TRACING_ENABLED`: the service `tracepact` beside everyone else's.
//!
//! Traced is what somebody asks of the Zipkin and native APIs. Receiving spans is not, and the spans made here go to the
//! store without a request, so tracing never traces itself. A caller's sampled context (W3C or B3) is continued.

mod context;
mod sampler;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use bytes::Bytes;
use prometheus::{IntCounter, Registry};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tracepact_base::SharedClock;
use tracepact_listener::{RouteSpec, Routes, Scope};

use crate::{Format, Ingest, Origin, Transport};
use context::Caller;
use sampler::Sampler;

pub(crate) use context::fuzz as fuzz_context;

/// The service that these spans are of.
const SERVICE: &str = "tracepact";
/// Spans that wait for the store; more are dropped and counted.
const WAITING_MAX: usize = 512;
/// Longest path kept on a span.
const PATH_BYTES_MAX: usize = 256;

/// How much of our own work is traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfTracing {
    /// Share of requests, 0 to 1. At 1 `traces_per_second` bounds them instead.
    pub sample_rate: f64,
    /// Most traces of a second; 0 for all.
    pub traces_per_second: u64,
}

/// Makes spans of requests.
#[derive(Clone)]
pub struct SelfTracer {
    inner: Arc<Inner>,
}

struct Inner {
    sampler: Sampler,
    clock: SharedClock,
    spans: mpsc::Sender<Value>,
    dropped: IntCounter,
}

/// Brings the spans to the store.
pub struct SelfReporter {
    spans: mpsc::Receiver<Value>,
}

impl SelfTracer {
    /// A tracer, and the reporter that has to run for its spans to be kept.
    ///
    /// # Errors
    /// When `registry` has its metric already.
    pub fn new(
        settings: SelfTracing,
        clock: SharedClock,
        registry: &Registry,
    ) -> Result<(Self, SelfReporter), prometheus::Error> {
        let dropped = IntCounter::new(
            "tracepact_self_tracing_dropped_total",
            "Spans of our own requests that were not kept because too many waited.",
        )?;
        registry.register(Box::new(dropped.clone()))?;
        let (spans, waiting) = mpsc::channel(WAITING_MAX);
        let sampler = Sampler::new(settings);
        Ok((
            Self { inner: Arc::new(Inner { sampler, clock, spans, dropped }) },
            SelfReporter { spans: waiting },
        ))
    }

    /// `routes`, with the reading ones of them traced.
    #[must_use]
    pub fn watch(&self, routes: Routes) -> Routes {
        routes.around(|spec, router| {
            if spec.scope != Scope::Read || spec.changes() {
                return router;
            }
            let watched = Arc::new(Watched { tracer: self.inner.clone(), spec: spec.clone() });
            router.route_layer(from_fn_with_state(watched, trace))
        })
    }
}

struct Watched {
    tracer: Arc<Inner>,
    spec: RouteSpec,
}

async fn trace(State(watched): State<Arc<Watched>>, request: Request, next: Next) -> Response {
    let tracer = &watched.tracer;
    let caller = context::of(request.headers());
    let sampled = caller.is_none_or(|caller| caller.sampled) && tracer.sampler.sample(&tracer.clock);
    if !sampled {
        return next.run(request).await;
    }
    let path: String = request.uri().path().chars().take(PATH_BYTES_MAX).collect();
    let method = request.method().to_string();
    let (started_ns, began_ns) = (tracer.clock.now_ns(), tracer.clock.monotonic_ns());
    let response = next.run(request).await;
    let took = Duration::from_nanos(tracer.clock.monotonic_ns().saturating_sub(began_ns));
    let mut tags = Map::new();
    let mut tag = |key: &str, value: String| {
        tags.insert(key.to_owned(), Value::String(value));
    };
    let status = response.status();
    tag("http.method", method.clone());
    tag("http.path", path);
    tag("http.route", watched.spec.metric_route().to_owned());
    tag("http.status_code", status.as_u16().to_string());
    if status.is_server_error() {
        tag("error", status.as_u16().to_string());
    }
    let name = format!("{method} {}", watched.spec.metric_route());
    let span = span(caller, &name, started_ns / 1_000, took.as_micros().max(1) as u64, tags);
    if tracer.spans.try_send(span).is_err() {
        tracer.dropped.inc();
    }
    response
}

/// One span in Zipkin's JSON.
fn span(
    caller: Option<Caller>,
    name: &str,
    timestamp_us: u64,
    duration_us: u64,
    tags: Map<String, Value>,
) -> Value {
    let mut span = json!({
        "id": format!("{:016x}", rand::random::<u64>().max(1)),
        "kind": "SERVER",
        "name": name,
        "timestamp": timestamp_us,
        "duration": duration_us,
        "localEndpoint": { "serviceName": SERVICE },
        "tags": tags,
    });
    let trace_id = caller.map_or_else(|| rand::random::<u128>().max(1), |caller| caller.trace_id);
    span["traceId"] = Value::String(format!("{trace_id:032x}"));
    if let Some(caller) = caller {
        span["parentId"] = Value::String(format!("{:016x}", caller.span_id));
    }
    span
}

impl SelfReporter {
    /// Keeps spans until `stop` ends, then those that wait already.
    pub async fn run(mut self, ingest: Ingest, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                received = self.spans.recv_many(&mut batch, WAITING_MAX) => {
                    if received == 0 {
                        return;
                    }
                    keep(&ingest, batch).await;
                }
                () = &mut stop => {
                    self.spans.close();
                    while let Ok(span) = self.spans.try_recv() {
                        batch.push(span);
                    }
                    if !batch.is_empty() {
                        keep(&ingest, batch).await;
                    }
                    return;
                }
            }
        }
    }
}

async fn keep(ingest: &Ingest, spans: Vec<Value>) {
    let body = Bytes::from(Value::Array(spans).to_string());
    // What the store refuses is counted as any sender's.
    if let Err(refusal) = ingest.spans(Origin::new(Transport::Local, Format::ZipkinJson), body).await {
        tracing::debug!(reason = %refusal.reason, "spans of our own requests were not kept");
    }
}
