//! The trait in front of time-series storage: breakers, bulkheads, back-pressure, lag. Kept one week by default.

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use crate::{Completeness, ReadCtx, StoreError};

/// Label names and values of a series, sorted by name.
pub type Labels = BTreeMap<String, String>;

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Metric name, units last: `tracepact_consumer_lag_messages`.
    pub name: String,
    /// Labels: `service`, `instance`, `breaker`, `group`, `topic`, `partition`, …
    pub labels: Labels,
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
    /// The value. Unknown is no point at all, never 0.
    pub value: f64,
}

/// One series and the part of it that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Metric name.
    pub name: String,
    /// Labels.
    pub labels: Labels,
    /// (nanoseconds since 1970, value), oldest first.
    pub points: Vec<(u64, f64)>,
}

/// Which series and which part of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesQuery {
    /// Metric name; `None` for all.
    pub name: Option<String>,
    /// Labels that must be equal.
    pub labels: Labels,
    /// From (inclusive), nanoseconds since 1970.
    pub start_ns: u64,
    /// To (inclusive).
    pub end_ns: u64,
    /// `true`: only the newest point of each series within the window.
    pub latest_only: bool,
}

/// Answer to a [`SeriesQuery`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesAnswer {
    /// The series, sorted by name and labels.
    pub series: Vec<Series>,
    /// How the read ended.
    pub completeness: Completeness,
}

/// Durable storage of points.
pub trait SeriesStore: Send + Sync {
    /// Keeps points; resolves after the sync. A point of a series at the same instant replaces the earlier one.
    /// Refuses new series beyond the cardinality limit with `Exhausted`, naming the limit.
    fn append_points(&self, points: Vec<Point>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The matching series.
    fn select(&self, query: SeriesQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<SeriesAnswer, StoreError>>;
}
