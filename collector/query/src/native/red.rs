//! `GET /tracepact/v1/red`: rate, errors and durations of a window, by service, operation, version, instance or edge.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_base::TraceId;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_store::{Dimension, Exemplar, HISTOGRAM_SCALE, RedKey, RedQuery, RedRow};
use utoipa::ToSchema;

use super::answer::{fresh, problem};
use crate::Query;
use crate::params::{Params, window};
use crate::service::cut_text;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 2_000;
const MINUTE_NS: u64 = 60_000_000_000;
const WINDOW_DEFAULT_NS: u64 = 15 * MINUTE_NS;

/// Rate, errors and durations of a window.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RedAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether everything that was counted is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Start of the first minute.
    #[schema(format = DateTime)]
    pub start: String,
    /// End of the last minute, or now.
    #[schema(format = DateTime)]
    pub end: String,
    /// Share of traces that are kept; counts are of all spans, exemplars of the kept ones where the share is 1.
    pub sample_rate: f64,
    /// OTLP's scale of the histograms: class `i` holds durations above 2^(i/2^scale) ns, up to 2^((i+1)/2^scale) ns.
    pub histogram_scale: u32,
    /// Those with most spans first.
    pub rows: Vec<RedLine>,
}

/// Counts of one service, operation, version, instance or edge.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RedLine {
    /// The service; of an edge the calling one. Empty when senders do not say.
    pub service: String,
    /// Operation, version, instance or called service; absent by service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether this is the line of everything that there was too much of.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub other: bool,
    /// Spans.
    pub count: u64,
    /// Those that failed.
    pub error_count: u64,
    /// Spans in a second of the window.
    pub rate_per_s: f64,
    /// Failed spans of all, 0 to 1.
    pub error_share: f64,
    /// Mean duration in microseconds.
    pub mean_us: f64,
    /// Duration that half of the spans do not exceed, in microseconds, to within 5 percent.
    pub p50_us: f64,
    /// The same for 90 percent.
    pub p90_us: f64,
    /// The same for 99 percent.
    pub p99_us: f64,
    /// Trace of the slowest span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest_trace_id: Option<String>,
    /// Trace of the slowest span that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_trace_id: Option<String>,
    /// Durations of 0, then classes and their counts, when `histogram=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<RedHistogram>,
}

/// An exponential histogram of durations in nanoseconds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RedHistogram {
    /// Durations of 0.
    pub zero_count: u64,
    /// Pairs of a class and its count.
    pub classes: Vec<[u64; 2]>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) query: RedQuery,
    pub(crate) by_service: bool,
    pub(crate) limit: usize,
    pub(crate) histogram: bool,
}

