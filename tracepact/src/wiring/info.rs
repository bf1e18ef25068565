//! `GET /info`: which program and version this is, where Zipkin's clients look for it.

use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::json;
use tracepact_listener::{Routes, Scope};

/// `/info`, and `/actuator/info` as Spring's tools ask for it.
pub(crate) fn routes() -> Routes {
    Routes::new("process")
        .get("/info", Scope::Public, async || answer("application/json; charset=utf-8"))
        .get("/actuator/info", Scope::Public, async || answer(ACTUATOR))
}

/// The media type of Spring Boot's actuator.
pub(crate) const ACTUATOR: &str = "application/vnd.spring-boot.actuator.v2+json; charset=utf-8";

/// Whoever reads Zipkin's version learns that this is another program.
fn answer(media_type: &'static str) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    let body = json!({ "zipkin": { "version": format!("tracepact-{version}") }, "tracepact": { "version": version } });
    ([(header::CONTENT_TYPE, media_type)], body.to_string()).into_response()
}
