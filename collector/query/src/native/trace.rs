//! `GET /tracepact/v1/traces/{trace_id}`: one trace as a tree.

use std::collections::BTreeMap;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value as Json;
use tracepact_analysis::{Node, Tree, header, linked_trace_ids, merge};
use tracepact_base::TraceId;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_model::{Attributes, Kind, Value};
use tracepact_store::{StoreError, TraceRows};
use utoipa::ToSchema;

use super::answer::{fresh, offset_us, problem, us};
use crate::Query;
use crate::params::Params;
use crate::service::{cut_text, worse};

/// Most traces that consumers link to and that are shown with theirs.
const LINKED_MAX: usize = 4;

/// One trace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceAnswer {
    /// When this was true; late spans may still arrive.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every stored span is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The trace, 16 or 32 hex digits.
    pub trace_id: String,
    /// What stands above the waterfall.
    pub header: TraceHeader,
    /// The spans, parents before their children, siblings by start.
    pub spans: Vec<TraceSpan>,
    /// Parents that spans name and that are not stored.
    pub missing_parents: Vec<String>,
    /// Number of spans without a parent here; one in a whole trace.
    pub roots: usize,
}

/// A trace as a whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceHeader {
    /// Start of the root, else of the earliest span; offsets count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub start: Option<String>,
    /// From the first start to the last end, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<f64>,
    /// Services in the order the trace meets them.
    pub services: Vec<String>,
    /// Number of call levels.
    pub depth: usize,
    /// Number of spans.
    pub span_count: usize,
    /// Number of spans that failed.
    pub error_count: usize,
}

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

/// One trace as a tree: merged fragments, levels, offsets.
#[utoipa::path(
    get,
    path = "/tracepact/v1/traces/{trace_id}",
    tag = "traces",
    params(("trace_id" = String, Path, description = "1 to 32 hex digits; short ids are padded")),
    responses(
        (status = 200, description = "The trace", body = TraceAnswer),
        (status = 400, description = "Not a trace id", content_type = "application/problem+json"),
        (status = 404, description = "No span of this trace is stored", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_trace(
    State(query): State<Query>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    Params::of(raw.as_deref())?.finish()?;
    let id: TraceId = id.trim().parse().map_err(|error: tracepact_base::IdError| {
        Problem::invalid(format!("{id:?} is not a trace id: {error}"))
    })?;
    let now_ns = query.now_ns();
    let found = query.traces(vec![id]).await.map_err(problem)?;
    let trace = found.traces.into_iter().find(|trace| !trace.rows.is_empty());
    let mut trace = trace.ok_or_else(|| Problem::not_found(format!("no span of trace {id} is stored")))?;
    trace.completeness = worse(found.completeness, trace.completeness);
    let mut cuts = add_linked(&query, &mut trace).await.map_err(problem)?;
    cuts.extend(cut_text(&trace.completeness));
    fresh(&answer(&trace, cuts, now_ns, query.config().spans_max))
}

/// Adds the rows of the traces that consumers without a parent link to: there is who sent their message.
async fn add_linked(query: &Query, trace: &mut TraceRows) -> Result<Vec<String>, StoreError> {
    let mut linked = linked_trace_ids(&trace.rows);
    let mut cuts = Vec::new();
    if linked.len() > LINKED_MAX {
        cuts.push(format!("{LINKED_MAX} of {} linked traces are shown", linked.len()));
        linked.truncate(LINKED_MAX);
    }
    if !linked.is_empty() {
        let found = query.traces(linked).await?;
        let completeness = std::mem::take(&mut trace.completeness);
        trace.completeness = worse(completeness, found.completeness);
        trace.rows.extend(found.traces.into_iter().flat_map(|linked| linked.rows));
    }
    Ok(cuts)
}

fn answer(trace: &TraceRows, mut cuts: Vec<String>, now_ns: u64, spans_max: usize) -> TraceAnswer {
    let tree = Tree::build(merge(&trace.rows));
    let header = header(&tree);
    if tree.nodes.len() > spans_max {
        cuts.push(format!("the first {spans_max} of {} spans are listed", tree.nodes.len()));
    }
    let cut = if cuts.is_empty() { None } else { Some(cuts.join("; ")) };
    TraceAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        trace_id: trace.trace_id.to_string(),
        spans: tree
            .nodes
            .iter()
            .take(spans_max)
            .map(|node| span(&tree, node, trace.trace_id, header.start_ns))
            .collect(),
        missing_parents: tree.missing_parents.iter().map(ToString::to_string).collect(),
        roots: tree.roots().count(),
        header: TraceHeader {
            start: header.start_ns.map(to_rfc3339),
            duration_us: header.duration_ns.map(us),
            services: header.services,
            depth: header.depth,
            span_count: header.span_count,
            error_count: header.error_count,
        },
    }
}

fn span(tree: &Tree, node: &Node, asked: TraceId, start_ns: Option<u64>) -> TraceSpan {
    let span = &node.span;
    let offset = |at_ns: u64| start_ns.map(|start_ns| offset_us(start_ns, at_ns));
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    TraceSpan {
        // A lenient lookup and mixed id widths join ids of the same low half: that is one trace.
        trace_id: (span.trace_id.low() != asked.low()).then(|| span.trace_id.to_string()),
        span_id: span.span_id.to_string(),
        parent_id: span.parent_id.map(|id| id.to_string()),
        row_parent_id: node.parent.map(|parent| tree.nodes[parent].span.span_id.to_string()),
        depth: node.depth,
        service: span.local.service_name.as_deref().and_then(text),
        name: text(&span.name),
        kind: kind(span.kind),
        start_offset_us: span.start_ns.and_then(offset),
        duration_us: span.duration_ns.map(us),
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

const fn kind(kind: Kind) -> Option<&'static str> {
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
