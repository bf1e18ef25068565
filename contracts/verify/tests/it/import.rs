//! From one broker of ours to another.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use serde_json::{Value, json};
use tracepact_base::{ManualClock, Secret, SystemClock};
use tracepact_broker::{Broker, BrokerConfig};
use tracepact_verify::{Error, Peer, PeerCredentials, REQUESTS_DEFAULT, import};

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
    let report = import(&source.peer, &target.peer, REQUESTS_DEFAULT, &mut |_| {}).await.unwrap();
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
    // Heads of branches, and what is pending or work in progress for the provider's builds, follow from instants and order.
    for branch in ["main", "feat/x"] {
        let path = format!("/pacticipants/orders/branches/{}/latest-version", branch.replace('/', "%2F"));
        let head =
            async |server: &Server| server.peer.get(&path, "head").await.ok().map(|text| number(&text));
        assert_eq!(head(&source).await, head(&target).await, "{path}");
    }
    for wip in [false, true] {
        for branch in ["main", "new"] {
            let mut question = json!({
                "providerVersionBranch": branch, "includePendingStatus": true,
                "consumerVersionSelectors": [{ "mainBranch": true }, { "branch": "feat/x" }, { "deployedOrReleased": true }],
            });
            if wip {
                question["includeWipPactsSince"] = "2020-01-01".into();
            }
            let asked = async |server: &Server| {
                let list = server.post("/pacts/provider/products/for-verification", question.clone()).await;
                let entries = list["_embedded"]["pacts"].as_array().unwrap().clone();
                let one = |entry: &Value| {
                    let properties = &entry["verificationProperties"];
                    (
                        entry["shortDescription"].clone(),
                        properties["pending"].clone(),
                        properties["wip"].clone(),
                    )
                };
                entries.iter().map(one).collect::<Vec<_>>()
            };
            assert_eq!(asked(&source).await, asked(&target).await, "{question}");
        }
    }
    let raw =
        target.peer.get("/pacts/provider/products/consumer/Web%20App%2F%C3%BC/latest", "pact").await.unwrap();
    assert!(raw.contains(r#""body":12345678901234567890123"#), "numbers keep their form: {raw}");
    // Again: nothing new, nothing lost.
    let again = import(&source.peer, &target.peer, REQUESTS_DEFAULT, &mut |_| {}).await.unwrap();
    assert_eq!(again, tracepact_verify::ImportReport::default());
}

fn number(version: &str) -> Value {
    serde_json::from_str::<Value>(version).unwrap()["number"].clone()
}

/// Guarantees: several requests are under way at a time, never more than were allowed, and it is told how far it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_sent_side_by_side_within_their_bound() {
    const REQUESTS: usize = 3;
    let (source, target) = (filled().await, broker().await);
    let under_way = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    // Stands before the source; holds requests back until as many as are allowed have come, or no more do.
    let front = listen(|_| {
        let (behind, under_way, most) = (source.peer.url().to_owned(), under_way.clone(), most.clone());
        axum::Router::new().fallback(move |request: axum::extract::Request| {
            let (behind, under_way, most) = (behind.clone(), under_way.clone(), most.clone());
            async move {
                most.fetch_max(under_way.fetch_add(1, SeqCst) + 1, SeqCst);
                let full = async {
                    while most.load(SeqCst) < REQUESTS {
                        tokio::task::yield_now().await;
                    }
                };
                let _no_more = tokio::time::timeout(std::time::Duration::from_millis(300), full).await;
                let path = request.uri().path_and_query().unwrap().to_string();
                let mut forward = reqwest::Client::new().get(format!("{behind}{path}"));
                for name in ["host", "authorization", "accept"] {
                    forward = forward.header(name, request.headers()[name].clone());
                }
                let answer = forward.send().await.unwrap();
                let answer = (answer.status(), answer.text().await.unwrap());
                under_way.fetch_sub(1, SeqCst);
                answer
            }
        })
    })
    .await;
    let peer = Peer::new(&front, PeerCredentials::Token(Secret::new("the-admin-token"))).unwrap();
    let mut told = Vec::new();
    let report = import(&peer, &target.peer, REQUESTS, &mut |what| told.push(what.to_owned())).await.unwrap();
    assert_eq!((report.versions, report.pacts, report.results), (7, 4, 3), "{report:?}");
    assert_eq!(most.load(SeqCst), REQUESTS);
    assert!(told.iter().any(|line| line == "pacts (4 of 4)"), "{told:?}");
    assert!(told.iter().any(|line| line.contains("(3 of 3 pacticipants)")), "{told:?}");
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
    let report = import(&source.peer, &target.peer, REQUESTS_DEFAULT, &mut |_| {}).await.unwrap();
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
    let error = import(&peer, &target.peer, REQUESTS_DEFAULT, &mut |_| {}).await.unwrap_err();
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
    let error = import(&peer, &target.peer, REQUESTS_DEFAULT, &mut |_| {}).await.unwrap_err();
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
