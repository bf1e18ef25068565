//! Zipkin's v2 read API: the same paths, parameters, statuses, texts and byte order that its clients know.

mod dependencies;
mod names;
mod refusal;
pub(crate) mod request;
mod traces;

use http::{HeaderValue, Response, header};
use tracepact_listener::{Routes, Scope};
use tracepact_store::Completeness;

use crate::service::cut_text;
use crate::{Query, zipkin};

/// Says, where Zipkin's bodies have no place for it, that an answer is not whole and why.
const CUT_HEADER: &str = "tracepact-cut";

/// Zipkin's v2 GETs, under `/api/v2` and `/zipkin/api/v2`.
pub fn zipkin_routes(query: Query) -> Routes {
    Routes::new("zipkin")
        .get("/api/v2/services", Scope::Read, names::services)
        .cors_any()
        .get("/api/v2/spans", Scope::Read, names::spans)
        .cors_any()
        .get("/api/v2/remoteServices", Scope::Read, names::remote_services)
        .cors_any()
        .get("/api/v2/traces", Scope::Read, traces::search)
        .cors_any()
        .get("/api/v2/trace/{trace_id}", Scope::Read, traces::one)
        .cors_any()
        .get("/api/v2/traceMany", Scope::Read, traces::many)
        .cors_any()
        .get("/api/v2/dependencies", Scope::Read, dependencies::dependencies)
        .cors_any()
        .get("/api/v2/autocompleteKeys", Scope::Read, names::autocomplete_keys)
        .cors_any()
        .get("/api/v2/autocompleteValues", Scope::Read, names::autocomplete_values)
        .cors_any()
        .also_under("/zipkin")
        .with_state(query)
}

type Answer = Result<Response<axum::body::Body>, zipkin::refusal::Refusal>;

fn json(body: impl Into<axum::body::Body>, completeness: &Completeness) -> Response<axum::body::Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(text) = cut_text(completeness)
        && let Ok(value) = HeaderValue::from_str(&text)
    {
        headers.insert(CUT_HEADER, value);
    }
    response
}
