//! `GET /tracepact/v1/traces/{trace_id}/skeleton`: a trace of any size as columns, without what is read only when
//! somebody looks at one span.

use std::collections::HashMap;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_base::ErrorKind;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use utoipa::ToSchema;

use super::analysed::{Analysed, analysed, trace_id};
use super::{RepeatedCalls, TraceHeader, missing_parents};
use crate::Query;
use crate::native::answer::{fresh, offset_us, us};
use crate::params::Params;

/// Words for `kind`, by their number in the column.
const KINDS: [&str; 6] = ["", "internal", "server", "client", "producer", "consumer"];
/// About how many bytes a row takes in the answer, its two segments of the path included.
const ROW_BYTES: usize = 160;

/// One trace as columns. Row n of every column is the same span; parents come before their children, siblings by start.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SkeletonAnswer {
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
    /// Names of services, by their number in the column.
    pub services: Vec<String>,
    /// Names of operations, by their number in the column.
    pub names: Vec<String>,
    /// Words for kinds, by their number in the column; the first is "not said".
    pub kinds: Vec<&'static str>,
    /// The columns.
    pub columns: SkeletonColumns,
    /// What the trace waited for, in order of time.
    pub critical_path: SkeletonPath,
    /// Calls that were made again although an earlier one had the answer, the most expensive first.
    pub repeated_calls: Vec<RepeatedCalls>,
    /// Parents that spans name and that are not stored.
    pub missing_parents: Vec<String>,
    /// Number of spans without a parent here; one in a whole trace.
    pub roots: usize,
}

/// What is known of every span. -1 and null stand for unknown.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct SkeletonColumns {
    /// Ids, 16 hex digits.
    pub span_id: Vec<String>,
    /// Row of the parent; -1 for a root.
    pub parent: Vec<i64>,
    /// Call level; a root has 1.
    pub depth: Vec<usize>,
    /// Which of `services`; -1 for unknown.
    pub service: Vec<i64>,
    /// Which of `names`; -1 for unknown.
    pub name: Vec<i64>,
    /// Which of `kinds`.
    pub kind: Vec<usize>,
    /// Start after the header's start, as it was received, in microseconds.
    pub start_offset_us: Vec<Option<f64>>,
    /// Length in microseconds.
    pub duration_us: Vec<Option<f64>>,
    /// Time in which no child ran, in microseconds.
    pub self_time_us: Vec<Option<f64>>,
    /// Rows that failed.
    pub errors: Vec<usize>,
    /// Rows whose host's clock is behind.
    pub skewed: Vec<usize>,
    /// By how much, in microseconds: `skew_us[n]` belongs to row `skewed[n]`.
    pub skew_us: Vec<f64>,
}

/// Stretches of time in which the trace waited for one span's own work, without a gap between them.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct SkeletonPath {
    /// Whose.
    pub row: Vec<usize>,
    /// Its start after the header's, on the callers' clocks, in microseconds. It ends where the next begins.
    pub start_offset_us: Vec<f64>,
    /// End of the last, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_offset_us: Option<f64>,
}

/// One trace of any size as columns; what a span says beyond them is asked for with `…/spans`.
#[utoipa::path(
    get,
    path = "/tracepact/v1/traces/{trace_id}/skeleton",
    tag = "traces",
    params(("trace_id" = String, Path, description = "1 to 32 hex digits; short ids are padded")),
    responses(
        (status = 200, description = "The trace as columns", body = SkeletonAnswer),
        (status = 400, description = "Not a trace id", content_type = "application/problem+json"),
        (status = 404, description = "No span of this trace is stored", content_type = "application/problem+json"),
    )
)]
pub(in crate::native) async fn get_skeleton(
    State(query): State<Query>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    Params::of(raw.as_deref())?.finish()?;
    let id = trace_id(&id)?;
    let now_ns = query.now_ns();
    let trace = analysed(&query, id).await?;
    let rows_max = query.config().answer_bytes_max / ROW_BYTES;
    let written = tokio::task::spawn_blocking(move || fresh(&answer(&trace, now_ns, rows_max))).await;
    written.map_err(|_| Problem::new(ErrorKind::Internal, "the answer could not be written"))?
}

/// Texts by number.
#[derive(Default)]
struct Dictionary<'t> {
    numbers: HashMap<&'t str, i64>,
    texts: Vec<String>,
}

impl<'t> Dictionary<'t> {
    fn number(&mut self, text: &'t str) -> i64 {
        if text.is_empty() {
            return -1;
        }
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text.to_owned());
            self.texts.len() as i64 - 1
        })
    }
}

fn answer(trace: &Analysed, now_ns: u64, rows_max: usize) -> SkeletonAnswer {
    let nodes = &trace.tree.nodes;
    let mut cuts = trace.cuts.clone();
    if nodes.len() > rows_max {
        cuts.push(format!("the first {rows_max} of {} spans are listed", nodes.len()));
    }
    let (mut services, mut names) = (Dictionary::default(), Dictionary::default());
    let mut columns = SkeletonColumns::default();
    for (row, node) in nodes.iter().enumerate().take(rows_max) {
        let span = &node.span;
        columns.span_id.push(span.span_id.to_string());
        columns.parent.push(node.parent.map_or(-1, |parent| parent as i64));
        columns.depth.push(node.depth);
        columns.service.push(services.number(span.local.service_name.as_deref().unwrap_or("")));
        columns.name.push(names.number(&span.name));
        let kind = super::span::kind(span.kind).unwrap_or("");
        columns.kind.push(KINDS.iter().position(|known| *known == kind).unwrap_or(0));
        columns
            .start_offset_us
            .push(trace.header.start_ns.zip(span.start_ns).map(|(from, to)| offset_us(from, to)));
        columns.duration_us.push(span.duration_ns.map(us));
        columns.self_time_us.push(trace.self_times_ns[row].map(us));
        if span.is_error() {
            columns.errors.push(row);
        }
        if trace.moves_ns[row] != 0 {
            columns.skewed.push(row);
            columns.skew_us.push(trace.moves_ns[row] as f64 / 1_000.0);
        }
    }
    let cut = if cuts.is_empty() { None } else { Some(cuts.join("; ")) };
    SkeletonAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        trace_id: trace.trace_id.to_string(),
        header: TraceHeader::from(&trace.header),
        services: services.texts,
        names: names.texts,
        kinds: KINDS.to_vec(),
        columns,
        critical_path: path(trace, rows_max),
        repeated_calls: trace.repeated.iter().take(super::REPEATED_MAX).map(RepeatedCalls::from).collect(),
        missing_parents: missing_parents(trace),
        roots: trace.tree.roots().count(),
    }
}

/// The path as far as its rows are listed; a gap would say something else than "not listed", so it ends there.
fn path(trace: &Analysed, rows_max: usize) -> SkeletonPath {
    let mut path = SkeletonPath::default();
    let Some(start_ns) = trace.header.start_ns else { return path };
    let offset = |at_ns: i128| (at_ns - i128::from(start_ns)) as f64 / 1_000.0;
    for segment in trace.path.iter().take_while(|segment| segment.node < rows_max) {
        path.row.push(segment.node);
        path.start_offset_us.push(offset(segment.interval.start_ns));
        path.end_offset_us = Some(offset(segment.interval.end_ns));
    }
    path
}
