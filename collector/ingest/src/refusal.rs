//! A body that was not taken, in the words of each transport.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use prost::Message;
use tonic_types::{ErrorDetails, StatusExt, pb};
use tracepact_base::ErrorKind;
use tracepact_listener::Problem;
use tracepact_model::DecodeError;
use tracepact_store::StoreError;

/// Why a body was not taken.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The kind.
    pub kind: ErrorKind,
    /// HTTP status; the kind's own unless the edge chose another of the same family.
    pub status: StatusCode,
    /// What was wrong and what to do.
    pub reason: String,
    /// When to try again, for kinds where that helps.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with the kind's own status, and `retry_after` when the kind is retryable.
    pub fn new(kind: ErrorKind, reason: impl Into<String>, retry_after: Duration) -> Self {
        Self {
            kind,
            status: StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            reason: reason.into(),
            retry_after: kind.is_retryable().then_some(retry_after),
        }
    }

    /// The value of the `result` label of requests.
    pub(crate) const fn label(&self) -> &'static str {
        match self.kind {
            ErrorKind::Invalid => "malformed",
            ErrorKind::TooLarge => "too_large",
            ErrorKind::Exhausted => "exhausted",
            ErrorKind::Unavailable | ErrorKind::Deadline => "unavailable",
            _ => "failed",
        }
    }

    /// As a gRPC status, with `google.rpc.RetryInfo` where trying again helps: without it OTLP exporters may not retry.
    pub(crate) fn to_grpc(&self) -> tonic::Status {
        let code = tonic::Code::from_i32(self.kind.grpc_code());
        match self.retry_after {
            Some(after) => tonic::Status::with_error_details(
                code,
                self.reason.clone(),
                ErrorDetails::with_retry_info(Some(after)),
            ),
            None => tonic::Status::new(code, self.reason.clone()),
        }
    }

    /// As OTLP/HTTP wants it: a `google.rpc.Status` in protobuf, `Retry-After` where trying again helps.
    pub(crate) fn to_otlp_http(&self) -> Response<axum::body::Body> {
        let status =
            pb::Status { code: self.kind.grpc_code(), message: self.reason.clone(), details: Vec::new() };
        self.response("application/x-protobuf", status.encode_to_vec())
    }

    /// The same `google.rpc.Status` in JSON.
    pub(crate) fn to_otlp_json(&self) -> Response<axum::body::Body> {
        let status = serde_json::json!({ "code": self.kind.grpc_code(), "message": self.reason });
        self.response("application/json", status.to_string().into_bytes())
    }

    /// As Zipkin does: the reason as plain text.
    pub(crate) fn to_zipkin_http(&self) -> Response<axum::body::Body> {
        self.response("text/plain; charset=utf-8", self.reason.clone().into_bytes())
    }

    fn response(&self, media: &'static str, body: Vec<u8>) -> Response<axum::body::Body> {
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            kind: problem.kind(),
            status: problem.status(),
            reason: problem.detail().to_owned(),
            retry_after: problem.retry_after(),
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::new(error.kind, error.reason, Duration::ZERO)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let after = error.retry_after_ms.map_or(Duration::from_secs(1), Duration::from_millis);
        Self::new(error.kind, error.reason, after)
    }
}
