//! Refusals as Zipkin's clients see them: a status and a sentence in plain text.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use tracepact_store::StoreError;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) retry_after_ms: Option<u64>,
}

impl Refusal {
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, text: text.into(), retry_after_ms: None }
    }

    pub(crate) fn failed(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "an answer could not be written");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            text: "the answer could not be written".to_owned(),
            retry_after_ms: None,
        }
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, text: text.into(), retry_after_ms: None }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self {
            status: StatusCode::from_u16(error.kind.http_status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            text: error.reason,
            retry_after_ms: error.retry_after_ms,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let mut response = (self.status, headers, self.text).into_response();
        if let Some(after) = self.retry_after_ms {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(after.div_ceil(1_000).max(1)));
        }
        response
    }
}
