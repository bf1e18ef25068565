//! Everything of the collector that runs on a timer: the reader of consumer lag, the audit that tells lost messages from
//! late ones, and the puller of `hystrix.stream`s.
//!
//! Place on the map: it asks Kafka and services in the background, has `resilience` judge, and writes what comes out into
//! the store and onto the boards that `query` reads. A scrape or a page never waits for Kafka.
//!
//! ```no_run
//! # async fn example(series: std::sync::Arc<dyn tracepact_store::SeriesStore>, events: std::sync::Arc<dyn tracepact_store::EventStore>) {
//! use std::sync::Arc;
//! use tracepact_base::{Clock, SystemClock};
//! use tracepact_jobs::{Jobs, JobsConfig, KafkaConfig};
//! use tracepact_resilience::board::Boards;
//! let clock = SystemClock::shared();
//! let boards = Arc::new(Boards::new(clock.now_ns()));
//! let config = JobsConfig { kafka: Some(KafkaConfig::new("127.0.0.1:9092")), ..JobsConfig::default() };
//! let stop = tokio_util::sync::CancellationToken::new();
//! let jobs = Jobs::start(config, series, events, boards, clock, stop.clone());
//! stop.cancel();
//! jobs.ended().await;
//! # }
//! ```
//!
//! What it deliberately does not do: join consumer groups or commit anything (the audit reads by plain fetch), read
//! targets from requests, fail when Kafka is away: then the answers say unknown, and it tries again.

mod config;
mod hystrix_scraper;
mod kafka;
mod kafka_job;
mod lag_poller;
mod loss_audit;
mod start;
mod writer;

#[doc(hidden)]
pub mod fuzzing;

pub use config::{FlowConfig, HystrixTarget, JobsConfig, KafkaConfig};
pub use start::Jobs;
