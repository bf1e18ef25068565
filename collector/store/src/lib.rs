//! Where spans, series and events are kept: the traits every reader and writer goes through, and the embedded engine.
//!
//! Place on the map: `ingest` and `jobs` write, `query`, `jobs` and `export` read. Nothing here knows a wire dialect.
//!
//! ```
//! use tracepact_base::SystemClock;
//! use tracepact_model::{Admission, Codec, DecodeLimits, SpanBatch, decode_chunk};
//! use tracepact_store::{Engine, EngineConfig, SpanStore};
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let dir = std::env::temp_dir().join(format!("tracepact-store-example-{}", std::process::id()));
//! let engine = Engine::open(&dir, EngineConfig::default(), SystemClock::shared())?;
//! let body = br#"[{"traceId":"463ac35c9f6413ad","id":"a2fb4a1d1a96d312","timestamp":1472470996199000}]"#;
//! let spans = decode_chunk(Codec::ZipkinJsonV2, body, &DecodeLimits::default()).unwrap().chunk;
//! let batch = SpanBatch {
//!     codec: Codec::ZipkinJsonV2,
//!     body: body.as_slice().into(),
//!     received_at_ns: 1,
//!     admission: Admission::default(),
//!     spans,
//! };
//! engine.append(batch).await?; // durable: a power loss from here on does not take it
//! engine.close();
//! # drop(engine);
//! # std::fs::remove_dir_all(&dir).unwrap();
//! # Ok::<(), tracepact_store::StoreError>(())
//! # }).unwrap();
//! ```
//!
//! What it deliberately does not do: merge fragments, correct clocks, build trees (that is `analysis`).

pub mod admin;
pub mod block;
mod budget;
pub mod conformance;
pub mod engine;
pub mod error;
mod eval;
pub mod event_store;
mod events;
pub mod fs;
mod hot;
mod links;
mod log;
mod part;
mod pool;
pub mod read;
mod red;
pub mod red_store;
mod search;
mod series;
mod series_block;
pub mod series_store;
mod series_wire;
pub mod span_store;
mod wire;

pub use admin::{DELETE_TRACES_MAX, Deleted, Deletion, Pending, StoreAdmin};
pub use engine::{
    Census, CheckReport, Engine, EngineConfig, ExportRow, Exported, FileSum, Finding, Health, MANIFEST_FILE,
    Manifest, ParquetFile, SNAPSHOTS_MAX, Stats, TableCensus, census_closed, check, check_on,
    snapshot_closed, snapshot_closed_on,
};
pub use error::StoreError;
pub use event_store::{EventQuery, EventStore};
pub use read::{Completeness, ReadCtx};
/// Counts of spans by what they are counted by, for [`SpanStore::append_counted`].
pub use tracepact_analysis::{
    Dimension, DurationHistogram, Exemplar, HISTOGRAM_SCALE, RedCounts, RedKey, RedRow,
};

pub use red_store::{RedAnswer, RedQuery, RedStore};
pub use series_store::{Labels, Point, Series, SeriesAnswer, SeriesQuery, SeriesStore};
pub use span_store::{
    Durable, LinksAnswer, NameKind, Names, NamesQuery, Predicate, Scanned, Scope, SearchAnswer, SpanQuery,
    SpanStore, TraceHit, TraceRows,
};
