//! Zipkin's own page (Lens), unmodified, in a real Chromium on our API: a trace is found and opened.

use std::time::Duration;

use serde_json::{Value, json};
use tracepact_tests::{browser, lens, until_ok};

use super::server::Server;

const TRACE: &str = "463ac35c9f6413ad48485a3953bb6124";
/// A page under load may need several looks.
const PATIENCE: Duration = Duration::from_secs(300);

fn spans(now_us: u64) -> Value {
    let span = |id: &str, parent: Option<&str>, service: &str, name: &str, at: u64| {
        let mut span = json!({
            "traceId": TRACE, "id": id, "name": name, "timestamp": now_us + at, "duration": 200_000 - at,
            "kind": "SERVER", "localEndpoint": { "serviceName": service },
            "tags": { "order.id": "order-7" },
        });
        if let Some(parent) = parent {
            span["parentId"] = parent.into();
        }
        span
    };
    json!([
        span("000000000000000a", None, "checkout-web", "place-order", 0),
        span("000000000000000b", Some("000000000000000a"), "stock-keeper", "reserve-item", 1_000),
    ])
}

#[expect(clippy::disallowed_methods, reason = "the server judges spans by the machine's clock")]
fn now_us() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_micros() as u64 - 1_000_000
}

#[tokio::test]
async fn lens_finds_and_opens_a_trace() {
    let page = lens::provide().await.unwrap();
    let server = Server::start_with(&["--zipkin-ui", page.to_str().unwrap()]).await;
    let api = server.api();
    let sent = api.send("POST", "/api/v2/spans", Some(&spans(now_us()))).await.unwrap();
    assert_eq!(sent.status, 202, "{}", sent.text);

    // As somebody's bookmark: the question stands in the address, the page asks it. Lens wants the window's end there.
    let base = api.base();
    let search = format!(
        "{base}/zipkin/?serviceName=checkout-web&annotationQuery=order.id%3Dorder-7&lookback=15m&endTs={}&limit=10",
        now_us() / 1_000 + 60_000
    );
    let link = format!("traces/{TRACE}");
    let found = until_ok(PATIENCE, "the found trace on Zipkin's page", async || {
        let html = browser::dom(&search).await?;
        anyhow::ensure!(html.contains(&link), "no link to the trace in: {}", shorten(&html));
        Ok(Some(html))
    })
    .await
    .unwrap();
    assert!(found.contains("place-order"), "{}", shorten(&found));

    // Where that link leads.
    let opened = until_ok(PATIENCE, "the opened trace on Zipkin's page", async || {
        let html = browser::dom(&format!("{base}/zipkin/{link}")).await?;
        for wanted in ["place-order", "reserve-item", "stock-keeper"] {
            anyhow::ensure!(html.to_lowercase().contains(wanted), "no {wanted} in: {}", shorten(&html));
        }
        Ok(Some(html))
    })
    .await
    .unwrap();
    assert!(opened.contains(TRACE), "{}", shorten(&opened));
    server.stop().await;
}

/// The text of a page without its styles and scripts, as far as a message should be.
fn shorten(html: &str) -> String {
    let body = html.find("<body").map_or(html, |at| &html[at..]);
    body.chars().take(3_000).collect()
}
