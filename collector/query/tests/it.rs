//! Integration tests of the readers: the real engine behind the real routes, written to through the real receivers.
#![allow(clippy::unwrap_used, reason = "a failed unwrap in a helper is a failed test")]

#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/harness.rs"]
mod harness;
#[path = "it/linked.rs"]
mod linked;
#[path = "it/native.rs"]
mod native;
#[path = "it/native_red.rs"]
mod native_red;
#[path = "it/native_traces.rs"]
mod native_traces;
#[path = "it/zipkin.rs"]
mod zipkin;
#[path = "it/zipkin_promises.rs"]
mod zipkin_promises;
