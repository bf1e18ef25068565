//! `GET /tracepact/v1/series`: stored measurements.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_store::{Completeness, Labels, Series, SeriesQuery};
use utoipa::ToSchema;

use super::answer::{fresh, problem};
use crate::Query;
use crate::params::{Params, window};
use crate::service::{cut_text, worse};

/// The window when the question names none: the last hour.
const WINDOW_DEFAULT_NS: u64 = 3_600_000_000_000;

/// Series found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SeriesAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every point that matches is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The series, by name and labels.
    pub series: Vec<SeriesPoints>,
}

/// One series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SeriesPoints {
    /// Metric name.
    pub name: String,
    /// Labels.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// (milliseconds since 1970, value), oldest first.
    pub points: Vec<(u64, f64)>,
}

/// Stored measurements of breakers, bulkheads, consumers and flows.
#[utoipa::path(
    get,
    path = "/tracepact/v1/series",
    tag = "series",
    params(
        ("name" = Option<String>, Query, description = "Metric name, for example `tracepact_consumer_lag_messages`; this or a label is needed"),
        ("label.{name}" = Option<String>, Query, description = "A label that must be equal, for example `label.group=payments`; may be repeated"),
        ("start" = Option<String>, Query, description = "From; an hour before `end` unless given"),
        ("end" = Option<String>, Query, description = "To; now unless given"),
    ),
    responses(
        (status = 200, description = "The series", body = SeriesAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_series(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let now_ns = query.now_ns();
    let select = series_query(raw.as_deref(), now_ns)?;
    let ctx = query.config().ctx();
    let answer = query.bounded(query.inner.series.select(select, ctx)).await.map_err(problem)?;
    let (series, cut) = bounded(answer.series, query.config().points_max);
    let cut = cut_text(&worse(answer.completeness, cut));
    fresh(&SeriesAnswer { as_of: to_rfc3339(now_ns), complete: cut.is_none(), cut, series })
}

/// Reads the parameters.
pub(crate) fn series_query(raw: Option<&str>, now_ns: u64) -> Result<SeriesQuery, Problem> {
    let mut params = Params::of(raw)?;
    let name = params.text("name")?;
    let labels: Labels = params.prefixed("label.").into_iter().collect();
    if name.is_none() && labels.is_empty() {
        return Err(Problem::invalid(
            "name the series: name=tracepact_breaker_state, or label.service=orders",
        ));
    }
    let (start_ns, end_ns) = window(&mut params, WINDOW_DEFAULT_NS, now_ns)?;
    params.finish()?;
    Ok(SeriesQuery { name, labels, start_ns, end_ns, latest_only: false })
}

/// As many whole series as fit.
fn bounded(all: Vec<Series>, points_max: usize) -> (Vec<SeriesPoints>, Completeness) {
    let mut points = 0;
    let mut series = Vec::new();
    for one in all {
        points += one.points.len();
        if points > points_max && !series.is_empty() {
            let limit = format!("points_max ({points_max}): ask for a shorter window or fewer series");
            return (series, Completeness::Cut { limit });
        }
        let in_ms = one.points.into_iter().map(|(at_ns, value)| (at_ns / 1_000_000, value));
        series.push(SeriesPoints { name: one.name, labels: one.labels, points: in_ms.collect() });
    }
    (series, Completeness::Complete)
}
