//! `GET /tracepact/v1/traces/{trace_id}/spans`: what some spans of a trace say, all of it.

use std::collections::HashSet;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_base::SpanId;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use utoipa::ToSchema;

use super::analysed::{analysed, trace_id};
use super::span::{TraceSpan, span};
use crate::Query;
use crate::native::answer::fresh;
use crate::params::Params;

/// Most ids in one question, and most spans in one answer: an id may have many spans.
const IDS_MAX: usize = 90;
const SPANS_MAX: usize = 1_000;

/// Spans in full.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpansAnswer {
    /// When this was true; late fragments may still arrive.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether everything stored of these spans is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The trace, 16 or 32 hex digits.
    pub trace_id: String,
    /// The spans, in the order of the skeleton; both halves of a shared id.
    pub spans: Vec<TraceSpan>,
}

/// Reads the ids.
pub(in crate::native) fn span_ids(raw: Option<&str>) -> Result<HashSet<SpanId>, Problem> {
    let mut params = Params::of(raw)?;
    let texts = params.many("span_id");
    params.finish()?;
    if texts.is_empty() || texts.len() > IDS_MAX {
        return Err(Problem::invalid(format!(
            "span_id is given {} times: 1 to {IDS_MAX} spans are told at once",
            texts.len()
        )));
    }
    let id = |text: &String| {
        text.trim().parse().map_err(|error: tracepact_base::IdError| {
            Problem::invalid(format!("{text:?} is not a span id: {error}"))
        })
    };
    texts.iter().map(id).collect()
}

/// What some spans say: tags, events, links. Ids that are not in the trace are left out.
#[utoipa::path(
    get,
    path = "/tracepact/v1/traces/{trace_id}/spans",
    tag = "traces",
    params(
        ("trace_id" = String, Path, description = "1 to 32 hex digits; short ids are padded"),
        ("span_id" = Vec<String>, Query, description = "1 to 16 hex digits; may be given 90 times"),
    ),
    responses(
        (status = 200, description = "The spans in full", body = SpansAnswer),
        (status = 400, description = "Not an id, or too many", content_type = "application/problem+json"),
        (status = 404, description = "No span of this trace is stored", content_type = "application/problem+json"),
    )
)]
pub(in crate::native) async fn get_spans(
    State(query): State<Query>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let id = trace_id(&id)?;
    let wanted = span_ids(raw.as_deref())?;
    let now_ns = query.now_ns();
    let trace = analysed(&query, id).await?;
    let critical_ns = trace.critical_ns();
    let nodes = trace.tree.nodes.iter().enumerate();
    let found: Vec<usize> =
        nodes.filter(|(_, node)| wanted.contains(&node.span.span_id)).map(|(index, _)| index).collect();
    let mut cuts = trace.cuts.clone();
    if found.len() > SPANS_MAX {
        cuts.push(format!("the first {SPANS_MAX} of {} spans are listed", found.len()));
    }
    let cut = if cuts.is_empty() { None } else { Some(cuts.join("; ")) };
    fresh(&SpansAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        trace_id: trace.trace_id.to_string(),
        spans: found
            .into_iter()
            .take(SPANS_MAX)
            .map(|index| span(&trace, index, critical_ns[index]))
            .collect(),
    })
}
