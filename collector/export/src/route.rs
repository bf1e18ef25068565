//! `GET /metrics` and `GET /prometheus`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use tracepact_listener::{Problem, Routes, Scope};

use crate::Exposition;

/// The routes of the page: `/metrics` (Zipkin's JSON counters when `Accept` names `application/json`) and `/prometheus`.
pub fn routes(exposition: Exposition) -> Routes {
    Routes::new("metrics")
        .get("/metrics", Scope::Read, metrics)
        .get("/prometheus", Scope::Read, prometheus)
        .get("/actuator/prometheus", Scope::Read, prometheus)
        .with_state(exposition)
}

async fn metrics(State(exposition): State<Exposition>, headers: HeaderMap) -> Response {
    if wants_json(&headers) {
        return axum::Json(exposition.zipkin_counters()).into_response();
    }
    prometheus(State(exposition)).await
}

async fn prometheus(State(exposition): State<Exposition>) -> Response {
    match exposition.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => Problem::new(error.kind, error.reason).into_response(),
    }
}

/// Whether `Accept` names JSON itself; `*/*` does not.
fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|media| media.trim().eq_ignore_ascii_case("application/json"))
}
