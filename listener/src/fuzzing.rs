//! Fuzz targets: one per parser of network bytes. Not part of the crate's promises.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use axum::http::Request;
use http::header;

use crate::body::Encoding;
use crate::{Access, RouteSpec, Scope};

/// Most bytes a fuzzed body may expand to.
const EXPANDED_MAX: usize = 1 << 16;

/// The first byte chooses the encoding: never panics, never gives more than the limit.
pub fn fuzz_decompress(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let encoding = [Encoding::Gzip, Encoding::Deflate, Encoding::Zstd][usize::from(*first) % 3];
    if let Ok(bytes) = encoding.decompress(rest, EXPANDED_MAX) {
        assert!(bytes.len() <= EXPANDED_MAX, "{encoding:?} gave {} bytes", bytes.len());
    }
}

/// Four lines are Host, Origin, Authorization and Content-Type of a changing request: never panics, and what comes
/// from a page of another origin, or to a foreign name, is never let through.
pub fn fuzz_access(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let mut request = Request::post("/pacts/1");
    for (name, line) in
        [header::HOST, header::ORIGIN, header::AUTHORIZATION, header::CONTENT_TYPE].into_iter().zip(&lines)
    {
        if !line.is_empty() {
            request = request.header(name, *line);
        }
    }
    let Ok(request) = request.body(()) else { return };
    let (parts, ()) = request.into_parts();
    let spec = RouteSpec::plain(http::Method::POST, "/pacts/{id}", Scope::Publish, "fuzz");
    let access = Access::for_listen([127, 0, 0, 1].into());
    // Without users there is nothing to wait for.
    let answer = std::pin::pin!(access.authorize(&spec, &parts));
    let Poll::Ready(Ok(_)) = answer.poll(&mut Context::from_waker(Waker::noop())) else { return };
    let text =
        |name| parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase());
    let host = text(header::HOST).unwrap_or_default();
    assert!(!host.contains("evil"), "a foreign host came through: {host}");
    if let Some(origin) = text(header::ORIGIN) {
        assert!(
            !origin.contains("evil") && origin.contains("://"),
            "a foreign origin came through: {origin}"
        );
    }
    let media = text(header::CONTENT_TYPE).unwrap_or_default();
    assert!(media.trim_start().starts_with("application/"), "a simple media type came through: {media}");
}
