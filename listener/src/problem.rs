//! The one shape of every refusal: `application/problem+json` (RFC 9457), or a gRPC status for gRPC callers.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tracepact_base::ErrorKind;

/// A refusal or failure as it leaves the process.
///
/// ```
/// use tracepact_base::ErrorKind;
/// use tracepact_listener::Problem;
/// let problem = Problem::new(ErrorKind::Invalid, "span 3 has no id");
/// assert_eq!(problem.status().as_u16(), 400);
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    kind: ErrorKind,
    status: StatusCode,
    detail: String,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// A problem with the kind's own status, and a retry time of one second when the kind is retryable.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            detail: detail.into(),
            retry_after: kind.is_retryable().then_some(Duration::from_secs(1)),
            headers: Vec::new(),
            members: serde_json::Map::new(),
        }
    }

    /// [`ErrorKind::Invalid`].
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, detail)
    }

    /// [`ErrorKind::NotFound`].
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, detail)
    }

    /// Another status of the same family (405, 408, 415, 429, …); the code stays the kind's.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// When to try again; rounded up to whole seconds in `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// A further response header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A further member of the problem body (RFC 9457, extension members).
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<serde_json::Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The HTTP status it answers with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// When to try again, if that can help.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The short, fixed sentence of a kind.
    pub const fn title(kind: ErrorKind) -> &'static str {
        match kind {
            ErrorKind::Invalid => "The request is malformed",
            ErrorKind::TooLarge => "The request is larger than a limit",
            ErrorKind::Unauthenticated => "A token is needed",
            ErrorKind::Forbidden => "This caller may not do that",
            ErrorKind::Conflict => "The request contradicts what is stored",
            ErrorKind::Exhausted => "A bound is reached",
            ErrorKind::Unavailable => "A part that is needed is down",
            ErrorKind::NotFound => "The named thing does not exist",
            ErrorKind::Deadline => "The answer was not ready in time",
            ErrorKind::Corrupt => "Stored data could not be read",
            ErrorKind::Internal => "tracepact made a mistake",
        }
    }

    /// The problem as a gRPC answer without a message: HTTP 200 and the status in headers ("trailers only").
    pub fn into_grpc_response(self) -> Response {
        tonic::Status::from(self).into_http::<axum::body::Body>()
    }
}

impl From<Problem> for tonic::Status {
    fn from(problem: Problem) -> Self {
        let code = match problem.status {
            StatusCode::METHOD_NOT_ALLOWED => tonic::Code::Unimplemented,
            _ if problem.kind == ErrorKind::NotFound && problem.members.contains_key("route") => {
                tonic::Code::Unimplemented
            }
            _ => tonic::Code::from_i32(problem.kind.grpc_code()),
        };
        Self::new(code, problem.detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.members;
        body.insert("type".to_owned(), format!("/docs/errors/{}.md", self.kind.code()).into());
        body.insert("title".to_owned(), Self::title(self.kind).into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("detail".to_owned(), self.detail.into());
        body.insert("code".to_owned(), self.kind.code().into());
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            serde_json::Value::from(body).to_string(),
        )
            .into_response();
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_status_and_retryable_ones_say_when() {
        for kind in ErrorKind::ALL {
            let response = Problem::new(kind, "x").into_response();
            assert_eq!(response.status().as_u16(), kind.http_status());
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), kind.is_retryable());
        }
    }

    #[test]
    fn retry_after_rounds_up() {
        let response = Problem::new(ErrorKind::Exhausted, "x")
            .with_retry_after(Duration::from_millis(1_001))
            .into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
