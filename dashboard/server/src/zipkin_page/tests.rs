use std::net::IpAddr;

use axum::body::Body;
use http::Request;
use http::response::Parts;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tracepact_listener::Access;

use super::*;

/// In the shape of a published page, as short as it can be.
const INDEX: &str = "<html><head><base href=\"/zipkin/\" ><link rel=\"icon\" href=\"/zipkin/favicon.ico\" />\
    <script type=\"module\" src=\"/zipkin/static/js/index.C7.js\"></script></head></html>";

fn unpacked() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("zipkin-lens");
    std::fs::create_dir_all(page.join("static/js")).unwrap();
    std::fs::write(page.join("index.html"), INDEX).unwrap();
    std::fs::write(page.join("favicon.ico"), [0, 0, 1, 0]).unwrap();
    std::fs::write(page.join("static/js/index.C7.js"), "let a = 1;\n".repeat(100)).unwrap();
    dir
}

async fn ask(page: &ZipkinPage, path: &str, headers: &[(&str, &str)]) -> (Parts, Vec<u8>) {
    let router = routes(page, &BasePath::new("/").unwrap())
        .into_router(Arc::new(Access::for_listen(IpAddr::from([127, 0, 0, 1]))));
    let mut request = Request::get(path).header("host", "127.0.0.1:9411");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    (parts, body.collect().await.unwrap().to_bytes().to_vec())
}

fn lens(base: &str) -> ZipkinPage {
    let dir = unpacked();
    let base = BasePath::new(base).unwrap();
    ZipkinPage::from_folder(dir.path(), &base, PageConfig::default()).unwrap()
}

#[tokio::test]
async fn the_published_page_stands_at_every_address_it_knows() {
    let page = lens("/zipkin");
    for path in
        ["/zipkin/", "/zipkin/index.html", "/zipkin/traces/abc", "/zipkin/dependency", "/zipkin/traceViewer"]
    {
        let (parts, body) = ask(&page, path, &[]).await;
        assert_eq!(parts.status, 200, "{path}");
        assert_eq!(body, INDEX.as_bytes(), "unmodified");
        assert_eq!(parts.headers["cache-control"], "max-age=60");
        assert_eq!(parts.headers["content-type"], "text/html; charset=utf-8");
    }
    for (path, to) in [("/zipkin", "/zipkin/"), ("/favicon.ico", "/zipkin/favicon.ico")] {
        let (parts, _) = ask(&page, path, &[]).await;
        assert_eq!((parts.status.as_u16(), parts.headers["location"].to_str().unwrap()), (302, to));
    }
}

#[tokio::test]
async fn files_are_kept_a_year_compressed_for_those_who_take_it_and_not_sent_twice() {
    let page = lens("/zipkin");
    let path = "/zipkin/static/js/index.C7.js";
    let (plain, body) = ask(&page, path, &[]).await;
    assert_eq!((plain.status.as_u16(), body.len()), (200, 1_100));
    assert_eq!(plain.headers["cache-control"], "max-age=31536000");
    assert_eq!(plain.headers["content-type"], "text/javascript; charset=utf-8");
    let (zipped, small) = ask(&page, path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(zipped.headers["content-encoding"], "gzip");
    assert!(small.len() < body.len());
    for path in [path, "/zipkin/config.json", "/zipkin/index.html"] {
        let (first, _) = ask(&page, path, &[]).await;
        let etag = first.headers["etag"].to_str().unwrap();
        assert_eq!(ask(&page, path, &[("if-none-match", etag)]).await.0.status, 304, "{path}");
        assert_eq!(ask(&page, path, &[("if-none-match", "\"other\"")]).await.0.status, 200, "{path}");
    }
    for missing in ["/zipkin/static/js/other.js", "/zipkin/../Cargo.toml", "/zipkin/%2e%2e/%2e%2e/etc/passwd"]
    {
        assert_eq!(ask(&page, missing, &[]).await.0.status, 404, "{missing}");
    }
}

#[tokio::test]
async fn the_page_is_told_what_is_configured_with_or_without_a_folder() {
    let redirecting = ZipkinPage::redirecting(PageConfig::default());
    for page in [lens("/zipkin"), redirecting] {
        let (parts, body) = ask(&page, "/zipkin/config.json", &[]).await;
        assert_eq!(String::from_utf8(body).unwrap(), PageConfig::default().json());
        assert_eq!(parts.headers["cache-control"], "max-age=600");
        assert_eq!(parts.headers["content-type"], "application/json; charset=utf-8");
        let (zipped, _) = ask(&page, "/zipkin/config.json", &[("accept-encoding", "gzip")]).await;
        assert_eq!(zipped.headers["content-encoding"], "gzip");
    }
}

#[tokio::test]
async fn another_base_path_stands_in_the_page() {
    let (_, body) = ask(&lens("/admin/zipkin"), "/zipkin/index.html", &[]).await;
    let html = String::from_utf8(body).unwrap();
    assert!(html.contains("<base href=\"/admin/zipkin/\" >"), "{html}");
    assert!(html.contains("src=\"./static/js/index.C7.js\"") && html.contains("href=\"./favicon.ico\""));
    let (_, body) = ask(&lens("/"), "/zipkin/index.html", &[]).await;
    assert!(String::from_utf8(body).unwrap().contains("<base href=\"/\" >"));
}

#[tokio::test]
async fn without_a_folder_old_links_lead_to_our_pages() {
    let page = ZipkinPage::redirecting(PageConfig::default());
    for (path, to) in [
        ("/zipkin", "/"),
        ("/zipkin/", "/"),
        ("/zipkin/?serviceName=orders", "/traces?service=orders"),
        ("/zipkin/traces/463ac35c9f6413ad", "/traces/463ac35c9f6413ad"),
        ("/zipkin/traces/%22%3E%3Cscript%3E", "/traces"),
        ("/zipkin/dependency", "/"),
        ("/zipkin/traceViewer", "/traces"),
    ] {
        let (parts, _) = ask(&page, path, &[]).await;
        assert_eq!((parts.status.as_u16(), parts.headers["location"].to_str().unwrap()), (302, to), "{path}");
    }
}

#[test]
fn a_folder_without_the_page_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let base = BasePath::new("/zipkin").unwrap();
    let error = ZipkinPage::from_folder(dir.path(), &base, PageConfig::default()).unwrap_err();
    assert!(error.to_string().contains("io.zipkin:zipkin-lens"), "{error}");
}

/// The corpus and its mutations, the same in every run.
#[test]
fn no_old_link_leads_elsewhere() {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/old_links");
    let seeds: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(seeds.len() >= 3);
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most.max(1) as u64) as usize
    };
    for seed in &seeds {
        crate::fuzzing::fuzz_old_link(seed);
        for _ in 0..10_000 {
            let mut data = seed.clone();
            for _ in 0..=below(5) {
                let at = below(data.len() + 1);
                match below(4) {
                    0 => data.insert(at, below(256) as u8),
                    1 if at < data.len() => data[at] ^= 1 << below(8),
                    2 if at < data.len() => drop(data.remove(at)),
                    _ => data.truncate(at),
                }
            }
            crate::fuzzing::fuzz_old_link(&data);
        }
    }
}
