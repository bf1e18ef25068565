//! Integration tests of the codecs.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

#[path = "it/arbitrary.rs"]
mod arbitrary;
#[path = "it/columnar.rs"]
mod columnar;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/otlp.rs"]
mod otlp;
#[path = "it/otlp_json.rs"]
mod otlp_json;
#[path = "it/prepare.rs"]
mod prepare;
#[path = "it/zipkin_json.rs"]
mod zipkin_json;
#[path = "it/zipkin_proto3.rs"]
mod zipkin_proto3;
#[path = "it/zipkin_v1.rs"]
mod zipkin_v1;
