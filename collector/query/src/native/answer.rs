//! What all native answers and refusals have in common.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header;
use serde::Serialize;
use tracepact_base::ErrorKind;
use tracepact_listener::Problem;
use tracepact_store::StoreError;

/// The answer as JSON that no cache keeps: it says `as_of`, and an older one would be a lie.
pub(crate) fn fresh<T: Serialize>(answer: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        Problem::new(ErrorKind::Internal, "the answer could not be written")
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body)
        .into_response())
}

/// A store's refusal, in the words of the native API.
pub(crate) fn problem(error: StoreError) -> Problem {
    let problem = Problem::new(error.kind, error.reason);
    match error.retry_after_ms {
        Some(after) => problem.with_retry_after(Duration::from_millis(after)),
        None => problem,
    }
}

/// Nanoseconds as microseconds with their fraction.
pub(crate) fn us(ns: u64) -> f64 {
    ns as f64 / 1_000.0
}

/// The distance from `from_ns` to `to_ns` in microseconds, negative when it lies before.
pub(crate) fn offset_us(from_ns: u64, to_ns: u64) -> f64 {
    (i128::from(to_ns) - i128::from(from_ns)) as f64 / 1_000.0
}
