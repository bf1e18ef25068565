//! tracepact-kit: what a Rust service needs to be seen and to survive: trace propagation over HTTP and Kafka, spans
//! that leave as OTLP or Zipkin, ids on every log line, circuit breaker, bulkhead, timeout, retry, fallback and
//! consumer permits, with the figures of all of them as `/hystrix.stream` and OTLP metrics.
//!
//! Place on the map: sees `tracepact-base` alone; the shop uses it, and so can any service.
//!
//! ```no_run
//! use tracepact_kit::{Settings, Telemetry, breaker::BreakerSettings, command::Command, classify::HttpOutcome};
//!
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = Telemetry::start(Settings::from_env("orders")?).await?;
//! let breaker = telemetry.registry().breaker("products", "products", BreakerSettings::default());
//! let products = Command::new(breaker);
//! let client = tracepact_kit::http::Client::new(reqwest::Client::new()).for_service("products");
//!
//! let app = axum::Router::new()
//!     .route("/orders/{id}", axum::routing::get(move || async move {
//!         let answer = products
//!             .run_classified(&HttpOutcome, || client.get("http://127.0.0.1:8081/stock/1").send())
//!             .await;
//!         tracing::info!("asked products"); // the line carries trace_id and span_id
//!         if answer.is_ok() { "in stock" } else { "unknown" }
//!     }))
//!     .merge(tracepact_kit::hystrix::routes(telemetry.registry()))
//!     .layer(tracepact_kit::http::server_layer().with_traceresponse());
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await?;
//! telemetry.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! Which header holds: over HTTP and in Kafka records `traceparent` holds over B3 (or the other way round, see
//! [`propagation::Precedence`]), and the single `b3` header over `x-b3-*`. What is written is a setting
//! ([`propagation::Rules`]). Code that spawns tasks uses [`spawn`] to stay in its trace.
//!
//! What it deliberately does not do: it draws nothing and stores nothing, it does not instrument third-party clients
//! behind your back, and it has no switches that change at run time except breakers' forced states and permit limits.

pub mod breaker;
pub mod bulkhead;
pub mod classify;
pub mod command;
pub mod fallback;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod hystrix;
pub mod kafka;
pub mod logs;
pub mod metrics;
pub mod permits;
pub mod propagation;
pub mod registry;
pub mod rejection;
pub mod retry;
pub mod settings;
pub mod spans;
pub mod telemetry;
pub mod timeout;

pub use command::Command;
pub use registry::Registry;
pub use rejection::{CallError, Rejection};
pub use settings::{Exporter, LogFormat, Settings, SettingsError};
pub use spans::{Tracing, current_ids, set_attribute, spawn};
pub use telemetry::{StartError, Telemetry};
