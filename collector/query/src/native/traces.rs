//! `GET /tracepact/v1/traces`: search, sorted and in pages.

mod cursor;
mod filter;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_analysis::{Header, Tree, header, merge};
use tracepact_base::time_format::to_rfc3339;
use tracepact_base::{ErrorKind, TraceId};
use tracepact_listener::Problem;
use tracepact_store::{Completeness, SpanQuery, StoreError};
use utoipa::ToSchema;

use super::answer::{fresh, problem, us};
use crate::params::Params;
use crate::service::cut_text;
use crate::walk::Walk;
use crate::{Query, QueryConfig};

pub(crate) use cursor::{Cursor, Sort};
pub(crate) use filter::Filter;

const LIMIT_DEFAULT: usize = 20;

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
    /// The traces, in the order asked for.
    pub traces: Vec<TraceSummary>,
    /// What to give as `cursor` for the traces after these; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
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
    /// From the first start to the last end, hosts whose clocks are behind moved, in microseconds.
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

/// A search with its order and page.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<Cursor>,
}

impl Asked {
    /// Reads the parameters.
    pub(crate) fn of(raw: Option<&str>, config: &QueryConfig, now_ns: u64) -> Result<Self, Problem> {
        let mut params = Params::of(raw)?;
        let sort = match params.text("sort")? {
            None => Sort::Newest,
            Some(name) => Sort::from_name(&name).ok_or_else(|| {
                Problem::invalid(format!("sort is newest, longest, most_spans or most_errors, not {name:?}"))
            })?,
        };
        let cursor = params.text("cursor")?.map(|text| Cursor::parse(&text, sort)).transpose()?;
        let mut filter = Filter::of(&mut params, now_ns)?;
        let limit = params.limit("limit", LIMIT_DEFAULT, config.traces_max)?;
        params.finish()?;
        if let Some(cursor) = &cursor {
            // All pages are of the window of the first, whatever "now" is meanwhile.
            (filter.search.start_ns, filter.search.end_ns) = (cursor.start_ns, cursor.end_ns);
        }
        Ok(Self { filter, sort, limit, cursor })
    }
}

/// The conditions alone, as [`SpanQuery`]: for the fuzz target.
pub(crate) fn span_query(raw: Option<&str>, config: &QueryConfig, now_ns: u64) -> Result<SpanQuery, Problem> {
    Asked::of(raw, config, now_ns).map(|asked| SpanQuery { limit: asked.limit, ..asked.filter.search })
}

/// Refuses where searching is off.
pub(super) fn search_allowed(config: &QueryConfig) -> Result<(), Problem> {
    if config.search_enabled {
        return Ok(());
    }
    Err(Problem::new(
        ErrorKind::Forbidden,
        "searching is off here (query.search_enabled): traces are found by id only",
    ))
}

/// One trace of a page: its place in the order, and its line. Compared by place alone.
struct Found {
    place: Cursor,
    summary: Option<TraceSummary>,
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.place.key() == other.place.key()
    }
}

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.key().cmp(&other.place.key())
    }
}

