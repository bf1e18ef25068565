//! The jobs against a Kafka and a stream that can be broken on purpose.

#![allow(clippy::unwrap_used, reason = "a failed unwrap in a helper is a failed test, with its line")]

#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/harness.rs"]
mod harness;
#[path = "it/lag.rs"]
mod lag;
#[path = "it/loss.rs"]
mod loss;
#[path = "it/stream.rs"]
mod stream;
