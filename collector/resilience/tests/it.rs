//! Rules under arbitrary input.

#![allow(clippy::unwrap_used, reason = "a failed unwrap in a helper is a failed test, with its line")]

#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/loss.rs"]
mod loss;
