//! `GET /tracepact/v1/traces/{trace_id}`: one trace as a tree; beside it the skeleton and the details on demand.

mod analysed;
pub(super) mod details;
pub(super) mod skeleton;
mod span;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_analysis::{Header, RepeatedCall};
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use utoipa::ToSchema;

use super::answer::{fresh, us};
use crate::Query;
use crate::params::Params;
use analysed::{Analysed, analysed, trace_id};

pub use details::SpansAnswer;
pub use skeleton::{SkeletonAnswer, SkeletonColumns, SkeletonPath};
pub use span::{TraceEvent, TraceLink, TraceSpan};

/// Most segments of the critical path, and most kinds of repeated calls, in one answer.
const SEGMENTS_MAX: usize = 20_000;
const REPEATED_MAX: usize = 100;
/// Most calls listed of one kind.
const CALLS_MAX: usize = 100;
/// Most missing parents that are named.
const MISSING_MAX: usize = 1_000;

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
    /// What the trace waited for, from its first root's start to its end without a gap, on the callers' clocks.
    pub critical_path: Vec<CriticalSegment>,
    /// Calls that were made again although an earlier one had the answer, the most expensive first.
    pub repeated_calls: Vec<RepeatedCalls>,
    /// Parents that spans name and that are not stored.
    pub missing_parents: Vec<String>,
    /// Number of spans without a parent here; one in a whole trace.
    pub roots: usize,
}

/// A stretch of time in which the trace waited for one span's own work.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CriticalSegment {
    /// Which of `spans`, counted from 0.
    pub row: usize,
    /// Its start after the header's, in microseconds.
    pub start_offset_us: f64,
    /// Its length in microseconds.
    pub duration_us: f64,
}

/// Calls to the same callee with the same operation and key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RepeatedCalls {
    /// Who was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callee: Option<String>,
    /// The operation, as the caller names it.
    pub operation: String,
    /// What was asked for: address, statement, key; the first 300 characters.
    pub key: String,
    /// `false`: a statement with places whose values no span tells; it may have asked for something else each time.
    pub certain: bool,
    /// How often it was called.
    pub count: usize,
    /// Calls that an earlier one had answered already.
    pub needless_count: usize,
    /// How long these took together, in microseconds.
    pub needless_us: f64,
    /// The calls by start, as places in `spans`; the first 100.
    pub rows: Vec<usize>,
}

impl From<&RepeatedCall> for RepeatedCalls {
    fn from(call: &RepeatedCall) -> Self {
        Self {
            callee: call.callee.clone(),
            operation: call.operation.clone(),
            key: call.key.clone(),
            certain: call.certain,
            count: call.calls.len(),
            needless_count: call.needless,
            needless_us: us(call.needless_ns),
            rows: call.calls.iter().copied().take(CALLS_MAX).collect(),
        }
    }
}

/// A trace as a whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceHeader {
    /// Start of the root, else of the earliest span; offsets count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub start: Option<String>,
    /// From the first start to the last end, hosts whose clocks are behind moved, in microseconds.
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

impl From<&Header> for TraceHeader {
    fn from(header: &Header) -> Self {
        Self {
            start: header.start_ns.map(to_rfc3339),
            duration_us: header.duration_ns.map(us),
            services: header.services.clone(),
            depth: header.depth,
            span_count: header.span_count,
            error_count: header.error_count,
        }
    }
}

/// One trace as a tree: merged fragments, levels, offsets; with clock skew, self times, the critical path and calls that
/// were made again needlessly.
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
    let id = trace_id(&id)?;
    let now_ns = query.now_ns();
    let trace = analysed(&query, id).await?;
    fresh(&answer(&trace, now_ns, query.config().spans_max))
}

fn answer(trace: &Analysed, now_ns: u64, spans_max: usize) -> TraceAnswer {
    let tree = &trace.tree;
    let mut cuts = trace.cuts.clone();
    if tree.nodes.len() > spans_max {
        cuts.push(format!("the first {spans_max} of {} spans are listed", tree.nodes.len()));
    }
    let critical_ns = trace.critical_ns();
    let listed = tree.nodes.len().min(spans_max);
    let critical_path = segments(trace, listed, &mut cuts);
    let repeated = trace.repeated.iter().take(REPEATED_MAX).map(RepeatedCalls::from).collect();
    let cut = if cuts.is_empty() { None } else { Some(cuts.join("; ")) };
    TraceAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        trace_id: trace.trace_id.to_string(),
        header: TraceHeader::from(&trace.header),
        spans: (0..listed).map(|index| span::span(trace, index, critical_ns[index])).collect(),
        critical_path,
        repeated_calls: repeated,
        missing_parents: missing_parents(trace),
        roots: tree.roots().count(),
    }
}

fn missing_parents(trace: &Analysed) -> Vec<String> {
    trace.tree.missing_parents.iter().take(MISSING_MAX).map(ToString::to_string).collect()
}

/// The critical path over the first `listed` spans.
fn segments(trace: &Analysed, listed: usize, cuts: &mut Vec<String>) -> Vec<CriticalSegment> {
    let Some(start_ns) = trace.header.start_ns else { return Vec::new() };
    if trace.path.len() > SEGMENTS_MAX {
        cuts.push(format!("the first {SEGMENTS_MAX} of {} stretches of the critical path", trace.path.len()));
    }
    let told = trace.path.iter().take(SEGMENTS_MAX).filter(|segment| segment.node < listed);
    told.map(|segment| CriticalSegment {
        row: segment.node,
        start_offset_us: (segment.interval.start_ns - i128::from(start_ns)) as f64 / 1_000.0,
        duration_us: us(segment.interval.length_ns()),
    })
    .collect()
}
