//! The workload: traces of 20 services, scattered over requests as SDKs send them.
//!
//! Shape: 6 to 14 spans a trace with a tail up to 2,000, HTTP client/server pairs, ten attributes a span of which
//! one has 200,000 values and one is unique to the trace, 2 % errors with an exception event, log-normal durations.

use std::sync::Arc;

use anyhow::Context;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use tracepact_base::{Clock, SystemClock};
use tracepact_model::{Codec, DecodeLimits, decode, encode};

const SERVICES: u32 = 20;
const USERS: u32 = 200_000;

/// Encoded requests, and what is in them.
pub struct Work {
    /// OTLP protobuf bodies.
    pub bodies: Arc<Vec<Vec<u8>>>,
    /// Id and number of spans of each trace.
    pub traces: Vec<TraceFact>,
}

/// What must be found again.
pub struct TraceFact {
    /// Lower-case hex.
    pub id: String,
    /// Number of its spans.
    pub spans: usize,
    /// Its `order.id`, unique.
    pub order: String,
    /// The root's service.
    pub service: String,
    /// The root's start: the trace's timestamp, nanoseconds since 1970.
    pub at_ns: u64,
    /// What searches ask about each span.
    pub rows: Vec<RowFact>,
}

/// What searches ask about a span.
#[derive(Debug, Clone, Copy)]
pub struct RowFact {
    /// Number of its service.
    pub service: u32,
    /// Number of its operation.
    pub operation: u32,
    /// How long it took.
    pub duration_ns: u64,
    /// Whether it failed.
    pub failed: bool,
}

/// The name of a service.
pub fn service_name(service: u32) -> String {
    format!("service-{service:02}")
}

/// The same requests as a reporter of Zipkin sends them: v2 JSON.
///
/// # Errors
/// When a body is no OTLP.
pub fn as_zipkin_json(bodies: &[Vec<u8>]) -> anyhow::Result<Vec<Vec<u8>>> {
    let json = |body: &Vec<u8>| {
        let spans = decode(Codec::OtlpProto, body, &DecodeLimits::unbounded())?;
        encode(Codec::ZipkinJsonV2, &spans).context("no writer of Zipkin JSON")
    };
    bodies.iter().map(json).collect()
}

/// Generated requests: `spans` spans, so many in each, the same for the same `seed` but for the time of day.
pub fn requests(spans: usize, per_request: usize, seed: u64) -> Work {
    let mut rng = StdRng::seed_from_u64(seed);
    let now_ns = SystemClock::new().now_ns();
    let hour_ago_ns = now_ns.saturating_sub(3_600_000_000_000);
    // A trace's spans come from several processes: shuffle within a window, then group by service in each request.
    let window = per_request * 4;
    let mut bodies = Vec::with_capacity(spans.div_ceil(per_request));
    let mut encode = |rng: &mut StdRng, spans: &mut [(u32, Span)]| {
        for window in spans.chunks_mut(window) {
            window.shuffle(rng);
            bodies.extend(window.chunks(per_request).map(|chunk| request(chunk).encode_to_vec()));
        }
    };
    // Spans that are not in a body yet: a window, and what the last trace had more.
    let mut waiting: Vec<(u32, Span)> = Vec::new();
    let (mut made, mut traces) = (0, Vec::new());
    while made < spans {
        let wanted =
            if rng.random_ratio(1, 5_000) { rng.random_range(200..2_000) } else { rng.random_range(6..=14) };
        let count = wanted.min(spans - made);
        made += count;
        let trace_id: [u8; 16] = rng.random();
        let order = format!("order-{seed}-{}", traces.len());
        // Whole microseconds: formats that know no more say the same.
        let start = (hour_ago_ns + rng.random_range(0..3_500_000_000_000)) / 1_000 * 1_000;
        let rows = trace(&mut rng, trace_id, count, start, &order, &mut waiting);
        let service = service_name(rows.first().map_or(0, |root| root.service));
        let id = trace_id.iter().map(|b| format!("{b:02x}")).collect();
        traces.push(TraceFact { id, spans: count, order, service, at_ns: start, rows });
        if waiting.len() >= window {
            let rest = waiting.split_off(waiting.len() / window * window);
            encode(&mut rng, &mut waiting);
            waiting = rest;
        }
    }
    encode(&mut rng, &mut waiting);
    Work { bodies: Arc::new(bodies), traces }
}

