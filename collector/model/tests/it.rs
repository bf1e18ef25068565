//! Integration tests of the codecs.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

#[path = "it/arbitrary.rs"]
mod arbitrary;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/otlp.rs"]
mod otlp;
#[path = "it/zipkin_json.rs"]
mod zipkin_json;
