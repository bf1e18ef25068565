//! From the original broker (2.120.0), as its recorded answers show it. Lists that no client of the recordings asked for
//! are written in its form.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tracepact_verify::{Peer, PeerCredentials, REQUESTS_DEFAULT, import};

use super::servers::{broker, listen};

fn fixture(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../broker/tests/fixtures/traffic").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The answer to the first request whose method and path begin like this.
fn answer(flow: &Value, method: &str, path: &str) -> Value {
    let exchanges = flow["exchanges"].as_array().unwrap();
    let found = exchanges.iter().find(|e| {
        e["request"]["method"] == method && e["request"]["path"].as_str().unwrap().starts_with(path)
    });
    found.unwrap_or_else(|| panic!("no {method} {path} was recorded"))["answer"]["body"].clone()
}

/// Links of the fixtures have no host; those of a broker do.
fn absolute(body: &mut Value, url: &str) {
    match body {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "href" && text.starts_with('/') => {
                        *text = format!("{url}{text}")
                    }
                    Value::String(text) if key == "href" && text.is_empty() => url.clone_into(text),
                    other => absolute(other, url),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| absolute(item, url)),
        _ => {}
    }
}

fn recorded_broker() -> BTreeMap<String, Value> {
    let flow = fixture("python_full_flow.json");
    let provider = answer(&flow, "GET", "/pacticipants/Provider");
    let provider_version = answer(&flow, "GET", "/pacticipants/Provider/versions/9");
    let pact = answer(&flow, "GET", "/pacts/provider/Provider/consumer/Consumer/pact-version/");
    let result = answer(&flow, "POST", "/pacts/provider/Provider/consumer/Consumer/pact-version/");
    let deployed = answer(&flow, "POST", "/pacticipants/Provider/versions/9/deployed-versions/");
    let matrix = answer(&flow, "GET", "/matrix");
    let environment = deployed["_embedded"]["environment"].clone();
    let in_environment = format!("/environments/{}", environment["uuid"].as_str().unwrap());
    let mut consumer = provider.clone();
    consumer["name"] = "Consumer".into();
    consumer["displayName"] = "Consumer".into();
    let list = |links: Value| json!({ "_links": { "pb:versions": links, "versions": links }, "_embedded": { "versions": [] } });
    let consumer_version = json!({
        "number": "1", "createdAt": pact["createdAt"],
        "_embedded": { "branchVersions": [{ "name": "main", "latest": true }], "tags": [] },
        "_links": { "pb:pact-versions": [{ "href": pact["_links"]["self"]["href"] }] },
    });
    let own = |path: &Value| path.as_str().unwrap().to_owned();
    BTreeMap::from([
        ("/".into(), fixture("index.json")),
        (
            "/pacticipants".into(),
            json!({ "_embedded": { "pacticipants": [consumer, provider] }, "_links": {} }),
        ),
        (
            "/pacticipants/Consumer/versions".into(),
            list(json!([{ "href": "/pacticipants/Consumer/versions/1" }])),
        ),
        (
            "/pacticipants/Provider/versions".into(),
            list(json!([{ "href": "/pacticipants/Provider/versions/9" }])),
        ),
        ("/pacticipants/Consumer/versions/1".into(), consumer_version),
        ("/pacticipants/Provider/versions/9".into(), provider_version),
        (own(&pact["_links"]["self"]["href"]), pact),
        (own(&matrix["matrix"][0]["verificationResult"]["_links"]["self"]["href"]), result),
        ("/matrix".into(), matrix),
        ("/environments".into(), json!({ "_embedded": { "environments": [environment] }, "_links": {} })),
        (
            format!("{in_environment}/deployed-versions/currently-deployed"),
            json!({ "_embedded": { "deployedVersions": [deployed] } }),
        ),
        (
            format!("{in_environment}/released-versions/currently-supported"),
            json!({ "_embedded": { "releasedVersions": [] } }),
        ),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_broker_is_taken_over() {
    let target = broker().await;
    let url = listen(|url| {
        let mut answers = recorded_broker();
        answers.values_mut().for_each(|body| absolute(body, url));
        let answers = Arc::new(answers);
        axum::Router::new().fallback(move |uri: Uri| {
            let found = answers.get(uri.path()).cloned();
            async move {
                match found {
                    Some(body) => axum::Json(body).into_response(),
                    None => (StatusCode::NOT_FOUND, axum::Json(json!({ "error": "not recorded" })))
                        .into_response(),
                }
            }
        })
    })
    .await;
    let source = Peer::new(&url, PeerCredentials::None).unwrap();
    let report = import(&source, &target.peer, REQUESTS_DEFAULT, &mut |_| {}).await.unwrap();
    assert_eq!(
        (report.pacticipants, report.versions, report.pacts, report.results, report.presences),
        (2, 2, 1, 1, 1),
        "{report:?}"
    );
    assert!(report.kept.is_empty() && report.skipped.is_empty(), "{report:?}");
    let gate = target
        .get(
            "/matrix?q%5B%5D%5Bpacticipant%5D=Consumer&q%5B%5D%5Bversion%5D=1&latestby=cvpv&environment=env5",
        )
        .await;
    assert_eq!((&gate["summary"]["deployable"], &gate["summary"]["success"]), (&json!(true), &json!(1)));
    let pact = target.get("/pacts/provider/Provider/consumer/Consumer/latest").await;
    assert_eq!(pact["createdAt"], "2026-11-21T00:52:31+00:00");
    let result = target.get(target.path(&pact["_links"]["pb:latest-verification-results"])).await;
    // Its interaction has the id that it has here.
    assert_eq!(result["testResults"][0]["interactionId"], pact["interactions"][0]["_id"]);
    assert_eq!(result["verificationDate"], "2026-11-21T00:52:31+00:00");
    let again = import(&source, &target.peer, REQUESTS_DEFAULT, &mut |_| {}).await.unwrap();
    assert_eq!(again, tracepact_verify::ImportReport::default());
}
