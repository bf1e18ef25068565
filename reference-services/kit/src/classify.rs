//! What counts as failure: the hook every breaker and command asks.

use http::StatusCode;

/// How a finished call is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The callee did its work.
    Success,
    /// The callee failed.
    Failure,
    /// The callee did not answer in time.
    Timeout,
    /// The caller asked for something wrong; says nothing about the callee and never trips a breaker.
    BadRequest,
}

/// Judges the result of a call.
pub trait Classify<T, E> {
    /// The outcome of `result`.
    fn classify(&self, result: &Result<T, E>) -> Outcome;
}

impl<T, E, F: Fn(&Result<T, E>) -> Outcome> Classify<T, E> for F {
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        self(result)
    }
}

/// `Ok` is success, `Err` is failure.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResultIsOutcome;

impl<T, E> Classify<T, E> for ResultIsOutcome {
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        if result.is_ok() { Outcome::Success } else { Outcome::Failure }
    }
}

/// For HTTP answers: 5xx and 429 are failures; 400, 401, 403, 409, 412, 415 and 422 are the caller's mistakes; every other
/// 4xx, in particular a 404 nobody vouches for, is a failure, since a missing route is the callee's fault. A service that
/// answers 404 for a missing thing recognises its own body in a closure and says `BadRequest` (or `Success`) there.
pub fn http_status(status: StatusCode) -> Outcome {
    match status.as_u16() {
        400 | 401 | 403 | 409 | 412 | 415 | 422 => Outcome::BadRequest,
        408 | 504 => Outcome::Timeout,
        code if code >= 400 => Outcome::Failure,
        _ => Outcome::Success,
    }
}

/// [`http_status`] for reqwest results; timeouts are timeouts, all else without an answer is failure.
#[derive(Debug, Clone, Copy, Default)]
pub struct HttpOutcome;

impl Classify<reqwest::Response, reqwest::Error> for HttpOutcome {
    fn classify(&self, result: &Result<reqwest::Response, reqwest::Error>) -> Outcome {
        match result {
            Ok(response) => http_status(response.status()),
            Err(error) if error.is_timeout() => Outcome::Timeout,
            Err(_) => Outcome::Failure,
        }
    }
}
