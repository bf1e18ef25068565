//! One span of an answer, with everything it says.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use tracepact_model::{Attributes, Kind, Value};
use utoipa::ToSchema;

use super::analysed::Analysed;
use crate::native::answer::{offset_us, us};

/// One span at its place in the tree.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceSpan {
    /// The trace it belongs to, where that is another one: the producer's, to which a consumer here is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Id; both halves of a shared span have the same.
    pub span_id: String,
    /// The parent the sender named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The parent in the tree: the client's half for a shared server span, the producer for a linked consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_parent_id: Option<String>,
    /// Call level; a root has 1.
    pub depth: usize,
    /// Service that made the span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Start after the header's start, in microseconds; negative when a clock is behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_offset_us: Option<f64>,
    /// Length in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<f64>,
    /// How far the clock of its host is behind, by Zipkin's rule: add it to every offset here to be on the caller's
    /// clock. Microseconds; absent when nothing is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_us: Option<f64>,
    /// Time in which none of its children ran, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_time_us: Option<f64>,
    /// Time in which the trace waited for its own work: its part of the critical path, in microseconds. Absent when it
    /// has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical_us: Option<f64>,
    /// Whether it failed.
    pub error: bool,
    /// The application's words about its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// `service.instance.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// `service.version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The other side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_service: Option<String>,
    /// Span attributes with their types.
    pub tags: BTreeMap<String, Json>,
    /// What happened inside, in order of arrival.
    pub events: Vec<TraceEvent>,
    /// Spans it refers to.
    pub links: Vec<TraceLink>,
    /// Whether it is the server's half of a span id shared with the client.
    pub shared: bool,
}

/// Something that happened inside a span.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceEvent {
    /// When, after the header's start, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_us: Option<f64>,
    /// What.
    pub name: String,
    /// Details.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Json>,
}

/// A reference to another span.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceLink {
    /// The other span's trace.
    pub trace_id: String,
    /// The other span.
    pub span_id: String,
}

/// The span of a node.
pub(super) fn span(trace: &Analysed, index: usize, critical_ns: u64) -> TraceSpan {
    let (tree, start_ns) = (&trace.tree, trace.header.start_ns);
    let node = &tree.nodes[index];
    let span = &node.span;
    let offset = |at_ns: u64| start_ns.map(|start_ns| offset_us(start_ns, at_ns));
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    TraceSpan {
        // A lenient lookup and mixed id widths join ids of the same low half: that is one trace.
        trace_id: (span.trace_id.low() != trace.trace_id.low()).then(|| span.trace_id.to_string()),
        span_id: span.span_id.to_string(),
        parent_id: span.parent_id.map(|id| id.to_string()),
        row_parent_id: node.parent.map(|parent| tree.nodes[parent].span.span_id.to_string()),
        depth: node.depth,
        service: span.local.service_name.as_deref().and_then(text),
        name: text(&span.name),
        kind: kind(span.kind),
        start_offset_us: span.start_ns.and_then(offset),
        duration_us: span.duration_ns.map(us),
        skew_us: Some(trace.moves_ns[index]).filter(|by| *by != 0).map(|by| by as f64 / 1_000.0),
        self_time_us: trace.self_times_ns[index].map(us),
        critical_us: Some(critical_ns).filter(|ns| *ns > 0).map(us),
        error: span.is_error(),
        status_message: text(&span.status.message),
        instance: span.instance.as_deref().and_then(text),
        version: span.version.as_deref().and_then(text),
        remote_service: span.remote.service_name.as_deref().and_then(text),
        tags: attributes(&span.attributes),
        events: span
            .events
            .iter()
            .map(|event| TraceEvent {
                offset_us: offset(event.at_ns),
                name: event.name.to_string(),
                attributes: attributes(&event.attributes),
            })
            .collect(),
        links: span
            .links
            .iter()
            .map(|link| TraceLink { trace_id: link.trace_id.to_string(), span_id: link.span_id.to_string() })
            .collect(),
        shared: span.flags.shared,
    }
}

pub(super) const fn kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Unset => None,
        Kind::Internal => Some("internal"),
        Kind::Server => Some("server"),
        Kind::Client => Some("client"),
        Kind::Producer => Some("producer"),
        Kind::Consumer => Some("consumer"),
    }
}

fn attributes(attributes: &Attributes) -> BTreeMap<String, Json> {
    attributes.iter().map(|(key, value)| (key.to_string(), json(value))).collect()
}

/// A typed value as JSON. What JSON lacks (bytes, NaN) takes its text form; integers a browser would round as well.
fn json(value: &Value) -> Json {
    /// The largest integer that every JSON reader keeps exactly: 2^53 - 1.
    const EXACT_MAX: u64 = 9_007_199_254_740_991;
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) if value.unsigned_abs() <= EXACT_MAX => Json::from(*value),
        Value::Double(value) if value.is_finite() => Json::from(*value),
        Value::Array(values) => values.iter().map(json).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.to_string(), json(value))).collect())
        }
        Value::Empty => Json::Null,
        other => Json::from(other.text().into_owned()),
    }
}
