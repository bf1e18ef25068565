//! Integration tests of the receivers: real routes, real gRPC over a socket, an in-test store that can refuse.
#![allow(clippy::unwrap_used, reason = "a failed unwrap in a helper is a failed test")]

#[path = "it/fake.rs"]
mod fake;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/grpc.rs"]
mod grpc;
#[path = "it/http.rs"]
mod http_receivers;
#[path = "it/kafka.rs"]
mod kafka;
#[path = "it/limits.rs"]
mod limits;
#[path = "it/otlp_json.rs"]
mod otlp_json;
#[path = "it/zipkin.rs"]
mod zipkin;
