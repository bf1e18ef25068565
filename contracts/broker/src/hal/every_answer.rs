//! What holds for every request on the port of Pact clients, around the routes: file extensions, pages for browsers,
//! OPTIONS, 406, the shape of refusals, and the headers of the original.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::json;
use tower::ServiceExt;

use super::accept::Accept;
use super::links::Links;
use crate::error::Told;
use crate::{Broker, BrokerError};

/// The level of the Pact Broker's API that is spoken here, then our own version as build metadata.
const VERSION: &str = concat!("2.120.0+tracepact.", env!("CARGO_PKG_VERSION"));
/// Paths that are ours and not the Pact Broker's.
const OWN_PATHS: [&str; 3] = ["/tracepact/", "/health", "/docs/"];
/// Largest refusal that is rewritten; ours are far below.
const REFUSAL_BYTES_MAX: usize = 1 << 20;

/// Wraps the router that holds [`crate::pact_routes`]: what Pact clients and browsers expect around every answer.
/// Our own paths on the same port (`/tracepact/…`, `/health`) pass as they are.
pub fn with_pact_conventions(router: axum::Router, broker: &Broker) -> axum::Router {
    let broker = Arc::new(broker.clone());
    axum::Router::new().fallback(move |request: Request| {
        let (router, broker) = (router.clone(), broker.clone());
        async move { around(router, &broker, request).await }
    })
}

async fn around(router: axum::Router, broker: &Broker, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if OWN_PATHS.iter().any(|own| path.starts_with(own)) {
        return call(router, request).await;
    }
    let accept = Accept::of(request.headers());
    let method = request.method().clone();
    let reads = method == Method::GET || method == Method::HEAD;
    if let Err(refused) = check_path(&path) {
        return finish(refused.into_response(), &path, &accept, false).await;
    }
    let (parts, body) = request.into_parts();
    if reads && accept.html() && !is_page(&path) {
        let links = Links::of(&parts, broker.config());
        let redirect = Redirect::to(&page_for(&links, broker, &path)).into_response();
        return finish(redirect, &path, &accept, false).await;
    }
    let plain = path.strip_suffix('/').filter(|rest| !rest.is_empty()).map(str::to_owned);
    let extension = reads.then(|| extension(&path)).flatten();
    let rewritten = |path: &str, media: Option<&'static str>| {
        let mut request = Request::builder().method(parts.method.clone()).version(parts.version);
        if let Some(headers) = request.headers_mut() {
            *headers = parts.headers.clone();
            if let Some(media) = media {
                headers.insert(header::ACCEPT, HeaderValue::from_static(media));
            }
        }
        if let Some(extensions) = request.extensions_mut() {
            *extensions = parts.extensions.clone();
        }
        request.uri(with_path(&parts.uri, path))
    };
    let mut accept = accept;
    let mut response = if let Some(plain) = plain {
        match rewritten(&plain, None).body(body) {
            Ok(request) => call(router, request).await,
            Err(error) => BrokerError::invalid("", error.to_string()).into_response(),
        }
    } else if let Some((shorter, media)) = extension {
        // A name may end like a file: it comes first.
        let first = call(router.clone(), Request::from_parts(parts.clone(), body)).await;
        let missing = first.status() == StatusCode::NOT_FOUND;
        // What needs credentials under its whole name may be open without the extension, as badges are.
        let closed = matches!(first.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        match rewritten(&shorter, Some(media)).body(Body::empty()) {
            Ok(request) if missing || closed => {
                let wanted = Accept::of(request.headers());
                let second = call(router, request).await;
                if missing || second.status().is_success() {
                    accept = wanted;
                    second
                } else {
                    first
                }
            }
            _ => first,
        }
    } else {
        call(router, Request::from_parts(parts, body)).await
    };
    if method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = options(response.headers());
    }
    finish(response, &path, &accept, method == Method::GET).await
}

