//! The static routes: one page for every address the pages know, and hashed assets.

use std::sync::Arc;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tracepact_listener::{Problem, Routes, Scope};

use crate::assets::{self, Asset};
use crate::{BasePath, PageError};

/// The addresses that show the page; what is on it is decided in the browser.
pub const PAGES: [&str; 7] =
    ["/", "/traces", "/traces/{id}", "/breakers", "/messages", "/contracts", "/contracts/proposals/{id}"];

/// What the page may load: its own scripts, styles and API, nothing else, from nowhere else, in no frame.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// Where the built page names its base address.
const BASE_MARK: &str = "<base href=\"/\" />";

/// A hashed file never changes under its name.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The page is asked for again each time; its entity tag makes that cheap.
const ASK_AGAIN: &str = "no-cache";

pub(crate) fn routes(base_path: &BasePath) -> Result<Routes, PageError> {
    let index = Arc::new(index(base_path)?);
    let mut routes = Routes::new("dashboard");
    for page in PAGES {
        let index = index.clone();
        routes = routes.get(page, Scope::Public, move |headers: HeaderMap| {
            std::future::ready(file(&index, "index.html", ASK_AGAIN, &headers))
        });
    }
    Ok(routes.get("/assets/{*path}", Scope::Public, asset).get("/favicon.svg", Scope::Public, favicon))
}

/// The page, its base address set.
fn index(base_path: &BasePath) -> Result<Asset, PageError> {
    let built = assets::find("index.html").ok_or(PageError::Damaged("there is no index.html"))?;
    let html = std::str::from_utf8(&built.plain).map_err(|_| PageError::Damaged("index.html is not text"))?;
    if !html.contains(BASE_MARK) {
        return Err(PageError::Damaged("index.html has no base address"));
    }
    if *base_path == BasePath::default() {
        return Ok(built);
    }
    let href = base_path.href();
    let html = html.replacen(BASE_MARK, &format!("<base href=\"{href}\" />"), 1);
    let etag = format!("{}{}\"", built.etag.trim_end_matches('"'), hex::encode(href.as_bytes()));
    Ok(Asset { plain: Bytes::from(html), gzip: None, etag })
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("assets/{path}");
    match assets::find(&path) {
        Some(found) => file(&found, &path, FOREVER, &headers),
        None => Problem::not_found(format!(
            "there is no {path}; reload the page, it may be older than the server"
        ))
        .into_response(),
    }
}

async fn favicon(headers: HeaderMap) -> Response {
    match assets::find("favicon.svg") {
        Some(found) => file(&found, "favicon.svg", ASK_AGAIN, &headers),
        None => Problem::not_found("there is no favicon").into_response(),
    }
}

fn file(asset: &Asset, path: &str, caching: &'static str, request: &HeaderMap) -> Response {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    let compressed = asset.gzip.as_ref().filter(|_| assets::takes_gzip(request));
    // The two codings are different representations, so a strong tag must differ.
    let etag = match compressed {
        Some(_) => format!("{}-gzip\"", asset.etag.trim_end_matches('"')),
        None => asset.etag.clone(),
    };
    set(header::ETAG, &etag);
    set(header::CACHE_CONTROL, caching);
    set(header::VARY, "accept-encoding");
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::REFERRER_POLICY, "no-referrer");
    let known = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|tag| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*");
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, assets::media_type(path));
    match compressed {
        Some(gzip) => {
            set(header::CONTENT_ENCODING, "gzip");
            (headers, gzip.clone()).into_response()
        }
        None => (headers, asset.plain.clone()).into_response(),
    }
}

#[cfg(test)]
mod tests;
