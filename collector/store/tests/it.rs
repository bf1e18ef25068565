//! Integration tests of the engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests: a failed unwrap is a failed test"
)]

#[path = "it/helpers.rs"]
mod helpers;
#[path = "it/restart.rs"]
mod restart;
