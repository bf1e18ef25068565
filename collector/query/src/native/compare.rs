//! `GET /tracepact/v1/traces/compare`: what failed or slow traces have that the others have not.

use std::ops::ControlFlow;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_analysis::{Comparison, Difference, Header, Level, Tree, header, merge};
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use utoipa::ToSchema;

use super::answer::{fresh, problem, us};
use super::traces::{Filter, search_allowed};
use crate::params::Params;
use crate::service::cut_text;
use crate::walk::Walk;
use crate::{Query, QueryConfig};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 1_000;
/// Keys named as left out.
const LEFT_OUT_MAX: usize = 100;
/// Most durations kept to find the slowest twentieth.
const DURATIONS_MAX: usize = 1_000_000;

/// Attributes by how much their share differs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CompareAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every trace that matches is counted.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// What was selected: `errors` or `slow`.
    pub select: &'static str,
    /// From which length on a trace is slow, in microseconds; absent when failed ones were selected, or none has a length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slower_than_us: Option<f64>,
    /// Traces selected.
    pub selected_count: u64,
    /// The other traces of the window that meet the conditions.
    pub rest_count: u64,
    /// The greatest differences first, whichever way.
    pub differences: Vec<AttributeDifference>,
    /// Keys with a value of their own in nearly every trace: ids and times tell nothing.
    pub left_out: Vec<String>,
}

/// One attribute on both sides. A trace has it when any of its spans has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttributeDifference {
    /// `intrinsic` (`service`, `name`, `kind`, `remote_service`), `span` or `resource`.
    pub level: &'static str,
    /// The key.
    pub key: String,
    /// The value as text, its first 200 bytes.
    pub value: String,
    /// Selected traces that have it.
    pub selected_count: u64,
    /// Others that have it.
    pub rest_count: u64,
    /// Share of the selected that have it, 0 to 1.
    pub selected_share: f64,
    /// Share of the others, 0 to 1.
    pub rest_share: f64,
    /// The first share less the second.
    pub difference: f64,
}

impl From<Difference> for AttributeDifference {
    fn from(one: Difference) -> Self {
        Self {
            level: match one.level {
                Level::Intrinsic => "intrinsic",
                Level::Span => "span",
                Level::Resource => "resource",
            },
            difference: one.difference(),
            key: one.key,
            value: one.value,
            selected_count: one.selected,
            rest_count: one.rest,
            selected_share: one.selected_share,
            rest_share: one.rest_share,
        }
    }
}

/// Which traces are compared with the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Select {
    /// Those with a span that failed.
    Errors,
    /// Those at least this long, in nanoseconds; `None`: the slowest twentieth.
    Slow(Option<u64>),
}

/// Reads the parameters.
pub(crate) fn asked(
    raw: Option<&str>,
    _: &QueryConfig,
    now_ns: u64,
) -> Result<(Filter, Select, usize), Problem> {
    let mut params = Params::of(raw)?;
    let slower_ns = params.microseconds("slower_than_us")?;
    let select = match params.text("select")?.as_deref() {
        Some("errors") if slower_ns.is_some() => {
            return Err(Problem::invalid("slower_than_us belongs to select=slow"));
        }
        Some("errors") => Select::Errors,
        Some("slow") => Select::Slow(slower_ns),
        other => {
            let given = other.map_or("is missing".to_owned(), |other| format!("is {other:?}"));
            return Err(Problem::invalid(format!("select is errors or slow; it {given}")));
        }
    };
    let limit = params.limit("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    let filter = Filter::of(&mut params, now_ns)?;
    params.finish()?;
    Ok((filter, select, limit))
}

/// Compares failed or slow traces with the rest of the window.
#[utoipa::path(
    get,
    path = "/tracepact/v1/traces/compare",
    tag = "traces",
    params(
        ("select" = String, Query, description = "`errors`: traces with a span that failed; `slow`: the long ones"),
        ("slower_than_us" = Option<f64>, Query, description = "With `slow`: from which length on; the slowest twentieth unless given"),
        ("service" = Option<String>, Query, description = "As in the search, like all conditions: they say what both sides are taken from"),
        ("remote_service" = Option<String>, Query, description = "As in the search"),
        ("name" = Option<String>, Query, description = "As in the search"),
        ("tag" = Option<Vec<String>>, Query, description = "As in the search"),
        ("errors" = Option<bool>, Query, description = "As in the search"),
        ("scope" = Option<String>, Query, description = "As in the search"),
        ("min_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("max_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("min_trace_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("max_trace_duration_us" = Option<f64>, Query, description = "As in the search"),
        ("start" = Option<String>, Query, description = "As in the search"),
        ("end" = Option<String>, Query, description = "As in the search"),
        ("limit" = Option<u32>, Query, description = "Most differences, 1 to 1000; 50 unless given"),
    ),
    responses(
        (status = 200, description = "Attributes by how much their share differs", body = CompareAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
        (status = 403, description = "Searching is off here", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_compare(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    search_allowed(query.config())?;
    let now_ns = query.now_ns();
    let (filter, select, limit) = asked(raw.as_deref(), query.config(), now_ns)?;
    let mut walk = Walk::new(&query);
    let slower_ns = match select {
        Select::Errors => None,
        Select::Slow(Some(given)) => Some(given),
        Select::Slow(None) => query.bounded(slowest_twentieth(&mut walk, &filter)).await.map_err(problem)?,
    };
    let selected = |header: &Header| match select {
        Select::Errors => header.error_count > 0,
        Select::Slow(_) => header.duration_ns.zip(slower_ns).is_some_and(|(took, bound)| took >= bound),
    };
    let mut comparison = Comparison::new();
    let walked = walk.each(&filter.search, None, usize::MAX, |_, trace| {
        let tree = Tree::build(merge(&trace.rows));
        let header = header(&tree);
        if filter.takes(&header) {
            comparison.add(selected(&header), tree.nodes.iter().map(|node| &node.span));
        }
        ControlFlow::Continue(())
    });
    query.bounded(walked).await.map_err(problem)?;
    let mut compared = comparison.rank(limit);
    if compared.cut {
        walk.cut("different values");
    }
    compared.left_out.truncate(LEFT_OUT_MAX);
    let cut = cut_text(&walk.completeness);
    fresh(&CompareAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        select: if select == Select::Errors { "errors" } else { "slow" },
        slower_than_us: slower_ns.map(us),
        selected_count: compared.selected,
        rest_count: compared.rest,
        differences: compared.differences.into_iter().map(AttributeDifference::from).collect(),
        left_out: compared.left_out,
    })
}

/// The length from which on a trace is among the slowest twentieth: the nearest-rank 95th percentile.
async fn slowest_twentieth(
    walk: &mut Walk<'_>,
    filter: &Filter,
) -> Result<Option<u64>, tracepact_store::StoreError> {
    let mut durations: Vec<u64> = Vec::new();
    walk.each(&filter.search, None, usize::MAX, |_, trace| {
        let header = header(&Tree::build(merge(&trace.rows)));
        if filter.takes(&header) {
            durations.extend(header.duration_ns);
        }
        if durations.len() < DURATIONS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .await?;
    let rank = (durations.len() * 95).div_ceil(100);
    durations.sort_unstable();
    Ok(rank.checked_sub(1).and_then(|index| durations.get(index)).copied())
}
