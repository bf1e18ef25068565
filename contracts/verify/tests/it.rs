//! The pipeline's side against real counterparts: a broker on a port, providers over HTTP, by command and on Kafka, the
//! stub over HTTP, generated tests compiled and run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed unwrap in a test is a failed test, with its line"
)]

mod it {
    mod generated;
    mod import;
    mod messages;
    mod pull_request;
    mod recorded;
    mod servers;
    mod stub;
    mod support;
    mod verification;
}
