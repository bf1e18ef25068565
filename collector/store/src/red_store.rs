//! The trait in front of rate, errors and durations: counted as spans arrive, before sampling, by minute of receipt.

use futures::future::BoxFuture;
use tracepact_analysis::{Dimension, RedKey, RedRow};

use crate::{Completeness, ReadCtx, StoreError};

/// Which counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedQuery {
    /// By what.
    pub dimension: Dimension,
    /// Only this service's, any case; of edges those that it calls or that call it.
    pub service: Option<String>,
    /// From (inclusive), nanoseconds since 1970; the whole minute that it lies in.
    pub start_ns: u64,
    /// To (inclusive); the whole minute as well.
    pub end_ns: u64,
}

/// Counts of the window's minutes together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RedAnswer {
    /// Key and counts, those with most spans first; what there was too much of under a key that says so.
    pub rows: Vec<(RedKey, RedRow)>,
    /// How the read ended.
    pub completeness: Completeness,
}

/// Counts that are kept as durably as the spans that they are of.
pub trait RedStore: Send + Sync {
    /// The counts of a window.
    fn red(&self, query: RedQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<RedAnswer, StoreError>>;
}