/// Appends one trace, the root first; gives what searches ask about it.
fn trace(
    rng: &mut StdRng,
    id: [u8; 16],
    count: usize,
    start: u64,
    order: &str,
    all: &mut Vec<(u32, Span)>,
) -> Vec<RowFact> {
    let mut rows = Vec::with_capacity(count);
    let mut parents: Vec<([u8; 8], u32)> = Vec::with_capacity(count);
    for index in 0..count {
        let span_id: [u8; 8] = rng.random();
        let parent = (index > 0).then(|| parents[rng.random_range(0..index)]);
        let service = match parent {
            // Every second span is the called side of its parent.
            Some((_, caller)) if index % 2 == 0 => caller,
            Some((_, caller)) => (caller + rng.random_range(1..4)) % SERVICES,
            None => rng.random_range(0..SERVICES),
        };
        parents.push((span_id, service));
        let duration = duration_ns(rng) / 1_000 * 1_000;
        let at = start + index as u64 * 50_000;
        let error = rng.random_ratio(2, 100);
        let operation = rng.random_range(0..3);
        rows.push(RowFact { service, operation, duration_ns: duration, failed: error });
        all.push((
            service,
            Span {
                trace_id: id.to_vec(),
                span_id: span_id.to_vec(),
                parent_span_id: parent.map(|(p, _)| p.to_vec()).unwrap_or_default(),
                name: format!("GET /operation/{operation}"),
                kind: if index % 2 == 0 { span::SpanKind::Server } else { span::SpanKind::Client } as i32,
                start_time_unix_nano: at,
                end_time_unix_nano: at + duration,
                attributes: attributes(rng, order),
                events: if error { vec![exception(at + duration / 2)] } else { Vec::new() },
                status: error.then(|| Status { code: 2, message: "timeout".into() }),
                ..Span::default()
            },
        ));
    }
    rows
}

/// Log-normal with a median of 8 ms; one in a hundred is longer than 130 ms.
fn duration_ns(rng: &mut StdRng) -> u64 {
    let (a, b) = (rng.random_range(f64::EPSILON..1.0), rng.random_range(0.0..std::f64::consts::TAU));
    let normal = (-2.0 * a.ln()).sqrt() * b.cos();
    (8e6 * (1.2 * normal).exp()) as u64
}

fn attributes(rng: &mut StdRng, order: &str) -> Vec<KeyValue> {
    vec![
        text("http.request.method", "GET"),
        text("url.path", "/operation/1"),
        text("http.route", "/operation/{id}"),
        number("http.response.status_code", 200),
        text("server.address", "10.0.0.7"),
        number("server.port", 8080),
        text("user_agent.original", "bench/1"),
        text("client.address", &format!("10.{}.{}.1", rng.random_range(0..8), rng.random_range(0..255))),
        text("user.id", &format!("user-{}", rng.random_range(0..USERS))),
        text("order.id", order),
    ]
}

fn exception(at: u64) -> span::Event {
    span::Event {
        time_unix_nano: at,
        name: "exception".into(),
        attributes: vec![text("exception.type", "Timeout"), text("exception.message", "no answer in 1 s")],
        dropped_attributes_count: 0,
    }
}

fn request(spans: &[(u32, Span)]) -> ExportTraceServiceRequest {
    let mut groups: std::collections::BTreeMap<u32, Vec<Span>> = std::collections::BTreeMap::new();
    for (service, span) in spans {
        groups.entry(*service).or_default().push(span.clone());
    }
    let resource_spans = groups
        .into_iter()
        .map(|(service, spans)| ResourceSpans {
            resource: Some(Resource { attributes: resource(service), ..Resource::default() }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope { name: "bench".into(), ..InstrumentationScope::default() }),
                spans,
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        })
        .collect();
    ExportTraceServiceRequest { resource_spans }
}

fn resource(service: u32) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("service.name", &service_name(service)),
        text("service.version", "1.4.2"),
        text("service.instance.id", &format!("service-{service:02}-1")),
    ];
    for key in [
        "host.name",
        "host.arch",
        "os.type",
        "process.pid",
        "telemetry.sdk.name",
        "telemetry.sdk.language",
        "telemetry.sdk.version",
        "deployment.environment.name",
        "container.id",
    ] {
        attributes.push(text(key, "value"));
    }
    attributes
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

fn number(key: &str, value: i64) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(Value::IntValue(value)) }),
        ..KeyValue::default()
    }
}
