//! The environment names that users of the Pact Broker have, set for the built server as they had them: what each does is
//! seen from outside.

use std::time::Duration;

use serde_json::{Value, json};
use tracepact_tests::until;

use super::server::Server;

/// A request to the broker's port; its status and body.
async fn ask(
    base: &str,
    user: Option<(&str, &str)>,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, String) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = reqwest::Client::new().request(method.clone(), format!("{base}{path}"));
    if let Some((name, password)) = user {
        request = request.basic_auth(name, Some(password));
    }
    if method != reqwest::Method::GET {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn pact(consumer: &str, name: &str) -> Value {
    json!({
        "consumer": { "name": consumer }, "provider": { "name": "catalog" },
        "interactions": [{ "description": "x", "request": { "method": "GET", "path": "/" },
                           "response": { "status": 200, "body": { "name": name } } }],
    })
}

const PUBLISH: &str = "/pacts/provider/catalog/consumer/web/version/1";
const HEARTBEAT: &str = "/diagnostic/status/heartbeat";
const BADGE: &str = "/pacts/provider/catalog/consumer/web/latest/badge";

async fn start(variables: &[(&str, &str)]) -> Server {
    let folder = tempfile::tempdir().unwrap();
    Server::start_in(folder, &[], variables).await
}

#[tokio::test]
async fn every_name_does_what_it_did_there() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("elsewhere.db");
    let url = format!("sqlite://{}", database.display());
    let server = Server::start_in(
        folder,
        &[],
        &[
            ("PACT_BROKER_DATABASE_URL", url.as_str()),
            ("PACT_BROKER_PORT", port.as_str()),
            ("PACT_BROKER_BASE_URL", "https://pacts.example.org/broker"),
            ("PACT_BROKER_BASIC_AUTH_USERNAME", "writer"),
            ("PACT_BROKER_BASIC_AUTH_PASSWORD", "writes"),
            ("PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME", "reader"),
            ("PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD", "reads"),
            ("PACT_BROKER_PUBLIC_HEARTBEAT", "true"),
            ("PACT_BROKER_ENABLE_PUBLIC_BADGE_ACCESS", "true"),
            ("PACT_BROKER_WEBHOOK_HTTP_METHOD_WHITELIST", "PUT"),
            ("PACT_BROKER_WEBHOOK_SCHEME_WHITELIST", "http"),
            ("PACT_BROKER_WEBHOOK_HOST_WHITELIST", "ci.example.org 127.0.0.0/8"),
            ("PACT_BROKER_WEBHOOK_RETRY_SCHEDULE", "1 2"),
            ("PACT_BROKER_CHECK_FOR_POTENTIAL_DUPLICATE_PACTICIPANT_NAMES", "true"),
            ("PACT_BROKER_ALLOW_DANGEROUS_CONTRACT_MODIFICATION", "true"),
            ("PACT_BROKER_LOG_LEVEL", "DEBUG"),
            ("PACT_BROKER_PUBLIC_HARTBEAT", "true"),
        ],
    )
    .await;
    let base = format!("http://127.0.0.1:{port}");
    let (writer, reader) = (Some(("writer", "writes")), Some(("reader", "reads")));
    let nothing = json!({});
    let ask = async |user, method: &str, path: &str, body: &Value| ask(&base, user, method, path, body).await;

    // Who may do what, and what is open.
    assert_eq!(ask(None, "GET", "/pacticipants", &nothing).await.0, 401);
    assert_eq!(ask(None, "GET", HEARTBEAT, &nothing).await.0, 200);
    assert_eq!(ask(reader, "PUT", PUBLISH, &pact("web", "tea")).await.0, 403);
    assert_eq!(ask(writer, "PUT", PUBLISH, &pact("web", "tea")).await.0, 201);
    for path in [BADGE.to_owned(), format!("{BADGE}.svg")] {
        let (status, image) = ask(None, "GET", &path, &nothing).await;
        assert!(status == 200 && image.starts_with("<svg"), "{path}: {status} {image}");
    }
    assert!(database.is_file(), "the address of the database");

    // Links begin as a proxy has it.
    let (status, shown) = ask(reader, "GET", PUBLISH, &nothing).await;
    assert!(status == 200 && shown.contains("https://pacts.example.org/broker/pacts/"), "{shown}");

    // A version's contract may change.
    assert_eq!(ask(writer, "PUT", PUBLISH, &pact("web", "coffee")).await.0, 200);
    // A name that is nearly another's is asked about.
    let path = "/pacts/provider/catalog/consumer/Web%20Service/version/1";
    let (status, said) = ask(writer, "PUT", path, &pact("Web Service", "tea")).await;
    assert!(status == 409 && said.contains("very similar"), "{status} {said}");

    // Where webhooks may go, and how.
    let hook = |method: &str, url: &str| json!({ "events": [{ "name": "contract_published" }], "request": { "method": method, "url": url } });
    for (method, url, status) in [
        ("PUT", "http://ci.example.org/build", 201),
        ("PUT", "http://127.0.0.1:1/build", 201),
        ("POST", "http://ci.example.org/build", 400),
        ("PUT", "https://ci.example.org/build", 400),
        ("PUT", "http://other.example.org/build", 400),
    ] {
        let (is, said) = ask(writer, "POST", "/webhooks", &hook(method, url)).await;
        assert_eq!(is, status, "{method} {url}: {said}");
    }
    // Two pauses, so three attempts, and it is given up.
    assert_eq!(
        ask(writer, "PUT", "/pacts/provider/catalog/consumer/web/version/2", &pact("web", "tea")).await.0,
        201
    );
    until(Duration::from_secs(30), "the third attempt", async || {
        let place = "/pacts/provider/catalog/consumer/web/version/2/triggered-webhooks";
        let list: Value = serde_json::from_str(&ask(reader, "GET", place, &nothing).await.1)?;
        let all = list["_embedded"]["triggeredWebhooks"].as_array().cloned().unwrap_or_default();
        let over = |one: &Value| one["status"] == "failure" && one["attemptsMade"] == 3;
        Ok(all.iter().any(over).then_some(()))
    })
    .await
    .unwrap();
    let log = server.stop_for_log().await;
    assert!(log.contains("PACT_BROKER_PUBLIC_HARTBEAT is set and is not known here"), "{log}");
    assert!(log.contains("did you mean `PACT_BROKER_PUBLIC_HEARTBEAT`?"), "{log}");
    assert!(log.contains("DEBUG"), "the level: {log}");
}

