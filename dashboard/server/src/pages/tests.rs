use std::io::Read;
use std::net::IpAddr;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tracepact_listener::Access;

use super::*;

async fn get(base: &str, path: &str, headers: &[(&str, &str)]) -> (http::response::Parts, Vec<u8>) {
    let routes = routes(&BasePath::new(base).unwrap()).unwrap();
    let router = routes.into_router(Arc::new(Access::for_listen(IpAddr::from([127, 0, 0, 1]))));
    let mut request = Request::get(path).header("host", "127.0.0.1:9411");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    (parts, body.collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn every_page_address_shows_the_page_under_a_strict_policy() {
    for path in ["/", "/traces", "/traces/463ac35c9f6413ad", "/breakers", "/messages", "/contracts"] {
        let (parts, body) = get("/", path, &[]).await;
        assert_eq!(parts.status, 200, "{path}");
        assert_eq!(parts.headers["cache-control"], "no-cache");
        assert_eq!(parts.headers["content-type"], "text/html; charset=utf-8");
        let policy = parts.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        let html = String::from_utf8(body).unwrap();
        assert!(html.contains("<base href=\"/\" />"));
        assert!(!html.contains("<style") && !html.contains("style=\""), "the policy forbids inline styles");
    }
}

#[tokio::test]
async fn a_missing_asset_and_an_unknown_path_are_real_404s() {
    for path in ["/assets/index-00000000.js", "/assets/", "/nothing", "/traces/a/b", "/index.html.gz"] {
        let (parts, _) = get("/", path, &[]).await;
        assert_eq!(parts.status, 404, "{path}");
    }
}

#[tokio::test]
async fn hashed_files_are_kept_forever_and_sent_compressed_to_those_who_take_it() {
    assert!(assets::names().any(|n| n == "index.html"));
    assert_eq!(crate::UI_EMBEDDED, assets::names().any(|n| n.ends_with(".js")));
    for name in assets::names().filter(|n| n.starts_with("assets/")) {
        let (plain, body) = get("/", &format!("/{name}"), &[]).await;
        assert_eq!(plain.status, 200, "{name}");
        assert!(plain.headers["cache-control"].to_str().unwrap().contains("immutable"));
        let (zipped, compressed) = get("/", &format!("/{name}"), &[("accept-encoding", "gzip")]).await;
        if zipped.headers.get("content-encoding").is_some() {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, body, "{name}");
            assert_ne!(zipped.headers["etag"], plain.headers["etag"]);
        }
    }
}

#[tokio::test]
async fn a_known_page_is_not_sent_again() {
    let (first, _) = get("/", "/", &[]).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let (again, body) = get("/", "/", &[("if-none-match", &tag)]).await;
    assert_eq!(again.status, 304);
    assert!(body.is_empty());
    let (elsewhere, _) = get("/tools", "/", &[("if-none-match", &tag)]).await;
    assert_eq!(elsewhere.status, 200, "another base path is another page");
}

#[tokio::test]
async fn behind_a_proxy_the_page_knows_its_base_path() {
    let (_, body) = get("/tools/tracepact", "/traces", &[]).await;
    assert!(String::from_utf8(body).unwrap().contains("<base href=\"/tools/tracepact/\" />"));
}
