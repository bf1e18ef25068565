//! Where spans, series and events are kept: the traits every reader and writer goes through, and the embedded engine.
//!
//! Place on the map: `ingest` and `jobs` write, `query`, `jobs` and `export` read. Nothing here knows a wire dialect.
//!
//! What it deliberately does not do: merge fragments, correct clocks, build trees (that is `analysis`).

pub mod error;
pub mod event_store;
pub mod read;
pub mod series_store;
pub mod span_store;

pub use error::StoreError;
pub use event_store::{EventQuery, EventStore};
pub use read::{Completeness, ReadCtx};
pub use series_store::{Labels, Point, Series, SeriesAnswer, SeriesQuery, SeriesStore};
pub use span_store::{
    Durable, NameKind, Names, NamesQuery, Predicate, Scope, SearchAnswer, SpanQuery, SpanStore, TraceHit,
    TraceRows,
};