/// Reads the parameters.
pub(crate) fn asked(raw: Option<&str>, now_ns: u64) -> Result<Asked, Problem> {
    let mut params = Params::of(raw)?;
    let (dimension, by_service) = match params.text("by")?.as_deref() {
        None | Some("service") => (Dimension::Operation, true),
        Some("operation") => (Dimension::Operation, false),
        Some("version") => (Dimension::Version, false),
        Some("instance") => (Dimension::Instance, false),
        Some("edge") => (Dimension::Edge, false),
        Some(other) => {
            let known = "service, operation, version, instance and edge";
            return Err(Problem::invalid(format!("by is {other:?}; {known} are known")));
        }
    };
    let service = params.text("service")?;
    let (start_ns, end_ns) = window(&mut params, WINDOW_DEFAULT_NS, now_ns)?;
    let limit = params.limit("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    let histogram = params.flag("histogram")?.unwrap_or(false);
    params.finish()?;
    Ok(Asked { query: RedQuery { dimension, service, start_ns, end_ns }, by_service, limit, histogram })
}

/// Rate, errors and durations of what services handle, and of the calls between them.
#[utoipa::path(
    get,
    path = "/tracepact/v1/red",
    tag = "traces",
    description = "Counted as spans arrive, before sampling, by the minute of receipt: SERVER and CONSUMER spans by service, \
                   operation, version and instance; CLIENT and PRODUCER spans that name the other side by edge.",
    params(
        ("by" = Option<String>, Query, description = "`service` (unless given), `operation`, `version`, `instance` or `edge`"),
        ("service" = Option<String>, Query, description = "Only this service, any case; of edges those from it and to it"),
        ("start" = Option<String>, Query, description = "From, RFC 3339 or Unix milliseconds; the minute that it lies in. 15 minutes before the end unless given"),
        ("end" = Option<String>, Query, description = "To; now unless given"),
        ("limit" = Option<u32>, Query, description = "Most lines, up to 2000; 100 unless given"),
        ("histogram" = Option<bool>, Query, description = "Whether the histograms are wanted as well"),
    ),
    responses(
        (status = 200, description = "Lines, those with most spans first", body = RedAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of bounds", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_red(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let now_ns = query.now_ns();
    let Asked { query: select, by_service, limit, histogram } = asked(raw.as_deref(), now_ns)?;
    let start_ns = select.start_ns / MINUTE_NS * MINUTE_NS;
    let end_ns = (select.end_ns / MINUTE_NS + 1).saturating_mul(MINUTE_NS).min(now_ns.max(start_ns + 1));
    let answer = query.bounded(query.inner.red.red(select, query.config().ctx())).await.map_err(problem)?;
    let rows = if by_service { of_services(answer.rows) } else { answer.rows };
    let seconds = (end_ns.saturating_sub(start_ns)).max(1) as f64 / 1e9;
    let all = rows.len();
    let lines = rows.into_iter().take(limit);
    let line = |(key, row)| line(key, &row, seconds, by_service, histogram);
    let rows: Vec<RedLine> = lines.map(line).collect();
    let left = (all > rows.len()).then(|| format!("limit: {} of {all} lines are here", rows.len()));
    let cut = cut_text(&answer.completeness).or(left);
    fresh(&RedAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        start: to_rfc3339(start_ns),
        end: to_rfc3339(end_ns),
        sample_rate: query.config().sample_rate,
        histogram_scale: HISTOGRAM_SCALE,
        rows,
    })
}

/// Operations of a service together.
fn of_services(rows: Vec<(RedKey, RedRow)>) -> Vec<(RedKey, RedRow)> {
    let mut services: BTreeMap<RedKey, RedRow> = BTreeMap::new();
    for (key, row) in rows {
        services.entry(RedKey { name: "".into(), ..key }).or_default().merge(&row);
    }
    let mut services: Vec<_> = services.into_iter().collect();
    services.sort_by_key(|(_, row)| std::cmp::Reverse(row.durations.count()));
    services
}

fn line(key: RedKey, row: &RedRow, seconds: f64, by_service: bool, histogram: bool) -> RedLine {
    let count = row.durations.count();
    let share = |part: u64| if count == 0 { 0.0 } else { part as f64 / count as f64 };
    let quantile = |share: f64| row.durations.quantile_ns(share).unwrap_or(0.0) / 1_000.0;
    let id = |exemplar: Option<Exemplar>| Some(TraceId::new(exemplar?.trace_id)?.to_string());
    let (zero_count, classes) = row.durations.parts();
    let classes = || classes.iter().map(|(class, count)| [u64::from(*class), *count]).collect();
    RedLine {
        service: key.service.as_ref().to_owned(),
        name: (!by_service).then(|| key.name.as_ref().to_owned()),
        other: key.other,
        count,
        error_count: row.errors,
        rate_per_s: count as f64 / seconds,
        error_share: share(row.errors),
        mean_us: share(row.sum_ns) / 1_000.0,
        p50_us: quantile(0.5),
        p90_us: quantile(0.9),
        p99_us: quantile(0.99),
        slowest_trace_id: id(row.slowest),
        failed_trace_id: id(row.failed),
        histogram: histogram.then(|| RedHistogram { zero_count, classes: classes() }),
    }
}