/// The page, and whether there is more.
async fn page(asked: &Asked, walk: &mut Walk<'_>) -> Result<(Vec<Found>, bool), StoreError> {
    let Asked { filter, sort, limit, cursor } = asked;
    // Newest: the walk's own order, begun behind the cursor and ended when the page is full. Else the whole window is
    // looked at, and the best are kept.
    let by_time = *sort == Sort::Newest;
    let place = cursor.as_ref().filter(|_| by_time).map(|cursor| (cursor.at_ns, cursor.trace_id));
    let mut best: BinaryHeap<Reverse<Found>> = BinaryHeap::new();
    let wanted = if by_time { *limit } else { usize::MAX };
    let window = (filter.search.start_ns, filter.search.end_ns);
    let look = |hit: tracepact_store::TraceHit, trace: tracepact_store::TraceRows| {
        let header = header(&Tree::build(merge(&trace.rows)));
        if !filter.takes(&header) {
            return ControlFlow::Continue(());
        }
        let place = Cursor::at(*sort, &header, (hit.timestamp_ns, hit.trace_id), window);
        if cursor.as_ref().is_none_or(|cursor| place.key() < cursor.key()) {
            best.push(Reverse(Found { place, summary: Some(TraceSummary::new(hit.trace_id, header)) }));
            if best.len() > limit + 1 {
                best.pop();
            }
        }
        if by_time && best.len() > *limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    walk.each(&filter.search, place, wanted, look).await?;
    let mut page: Vec<Found> = best.into_sorted_vec().into_iter().map(|Reverse(found)| found).collect();
    let more = page.len() > *limit;
    page.truncate(*limit);
    Ok((page, more))
}

/// Finds traces. All conditions must hold; with `service` they must hold on spans of that service.
#[utoipa::path(
    get,
    path = "/tracepact/v1/traces",
    tag = "traces",
    params(
        ("service" = Option<String>, Query, description = "A service of the trace, any case"),
        ("remote_service" = Option<String>, Query, description = "The other side of a span, any case"),
        ("name" = Option<String>, Query, description = "Operation name of a span, any case"),
        ("tag" = Option<Vec<String>>, Query, description = "`key=value` that a span carries, or a key that must exist; may be repeated"),
        ("errors" = Option<bool>, Query, description = "`true`: a span failed"),
        ("scope" = Option<String>, Query, description = "On which spans the conditions must hold: `service` (those of the service, possibly different ones; unless given), `span` (one and the same), `trace` (any)"),
        ("min_duration_us" = Option<f64>, Query, description = "A span took at least this long"),
        ("max_duration_us" = Option<f64>, Query, description = "The same span took at most this long"),
        ("min_trace_duration_us" = Option<f64>, Query, description = "The trace took at least this long, from its first start to its last end"),
        ("max_trace_duration_us" = Option<f64>, Query, description = "The trace took at most this long"),
        ("start" = Option<String>, Query, description = "Traces that began at or after; an hour before `end` unless given"),
        ("end" = Option<String>, Query, description = "Traces that began at or before; now unless given"),
        ("sort" = Option<String>, Query, description = "`newest` (unless given), `longest`, `most_spans`, `most_errors`"),
        ("limit" = Option<u32>, Query, description = "Most traces in the answer; 20 unless given"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before, with the same conditions and sort; its window holds"),
    ),
    responses(
        (status = 200, description = "The first traces in that order", body = TracesAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
        (status = 403, description = "Searching is off here", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_traces(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    search_allowed(query.config())?;
    let now_ns = query.now_ns();
    let asked = Asked::of(raw.as_deref(), query.config(), now_ns)?;
    let mut walk = Walk::new(&query);
    let (mut page, more) = query.bounded(page(&asked, &mut walk)).await.map_err(problem)?;
    let mut bytes = 0;
    let (all, bytes_max) = (page.len(), query.config().answer_bytes_max);
    page.retain(|found| {
        let services = found.summary.as_ref().map_or(0, |one| one.services.iter().map(|s| s.len() + 4).sum());
        bytes += 256 + services;
        bytes <= bytes_max
    });
    if page.len() < all {
        walk.cut("answer_bytes_max");
    }
    let next = match page.last() {
        Some(last) if more || page.len() < all => Some(last.place),
        // A walk that a limit ended goes on behind the last trace it looked at, found or not.
        _ if walk.completeness != Completeness::Complete && asked.sort == Sort::Newest => {
            let window = (asked.filter.search.start_ns, asked.filter.search.end_ns);
            walk.last.map(|last| Cursor::at(Sort::Newest, &Header::default(), last, window))
        }
        _ => None,
    };
    let next = next.map(|next| next.to_string());
    let cut = cut_text(&walk.completeness);
    let traces = page.into_iter().filter_map(|found| found.summary).collect();
    fresh(&TracesAnswer { as_of: to_rfc3339(now_ns), complete: cut.is_none(), cut, traces, next })
}
