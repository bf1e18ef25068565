//! A small page that shows any resource of this API and lets one follow its links. It reads only: changes are made by
//! clients that mean it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use tracepact_listener::{Routes, Scope};

use crate::Broker;

/// Nothing from elsewhere, nothing inline but what is in these files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes
        .get("/hal-browser/browser.html", Scope::Public, page)
        .get("/hal-browser/browser.js", Scope::Public, script)
        .get("/hal-browser/browser.css", Scope::Public, style)
}

async fn page() -> Response {
    file("text/html;charset=utf-8", include_str!("browser/browser.html"))
}

async fn script() -> Response {
    file("text/javascript;charset=utf-8", include_str!("browser/browser.js"))
}

async fn style() -> Response {
    file("text/css;charset=utf-8", include_str!("browser/browser.css"))
}

fn file(media: &'static str, text: &'static str) -> Response {
    with_policy(([(header::CONTENT_TYPE, media)], text).into_response(), POLICY)
}

/// The response under a content security policy.
pub(super) fn with_policy(mut response: Response, policy: &'static str) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
