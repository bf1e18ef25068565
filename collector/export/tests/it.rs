//! Integration tests of the sinks, over an in-test series store and a small in-test HTTP server.
#![allow(clippy::unwrap_used, reason = "a failed unwrap in a helper is a failed test")]

#[path = "it/exposition.rs"]
mod exposition;
#[path = "it/fake.rs"]
mod fake;
#[path = "it/influx.rs"]
mod influx;
