//! Sinks for what is stored: the Prometheus page and the InfluxDB v2 writer.
//!
//! Place on the map: `tracepact` wires it. It reads a [`SeriesStore`](tracepact_store::SeriesStore) and the process's
//! own `prometheus` registry; it never talks to Kafka or to a service during a scrape.
//!
//! ```no_run
//! # async fn example(store: std::sync::Arc<dyn tracepact_store::SeriesStore>) -> Result<(), Box<dyn std::error::Error>> {
//! use tracepact_export::{Exposition, influx};
//! let registry = prometheus::Registry::new();
//! let clock = tracepact_base::SystemClock::shared();
//! let page = Exposition::new(registry.clone(), store.clone(), clock.clone(), std::time::Duration::from_secs(60));
//! let routes = tracepact_export::routes(page); // GET /metrics and GET /prometheus
//!
//! let config = influx::InfluxConfig::new("http://127.0.0.1:8086".parse()?, "shop", "metrics", "token".to_owned());
//! let (sink, writer) = influx::pipeline(config, clock, &registry)?;
//! let store = influx::ForwardingStore::new(store, sink); // give this one to whoever writes points
//! let drain = tokio_util::sync::CancellationToken::new();
//! tokio::spawn(writer.run(drain.clone()));
//! # Ok(()) }
//! ```
//!
//! What it deliberately does not do: keep anything, compute anything (that is `resilience` and `jobs`), or use the
//! client of the `influxdb2` crate: only its line-protocol builder is used, the transport is ours (docs/adr).

pub mod exposition;
pub mod influx;
mod route;
mod stored;
mod zipkin_counters;

pub use exposition::Exposition;
pub use route::routes;
