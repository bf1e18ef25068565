//! From one broker of ours to another.

use serde_json::{Value, json};
use tracepact_base::{ManualClock, SystemClock};
use tracepact_broker::{Broker, BrokerConfig};
use tracepact_verify::{Error, Peer, PeerCredentials, import};

use super::servers::{Server, broker, broker_at, listen, serve};

async fn filled() -> Server {
    let clock = ManualClock::at(1_790_000_000_000_000_000);
    let source = broker_at(clock.clone()).await;
    // Brokers tell instants in whole seconds: what comes after another thing has to come in a later one.
    let later = || clock.advance_ns(1_000_000_000);
    let environment = source.post("/environments", json!({ "name": "prod", "production": true })).await;
    for version in ["1", "2", "3"] {
        source.publish("orders", version, "main", &format!(r#"{{"price":{version}.0}}"#)).await;
        later();
        source.verify("orders", &format!("p{version}"), version != "2").await;
        later();
    }
    source.publish("Web App/ü", "a b", "feat/x", "12345678901234567890123").await;
    for (pacticipant, version) in [("orders", "1"), ("products", "p3")] {
        let path = format!(
            "/pacticipants/{pacticipant}/versions/{version}/deployed-versions/environment/{}",
            environment["uuid"].as_str().unwrap()
        );
        source.post(&path, json!({ "applicationInstance": "eu" })).await;
    }
    let path = format!(
        "/pacticipants/products/versions/p1/released-versions/environment/{}",
        environment["uuid"].as_str().unwrap()
    );
    source.post(&path, json!({})).await;
    source
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_and_the_gate_says_the_same() {
    let (source, target) = (filled().await, broker().await);
    let report = import(&source.peer, &target.peer, &mut |_| {}).await.unwrap();
    assert_eq!(
        (
            report.pacticipants,
            report.environments,
            report.versions,
            report.pacts,
            report.results,
            report.presences
        ),
        (3, 1, 7, 4, 3, 3),
        "{report:?}"
    );
    assert!(report.kept.is_empty() && report.skipped.is_empty(), "{report:?}");
    for path in [
        "/matrix?q%5B%5D%5Bpacticipant%5D=orders&q%5B%5D%5Bversion%5D=1&latestby=cvpv&environment=prod",
        "/matrix?q%5B%5D%5Bpacticipant%5D=orders&q%5B%5D%5Bversion%5D=2&latestby=cvpv&environment=prod",
        "/matrix?q%5B%5D%5Bpacticipant%5D=orders&q%5B%5D%5Bpacticipant%5D=products&latestby=cvpv",
        "/pacticipants/orders/versions",
        "/pacticipants/orders/versions/3",
        "/pacts/provider/products/consumer/Web%20App%2F%C3%BC/latest",
        "/pacts/provider/products/consumer/orders/version/2",
        "/pacts/latest",
    ] {
        let comparable = |server: &Server, body: Value| -> Value {
            let text = body.to_string().replace(server.peer.url(), "");
            blank(serde_json::from_str(&text).unwrap())
        };
        let ours = comparable(&target, target.get(path).await);
        assert_eq!(comparable(&source, source.get(path).await), ours, "{path}");
    }
    let raw =
        target.peer.get("/pacts/provider/products/consumer/Web%20App%2F%C3%BC/latest", "pact").await.unwrap();
    assert!(raw.contains(r#""body":12345678901234567890123"#), "numbers keep their form: {raw}");
    // Again: nothing new, nothing lost.
    let again = import(&source.peer, &target.peer, &mut |_| {}).await.unwrap();
    assert_eq!(again, tracepact_verify::ImportReport::default());
}

/// Identifiers that each broker makes itself, and numbers of results in links.
fn blank(body: Value) -> Value {
    match body {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| {
                    let own =
                        matches!(key.as_str(), "uuid" | "updatedAt") || (key == "href" && is_made_up(&value));
                    (key, if own { Value::Null } else { blank(value) })
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(blank).collect()),
        other => other,
    }
}

fn is_made_up(href: &Value) -> bool {
    let text = href.as_str().unwrap_or_default();
    [
        "/environments/",
        "/environment/",
        "/deployed-versions/",
        "/released-versions/",
        "/verification-results/",
    ]
    .iter()
    .any(|part| text.contains(part))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_here_already_stays() {
    let (source, target) = (filled().await, broker().await);
    target.publish("orders", "1", "main", r#"{"price":"other"}"#).await;
    let report = import(&source.peer, &target.peer, &mut |_| {}).await.unwrap();
    assert!(report.kept.iter().any(|line| line.contains("orders 1")), "{report:?}");
    let kept = target.get("/pacts/provider/products/consumer/orders/version/1").await;
    assert_eq!(kept["interactions"][0]["response"]["body"]["price"], "other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_broker_or_leads_elsewhere_is_refused() {
    let target = broker().await;
    let page =
        listen(|_| axum::Router::new().fallback(async || axum::Json(json!({ "hello": "world" })))).await;
    let peer = Peer::new(&page, PeerCredentials::None).unwrap();
    let error = import(&peer, &target.peer, &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::Answer { reason, .. } if reason.contains("Pact Broker")), "{error}");
    let evil = listen(|url| {
        let index = json!({ "_links": { "self": { "href": url } } });
        let list = json!({ "_links": { "next": { "href": "http://169.254.169.254/latest" } } });
        axum::Router::new().fallback(move |uri: axum::http::Uri| {
            let body = if uri.path() == "/" { index.clone() } else { list.clone() };
            async move { axum::Json(body) }
        })
    })
    .await;
    let peer = Peer::new(&evil, PeerCredentials::None).unwrap();
    let error = import(&peer, &target.peer, &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("leads out of the broker"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_over_http_can_be_started_from() {
    let source = filled().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup.db");
    let bytes = source.peer.download("/tracepact/v1/contracts/backup", "the backup", &file).await.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().len(), bytes);
    let again = source.peer.download("/tracepact/v1/contracts/backup", "the backup", &file).await;
    assert!(matches!(again, Err(Error::Usage(_))), "a backup overwrites nothing");
    let broker = Broker::open(BrokerConfig::new(file.as_path()), SystemClock::shared()).await.unwrap();
    let restored = serve(broker, Some(dir)).await;
    assert_eq!(restored.get("/metrics").await["pactPublications"]["count"], 4);
}
