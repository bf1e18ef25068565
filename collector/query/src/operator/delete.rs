//! `DELETE /tracepact/v1/traces/{trace_id}` and `POST /tracepact/v1/traces/delete`.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_base::time_format::to_rfc3339;
use tracepact_base::{ErrorKind, TraceId};
use tracepact_listener::Problem;
use tracepact_store::{DELETE_TRACES_MAX, Deleted, Deletion, SpanQuery};
use utoipa::ToSchema;

use super::Operator;
use crate::native::answer::{fresh, problem};
use crate::native::traces::Filter;
use crate::params::Params;
use crate::service::cut_text;

/// Traces that one request deletes unless it says otherwise.
const LIMIT_DEFAULT: usize = 1_000;

/// What a deletion did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeletedAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// The traces that no query shows any more; with `dry_run` those that would be deleted.
    pub traces: Vec<String>,
    /// Whether everything that matches is in the list: `false` when the limit was reached (ask again for the rest) or
    /// something could not be read.
    pub complete: bool,
    /// What is missing, when not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Nothing was deleted: only looked.
    pub dry_run: bool,
    /// Deleted traces whose rows are hidden and not yet off the disk.
    pub pending_traces: u64,
}

fn answer(operator: &Operator, deleted: Deleted, dry_run: bool) -> Result<Response, Problem> {
    let cut = match cut_text(&deleted.completeness) {
        None if deleted.more => Some("the limit was reached; more may match".to_owned()),
        cut => cut,
    };
    fresh(&DeletedAnswer {
        as_of: to_rfc3339(operator.query.now_ns()),
        traces: deleted.traces.iter().map(ToString::to_string).collect(),
        complete: cut.is_none(),
        cut,
        dry_run,
        pending_traces: operator.store.pending().traces,
    })
}

/// Deletes one trace: what was received of it so far. Hidden from every answer once this is answered, durably; its rows
/// leave the disk with the next sealing and compaction. Spans of the trace that arrive later are kept.
#[utoipa::path(
    delete,
    path = "/tracepact/v1/traces/{trace_id}",
    tag = "operator",
    params(("trace_id" = String, Path, description = "1 to 32 lower-case hex digits")),
    responses(
        (status = 200, description = "The trace is gone from every answer", body = DeletedAnswer),
        (status = 400, description = "Not a trace id", content_type = "application/problem+json"),
        (status = 401, description = "Needs a token with the admin scope", content_type = "application/problem+json"),
        (status = 404, description = "No such trace", content_type = "application/problem+json"),
        (status = 429, description = "Too many deletions are pending; try again after compaction", content_type = "application/problem+json"),
        (status = 503, description = "The store is read-only", content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_trace(
    State(operator): State<Operator>,
    Path(text): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let mut params = Params::of(raw.as_deref())?;
    let dry_run = params.flag("dry_run")?.unwrap_or(false);
    params.finish()?;
    let id: TraceId =
        text.parse().map_err(|error| Problem::invalid(format!("{text:?} is not a trace id: {error}")))?;
    let ctx = operator.query.config().ctx();
    let deleting = operator.store.delete(Deletion::Traces(vec![id]), dry_run, ctx);
    let deleted = operator.query.bounded(deleting).await.map_err(problem)?;
    if deleted.traces.is_empty() {
        return Err(Problem::new(ErrorKind::NotFound, format!("there is no trace {id}")));
    }
    answer(&operator, deleted, dry_run)
}

/// Deletes the traces that a search finds: the conditions are those of `GET /tracepact/v1/traces`. At least one
/// condition, or the window, must be named; at most `limit` traces go, those nearest to the end of the window first.
#[utoipa::path(
    post,
    path = "/tracepact/v1/traces/delete",
    tag = "operator",
    params(
        ("service" = Option<String>, Query, description = "A service of the trace, any case"),
        ("remote_service" = Option<String>, Query, description = "A service that a span called or was called by, any case"),
        ("name" = Option<String>, Query, description = "Operation name of a span, any case"),
        ("tag" = Option<Vec<String>>, Query, description = "`key=value` that a span carries, or a key that must exist; may be repeated"),
        ("errors" = Option<bool>, Query, description = "`true`: a span failed"),
        ("min_duration_us" = Option<f64>, Query, description = "A span took at least this long"),
        ("max_duration_us" = Option<f64>, Query, description = "The same span took at most this long"),
        ("scope" = Option<String>, Query, description = "As in a search: `service`, `span` or `trace`"),
        ("start" = Option<String>, Query, description = "Traces that began at or after; an hour before `end` unless given"),
        ("end" = Option<String>, Query, description = "Traces that began at or before; now unless given"),
        ("limit" = Option<u32>, Query, description = "Most traces deleted by this request; 1,000 unless given"),
        ("dry_run" = Option<bool>, Query, description = "`true`: only say which traces would go"),
    ),
    responses(
        (status = 200, description = "These traces are gone from every answer", body = DeletedAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds, or nothing limits the deletion", content_type = "application/problem+json"),
        (status = 401, description = "Needs a token with the admin scope", content_type = "application/problem+json"),
        (status = 429, description = "Too many deletions are pending; try again after compaction", content_type = "application/problem+json"),
        (status = 503, description = "The store is read-only", content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_matching(
    State(operator): State<Operator>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let (search, dry_run) = asked(raw.as_deref(), operator.query.now_ns())?;
    let ctx = operator.query.config().ctx();
    let deleting = operator.store.delete(Deletion::Matching(search), dry_run, ctx);
    let deleted = operator.query.bounded(deleting).await.map_err(problem)?;
    answer(&operator, deleted, dry_run)
}

/// Which traces are meant, and whether they are only looked for.
fn asked(raw: Option<&str>, now_ns: u64) -> Result<(SpanQuery, bool), Problem> {
    let windowed = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes())
        .any(|(key, value)| (key == "start" || key == "end") && !value.trim().is_empty());
    let mut params = Params::of(raw)?;
    let dry_run = params.flag("dry_run")?.unwrap_or(false);
    let filter = Filter::of(&mut params, now_ns)?;
    let limit = params.limit("limit", LIMIT_DEFAULT, DELETE_TRACES_MAX)?;
    params.finish()?;
    if filter.trace_duration_ns != (0, None) {
        return Err(Problem::invalid(
            "the length of a whole trace is no condition of a deletion: find such traces and delete them by id",
        ));
    }
    if filter.search.predicates.is_empty() && !windowed {
        return Err(Problem::invalid(
            "nothing says which traces are to be deleted: name a service, a tag or another condition, or start and end",
        ));
    }
    Ok((SpanQuery { limit, ..filter.search }, dry_run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_is_limited_by_something_and_heeds_every_condition_or_refuses_it() {
        let (search, dry_run) = asked(Some("tag=a%3Db&dry_run=true&service=X"), 5).unwrap();
        assert_eq!((search.predicates.len(), search.limit, dry_run), (2, LIMIT_DEFAULT, true));
        assert!(asked(Some("start=2026-11-21T00:00:00Z"), u64::MAX / 2).unwrap().0.predicates.is_empty());
        for refused in [
            None,
            Some("limit=5"),
            Some("start="),
            Some("service=x&min_trace_duration_us=5"),
            Some("service=x&sort=longest"),
            Some("service=x&limit=10001"),
            Some("service=x&dry_run=maybe"),
        ] {
            assert!(asked(refused, 5).is_err(), "{refused:?}");
        }
    }
}
