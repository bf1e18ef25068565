//! Every API that reads: Zipkin's v2 GETs and the native API, over one service.
//!
//! Place on the map: `tracepact` merges [`zipkin_routes`] and [`native_routes`] into the main port. A dialect parses
//! its own parameters into one `SpanQuery`, the store answers rows, `analysis` says what they mean, the dialect writes
//! its own form. How an answer ended (`complete`, `cut`) is carried through every dialect.
//!
//! ```no_run
//! # fn example<S>(store: std::sync::Arc<S>) where S: tracepact_store::SpanStore + tracepact_store::SeriesStore
//! # + tracepact_store::EventStore + 'static {
//! use tracepact_query::{Query, QueryConfig, native_routes, zipkin_routes};
//! let clock = tracepact_base::SystemClock::shared();
//! let query = Query::new(store.clone(), store.clone(), store, clock, QueryConfig::default());
//! let routes = zipkin_routes(query.clone()).merge(native_routes(query)).unwrap();
//! assert!(routes.specs().any(|spec| spec.path == "/zipkin/api/v2/traces"));
//! # }
//! ```
//!
//! What it deliberately does not do: write anything, keep a cache of answers, or compute in the background.

pub mod config;
#[doc(hidden)]
pub mod fuzzing;
pub mod native;
mod params;
mod service;
mod zipkin;

pub use config::QueryConfig;
pub use native::{native_routes, openapi};
pub use service::Query;
pub use zipkin::zipkin_routes;
