//! `GET /tracepact/v1/traces`: search.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_analysis::{Header, Tree, header, merge};
use tracepact_base::TraceId;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_store::{Predicate, Scope, SpanQuery};
use utoipa::ToSchema;

use super::answer::{fresh, problem, us};
use crate::params::{Params, window};
use crate::service::cut_text;
use crate::{Query, QueryConfig};

/// The window when the question names none: the last hour.
const WINDOW_DEFAULT_NS: u64 = 3_600_000_000_000;
const LIMIT_DEFAULT: usize = 20;
/// Most `tag` parameters of one question.
const TAGS_MAX: usize = 50;

/// Traces found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TracesAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether everything that matches, up to the limit, is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The traces, those nearest to the end of the window first.
    pub traces: Vec<TraceSummary>,
}

/// A trace in one line.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceSummary {
    /// The trace, 16 or 32 hex digits.
    pub trace_id: String,
    /// Service of the first root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_service: Option<String>,
    /// Operation of the first root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_name: Option<String>,
    /// Start of the root, else of the earliest span.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub start: Option<String>,
    /// From the first start to the last end, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<f64>,
    /// Spans, the two halves of a shared one counted each.
    pub span_count: usize,
    /// Spans that failed.
    pub error_count: usize,
    /// Services in the order the trace meets them.
    pub services: Vec<String>,
}

impl TraceSummary {
    pub(crate) fn new(trace_id: TraceId, header: Header) -> Self {
        Self {
            trace_id: trace_id.to_string(),
            root_service: header.root_service,
            root_name: Some(header.root_name).filter(|name| !name.is_empty()),
            start: header.start_ns.map(to_rfc3339),
            duration_us: header.duration_ns.map(us),
            span_count: header.span_count,
            error_count: header.error_count,
            services: header.services,
        }
    }
}

/// Reads the parameters.
pub(crate) fn span_query(raw: Option<&str>, config: &QueryConfig, now_ns: u64) -> Result<SpanQuery, Problem> {
    let mut params = Params::of(raw)?;
    let mut predicates = Vec::new();
    predicates.extend(params.text("service")?.map(|name| Predicate::Service(name.to_lowercase())));
    predicates.extend(params.text("name")?.map(|name| Predicate::Name(name.to_lowercase())));
    let tags = params.many("tag");
    if tags.len() > TAGS_MAX {
        return Err(Problem::invalid(format!("a question has at most {TAGS_MAX} tags")));
    }
    for tag in tags {
        predicates.push(match tag.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Predicate::Tag(key.trim().to_owned(), value.to_owned())
            }
            Some(_) => return Err(Problem::invalid(format!("tag is key=value, not {tag:?}"))),
            None => Predicate::AnnotationOrKey(tag.trim().to_owned()),
        });
    }
    if params.flag("errors")? == Some(true) {
        predicates.push(Predicate::Error);
    }
    let (min, max) = (params.microseconds("min_duration_us")?, params.microseconds("max_duration_us")?);
    if min.zip(max).is_some_and(|(min, max)| max < min) {
        return Err(Problem::invalid("max_duration_us is less than min_duration_us"));
    }
    if min.is_some() || max.is_some() {
        predicates.push(Predicate::Duration { min_ns: min.unwrap_or(0), max_ns: max });
    }
    let (start_ns, end_ns) = window(&mut params, WINDOW_DEFAULT_NS, now_ns)?;
    let limit = params.limit("limit", LIMIT_DEFAULT, config.traces_max)?;
    params.finish()?;
    Ok(SpanQuery { start_ns, end_ns, predicates, scope: Scope::ServiceSpans, limit })
}

/// Finds traces. All conditions must hold; with `service` they must hold on spans of that service.
#[utoipa::path(
    get,
    path = "/tracepact/v1/traces",
    tag = "traces",
    params(
        ("service" = Option<String>, Query, description = "A service of the trace, any case"),
        ("name" = Option<String>, Query, description = "Operation name of a span, any case"),
        ("tag" = Option<Vec<String>>, Query, description = "`key=value` that a span carries, or a key that must exist; may be repeated"),
        ("errors" = Option<bool>, Query, description = "`true`: a span failed"),
        ("min_duration_us" = Option<f64>, Query, description = "A span took at least this long"),
        ("max_duration_us" = Option<f64>, Query, description = "The same span took at most this long"),
        ("start" = Option<String>, Query, description = "Traces that began at or after; an hour before `end` unless given"),
        ("end" = Option<String>, Query, description = "Traces that began at or before; now unless given"),
        ("limit" = Option<u32>, Query, description = "Most traces in the answer; 20 unless given"),
    ),
    responses(
        (status = 200, description = "The traces nearest to the end of the window", body = TracesAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_traces(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let now_ns = query.now_ns();
    let search = span_query(raw.as_deref(), query.config(), now_ns)?;
    let found = query.search(search).await.map_err(problem)?;
    let cut = cut_text(&found.completeness);
    let traces = found
        .traces
        .iter()
        .map(|trace| TraceSummary::new(trace.trace_id, header(&Tree::build(merge(&trace.rows)))));
    fresh(&TracesAnswer { as_of: to_rfc3339(now_ns), complete: cut.is_none(), cut, traces: traces.collect() })
}
