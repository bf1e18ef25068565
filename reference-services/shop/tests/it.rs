//! The shop as processes: the built binary, the embedded Kafka (or the one `KAFKA_BOOTSTRAP` names), real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed unwrap here is a failed test, with its line"
)]

#[path = "it/collector.rs"]
mod collector;
#[path = "it/contract.rs"]
mod contract;
#[path = "it/edge.rs"]
mod edge;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/outage.rs"]
mod outage;
#[path = "it/processes.rs"]
mod processes;
#[path = "it/story.rs"]
mod story;
