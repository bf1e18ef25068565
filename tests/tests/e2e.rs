//! End to end: the built binaries, a real Kafka, a real Prometheus.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]
mod e2e {
    mod kill9;
    mod real_servers;
}
