//! Every API that reads: Zipkin's v2 GETs and the native API, over one service.
//!
//! Place on the map: `tracepact` merges [`zipkin_routes`] and [`native_routes`] into the main port. A dialect parses
//! its own parameters into one `SpanQuery`, the store answers rows, `analysis` says what they mean, the dialect writes
//! its own form. How an answer ended (`complete`, `cut`) is carried through every dialect.
//!
//! ```no_run
//! # fn example(engine: std::sync::Arc<tracepact_store::Engine>, boards: std::sync::Arc<tracepact_resilience::board::Boards>) {
//! use std::sync::Arc;
//! use tracepact_query::{Query, QueryConfig, SeeingStore, Seen, Sources, native_routes, zipkin_routes};
//! let seen = Arc::new(Seen::default());
//! let spans = Arc::new(SeeingStore::new(engine.clone(), seen.clone())); // give this one to the receivers too
//! let sources = Sources { spans, series: engine.clone(), red: engine.clone(), events: engine, boards, seen };
//! let query = Query::new(sources, tracepact_base::SystemClock::shared(), QueryConfig::default());
//! let routes = zipkin_routes(query.clone()).merge(native_routes(query)).unwrap();
//! assert!(routes.specs().any(|spec| spec.path == "/zipkin/api/v2/traces"));
//! # }
//! ```
//!
//! What it deliberately does not do: write anything (but what an operator deletes, see [`operator_routes`]), keep a cache of answers, or compute in the background.

pub mod config;
#[doc(hidden)]
pub mod fuzzing;
pub mod native;
pub mod operator;
mod params;
pub mod seen;
mod service;
pub mod standing;
mod walk;
mod zipkin;

pub use config::QueryConfig;
pub use native::{native_routes, openapi};
pub use operator::operator_routes;
pub use seen::{SeeingStore, Seen, ServiceSeen};
pub use service::{Query, Sources};
pub use standing::Standing;
pub use zipkin::zipkin_routes;