async fn call(router: axum::Router, request: Request) -> Response {
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// Refuses what no resource can be called.
fn check_path(path: &str) -> Result<(), BrokerError> {
    if path.contains("//") {
        return Err(BrokerError::NotFound(
            "The path has an empty segment (//): a name in it was blank, for example a variable that was not set.".into(),
        ));
    }
    let lower = path.to_ascii_lowercase();
    if ["%0a", "%0d", "%09"].iter().any(|bad| lower.contains(bad)) {
        return Err(BrokerError::State(
            "The path contains a newline or a tab: trim the name before it is put into the address".into(),
        ));
    }
    Ok(())
}

fn with_path(uri: &Uri, path: &str) -> Uri {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    text.parse().unwrap_or_else(|_| uri.clone())
}

/// The path without a file extension, and the media type the extension stands for.
fn extension(path: &str) -> Option<(String, &'static str)> {
    for (extension, media) in [
        (".json", "application/hal+json"),
        (".csv", "text/csv"),
        (".svg", "image/svg+xml"),
        (".yaml", "application/x-yaml"),
    ] {
        if let Some(rest) = path.strip_suffix(extension).filter(|rest| !rest.ends_with('/')) {
            return Some((rest.to_owned(), media));
        }
    }
    None
}

/// Pages that are served here.
fn is_page(path: &str) -> bool {
    path.starts_with("/doc/")
        || path.starts_with("/hal-browser")
        || path.ends_with("/badge")
        // Logs of webhooks are text, which is a page already.
        || (path.starts_with("/triggered-webhooks/") && path.ends_with("/logs"))
        || path.ends_with(".svg")
}

/// Where a browser is sent: what the dashboard shows to its page, everything else to the HAL browser.
fn page_for(links: &Links, broker: &Broker, path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let query = match segments.as_slice() {
        [] | ["pacticipants" | "matrix" | "dashboard" | "integrations"] => Some(String::new()),
        ["pacticipants", name] | ["pacticipants", name, "network"] => Some(format!("?pacticipant={name}")),
        ["matrix" | "dashboard", "provider", provider, "consumer", _] => {
            Some(format!("?pacticipant={provider}"))
        }
        _ => None,
    };
    match (query, broker.config().dashboard_port) {
        (Some(query), Some(port)) => format!("{}/contracts{query}", links.on_port(port)),
        _ => format!("{}/hal-browser/browser.html#{path}", links.base()),
    }
}

/// OPTIONS says what is possible; it grants nothing to pages of other origins.
fn options(refused: &HeaderMap) -> Response {
    let methods = refused.get(header::ALLOW).and_then(|v| v.to_str().ok()).unwrap_or("GET, HEAD");
    let all = if methods.contains("OPTIONS") { methods.to_owned() } else { format!("{methods}, OPTIONS") };
    let mut response = StatusCode::OK.into_response();
    if let Ok(value) = HeaderValue::from_str(&all) {
        response.headers_mut().insert(header::ALLOW, value.clone());
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, value);
    }
    response
}

/// 406, the form of a refusal, and the headers every answer has.
async fn finish(mut response: Response, path: &str, accept: &Accept, negotiate: bool) -> Response {
    let media = media_of(&response);
    if negotiate && response.status().is_success() && !media.is_empty() && !accept.takes(&media) {
        let told = format!("this is served as {media}, and the Accept header does not name that");
        response = BrokerError::Edge(
            tracepact_listener::Problem::invalid(told).with_status(StatusCode::NOT_ACCEPTABLE),
        )
        .into_response();
    }
    if response.status().is_client_error() || response.status().is_server_error() {
        response = in_the_wanted_form(response, path, accept).await;
    }
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-pact-broker-version"), HeaderValue::from_static(VERSION));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

fn media_of(response: &Response) -> String {
    let value =
        response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A refusal as a problem when the client takes problems, else as the original writes it.
async fn in_the_wanted_form(response: Response, path: &str, accept: &Accept) -> Response {
    let problem = media_of(&response) == "application/problem+json";
    let wanted = accept.names("application/problem+json");
    if let Some(told) = response.extensions().get::<Arc<Told>>().cloned() {
        return if wanted {
            replace(response, "application/problem+json", &told.problem(path)).await
        } else {
            response
        };
    }
    if !problem || wanted {
        return response;
    }
    // A refusal of the edge: its reason in the original's form.
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let detail = serde_json::from_slice::<serde_json::Value>(&bytes)
        .ok()
        .and_then(|body| body["detail"].as_str().map(str::to_owned))
        .unwrap_or_else(|| parts.status.to_string());
    let response = Response::from_parts(parts, Body::empty());
    replace(response, "application/hal+json;charset=utf-8", &json!({ "error": detail })).await
}

async fn replace(response: Response, media: &'static str, body: &serde_json::Value) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_stand_for_media_types() {
        assert_eq!(extension("/groups/Foo.csv"), Some(("/groups/Foo".into(), "text/csv")));
        assert_eq!(extension("/x/badge.svg"), Some(("/x/badge".into(), "image/svg+xml")));
        assert_eq!(extension("/x/.json"), None);
        assert_eq!(extension("/x"), None);
    }

    #[test]
    fn blank_and_broken_names_are_refused() {
        assert!(check_path("/pacticipants//versions/1").is_err());
        assert!(check_path("/pacticipants/a%0Ab").is_err());
        assert!(check_path("/pacticipants/a%20b").is_ok());
    }
}
