//! The edge over real sockets: every rule once as it should be and once as an attacker or a broken client would try.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap in a test is a failed test")]

#[path = "it/access.rs"]
mod access;
#[path = "it/bodies.rs"]
mod bodies;
#[path = "it/browser.rs"]
mod browser;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/grpc.rs"]
mod grpc;
#[path = "it/lifecycle.rs"]
mod lifecycle;
#[path = "it/server.rs"]
mod server;
#[path = "it/tls.rs"]
mod tls;
