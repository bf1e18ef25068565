//! Provider tests generated for Java, compiled by Maven and run with pact-jvm, from a contract full of hostile text.

use std::path::Path;
use std::process::Command as StdCommand;

use axum::extract::Query;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::process::Command;
use tracepact_tests::binaries::Binaries;

use super::server::{Ran, fixture, run};

const HOSTILE: [&str; 5] = [
    "\"; System.exit(1); //",
    "*/ }\n\r\u{2028} class X {} /*",
    "\\u0022; System.exit(1); //",
    "../../etc/passwd",
    "${x} {} é😀\u{202e}",
];

fn contract() -> Value {
    let mut interactions: Vec<Value> = HOSTILE
        .iter()
        .enumerate()
        .map(|(index, text)| {
            json!({
                "type": "Synchronous/HTTP", "description": text,
                "providerStates": [{ "name": text, "params": { "index": index } }],
                "request": { "method": "GET", "path": "/echo", "query": { "text": [index.to_string()] } },
                "response": { "status": 200, "headers": { "Content-Type": ["application/json"] },
                    "body": { "content": { "text": index.to_string() }, "contentType": "application/json", "encoded": false } },
            })
        })
        .collect();
    interactions.push(json!({
        "type": "Asynchronous/Messages", "description": "an \"order\" \\u0022 was placed",
        "contents": { "content": { "id": 7 }, "contentType": "application/json", "encoded": false },
        "metadata": { "topic": "orders" },
    }));
    json!({
        "consumer": { "name": "\"*/ ../x" }, "provider": { "name": "\\u0022; {}" }, "interactions": interactions,
        "metadata": { "pactSpecification": { "version": "4.0" } },
    })
}

/// A provider that answers `right` or not, sets up every state and makes the message.
async fn provider(right: bool) -> String {
    type Asked = Query<std::collections::BTreeMap<String, String>>;
    let echo = move |Query(query): Asked| async move {
        Json(json!({ "text": if right { query["text"].as_str() } else { "wrong" } }))
    };
    let message = move || async move { Json(json!({ "id": if right { 7 } else { 8 } })) };
    let router = Router::new()
        .route("/echo", get(echo))
        .route("/state", post(|| async { Json(json!({})) }))
        .route("/message", post(message));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn maven(project: &Path, provider: &str) -> Ran {
    let mut command = Command::new("mvn");
    command
        .args(["-B", "test"])
        .current_dir(project)
        .env("PROVIDER_URL", provider)
        .env("PROVIDER_STATE_URL", format!("{provider}/state"))
        .env("PROVIDER_MESSAGE_URL", format!("{provider}/message"))
        .env("pact_do_not_track", "true");
    run(&mut command).await
}

#[tokio::test]
async fn hostile_contracts_become_java_that_compiles_and_tells_a_good_provider_from_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    let project = dir.path().join("project");
    std::fs::create_dir(&project).unwrap();
    std::fs::copy(fixture("generated-java/pom.xml"), project.join("pom.xml")).unwrap();
    let file = dir.path().join("contract.json");
    std::fs::write(&file, contract().to_string()).unwrap();
    let made = StdCommand::new(Binaries::find().unwrap().tracepact)
        .args(["contract", "generate", "--language", "java", "--out"])
        .arg(&project)
        .arg(&file)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let good = provider(true).await;
    maven(&project, &good).await.ended_with(0).said("Tests run: 6, Failures: 0, Errors: 0");
    let bad = provider(false).await;
    maven(&project, &bad).await.ended_with(1).said("Tests run: 6, Failures: 6");
}
