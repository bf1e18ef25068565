//! `traces`, `trace/{traceId}`, `traceMany`: raw rows as they were received, in Zipkin's JSON.

use axum::extract::{Path, RawQuery, State};
use tracepact_model::zipkin_json::write_list;
use tracepact_model::zipkin_view::NameCase;
use tracepact_store::{Completeness, TraceRows};

use super::refusal::Refusal;
use super::request::{self, Parameters};
use super::{Answer, json};
use crate::Query;
use crate::service::{Found, worse};

/// Most ids in one `traceMany`.
const IDS_MAX: usize = 1_000;

pub(super) async fn search(State(query): State<Query>, RawQuery(raw): RawQuery) -> Answer {
    let parameters = Parameters::of(raw.as_deref());
    let search = request::span_query(&parameters, query.config(), query.now_ns())?;
    if !query.config().search_enabled {
        return Ok(json("[]", &Completeness::Complete));
    }
    let (limit, bound) = (search.limit, query.config().traces_max);
    let mut found = query.search(search).await?;
    let asked = parameters.number("limit")?.and_then(|limit| usize::try_from(limit).ok());
    if found.traces.len() >= limit && asked.is_some_and(|asked| asked > bound) {
        found.completeness = worse(found.completeness, Completeness::Cut { limit: "traces_max".to_owned() });
    }
    let (body, completeness) = lists(found, query.config().answer_bytes_max);
    Ok(json(body, &completeness))
}

pub(super) async fn one(State(query): State<Query>, Path(id): Path<String>) -> Answer {
    let id = request::trace_id(&id)?;
    let found = query.traces(vec![id]).await?;
    let Some(TraceRows { rows, .. }) = found.traces.first().filter(|trace| !trace.rows.is_empty()) else {
        return Err(Refusal::not_found(format!("{id} not found")));
    };
    let mut body = String::new();
    write_list(rows, NameCase::Lower, &mut body);
    Ok(json(body, &found.completeness))
}

pub(super) async fn many(State(query): State<Query>, RawQuery(raw): RawQuery) -> Answer {
    let parameters = Parameters::of(raw.as_deref());
    let ids = request::trace_ids(parameters.get("traceIds").unwrap_or(""), IDS_MAX)?;
    let found = query.traces(ids).await?;
    let (body, completeness) = lists(found, query.config().answer_bytes_max);
    Ok(json(body, &completeness))
}

/// `[[span,…],[span,…]]`, as many traces as fit.
fn lists(found: Found, bytes_max: usize) -> (String, Completeness) {
    let mut body = String::from("[");
    let mut completeness = found.completeness;
    for trace in found.traces.iter().filter(|trace| !trace.rows.is_empty()) {
        if body.len() > bytes_max {
            completeness = worse(completeness, Completeness::Cut { limit: "answer_bytes_max".to_owned() });
            break;
        }
        if body.len() > 1 {
            body.push(',');
        }
        write_list(&trace.rows, NameCase::Lower, &mut body);
    }
    body.push(']');
    (body, completeness)
}