#[tokio::test]
async fn what_they_close_is_closed() {
    let users =
        [("PACT_BROKER_BASIC_AUTH_USERNAME", "writer"), ("PACT_BROKER_BASIC_AUTH_PASSWORD", "writes")];
    let server = start(&[&users[..], &[("PACT_BROKER_PUBLIC_HEARTBEAT", "false")]].concat()).await;
    let base = server.broker_url();
    let nothing = json!({});
    assert_eq!(ask(&base, None, "GET", HEARTBEAT, &nothing).await.0, 401);
    assert_eq!(ask(&base, Some(("writer", "writes")), "GET", HEARTBEAT, &nothing).await.0, 200);
    assert_eq!(ask(&base, Some(("writer", "writes")), "PUT", PUBLISH, &pact("web", "tea")).await.0, 201);
    assert_eq!(
        ask(&base, None, "GET", BADGE, &nothing).await.0,
        401,
        "badges are open only when they are opened"
    );
    let changed = ask(&base, Some(("writer", "writes")), "PUT", PUBLISH, &pact("web", "coffee")).await;
    assert_eq!(changed.0, 409, "{}", changed.1);
    server.stop().await;

    let server = start(&[&users[..], &[("PACT_BROKER_ALLOW_PUBLIC_READ", "true")]].concat()).await;
    let base = server.broker_url();
    assert_eq!(ask(&base, None, "GET", "/pacticipants", &nothing).await.0, 200);
    assert_eq!(ask(&base, None, "PUT", PUBLISH, &pact("web", "tea")).await.0, 401);
    server.stop().await;
}
