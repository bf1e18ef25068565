//! The way in: OTLP and Zipkin (v1 and v2) over gRPC and HTTP; spans to the store, metrics to the boards of resilience.
//!
//! Place on the map: `tracepact` merges [`routes`] into its listeners. A body walks from a receiver through one
//! [`Ingest`]: bytes in flight are bounded, the codec of `model` decodes and redacts, [`admission`] refuses what lies
//! too far from now or belongs to a trace without end and samples by trace id, the store makes the rest durable, and only
//! then the sender hears that it was taken.
//!
//! ```no_run
//! # fn example(sinks: tracepact_ingest::Sinks) -> Result<(), prometheus::Error> {
//! use tracepact_ingest::{Ingest, IngestConfig, grpc_routes, routes};
//! let clock = tracepact_base::SystemClock::shared();
//! let ingest = Ingest::new(sinks, clock, IngestConfig::default(), &prometheus::Registry::new())?;
//! let main_port = routes(ingest.clone()); // POST /v1/traces, /v1/metrics, /api/v2/spans, /api/v1/spans
//! let otlp_grpc_port = grpc_routes(ingest); // TraceService and MetricsService
//! # Ok(()) }
//! ```
//!
//! What it deliberately does not do: wait in an unbounded queue, acknowledge before the store did, drop without a
//! counter, or know how anything is read again.

pub mod admission;
pub mod config;
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod http_otlp;
mod http_zipkin;
mod ingest;
pub mod kafka;
mod marker;
mod metrics;
mod origin;
mod otlp_metrics;
mod refusal;
mod samples;
pub mod sampling;
mod self_tracing;
mod tally;
mod trace_sizes;

pub use config::IngestConfig;
pub use grpc::{grpc_routes, zipkin_grpc_routes};
pub use http_otlp::otlp_routes;
pub use http_zipkin::{zipkin_disabled_routes, zipkin_routes};
pub use ingest::{Accepted, Ingest, Sinks};
pub use kafka::{
    KafkaConfig, KafkaReceiver, KafkaReceiverError, PoisonConfig, Topic as KafkaTopic, TopicEncoding,
};
pub use origin::{Format, Origin, Transport};
pub use otlp_metrics::Taken;
pub use refusal::Refusal;
pub use self_tracing::{SelfReporter, SelfTracer, SelfTracing};

use tracepact_listener::Routes;

/// Everything that is taken over HTTP: OTLP and Zipkin.
pub fn routes(ingest: Ingest) -> Routes {
    match otlp_routes(ingest.clone()).merge(zipkin_routes(ingest)) {
        Ok(routes) => routes,
        // The two tables stand in this crate; `Routes::check` of the whole binary would name the overlap.
        Err(overlap) => {
            tracing::error!(%overlap, "two receivers claim one route");
            Routes::new("otlp")
        }
    }
}
