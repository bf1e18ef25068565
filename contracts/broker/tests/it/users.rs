//! Users: who may do what, that secrets stay secret, and that every change is written down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request};
use serde_json::{Value, json};
use tracepact_base::Secret;
use tracepact_broker::{BasicPair, BrokerConfig};

use super::databases;
use super::support::{ADMIN, Answer, Bench, pact, publication, result};

/// A request under somebody's credentials.
pub(super) async fn ask(
    bench: &Bench,
    credentials: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json");
    if !credentials.is_empty() {
        request = request.header("authorization", credentials);
    }
    bench.send(request.body(body.to_string().into()).unwrap()).await
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A user with these rights; the header that proves a token of theirs.
pub(super) async fn user(bench: &Bench, name: &str, grants: &[&str]) -> String {
    let path = format!("/tracepact/v1/broker/users/{name}");
    bench.put(&path, &json!({ "grants": grants })).await.is(201);
    let made = bench.post(&format!("{path}/tokens"), &json!({ "name": "ci" })).await.is(201);
    format!("Bearer {}", made["token"].as_str().unwrap())
}

#[tokio::test]
async fn without_users_everything_is_as_the_listener_has_it_and_the_first_closes_it() {
    let bench = Bench::new().await;
    let publish = async |credentials: &str, version: &str| {
        let body = publication(&pact("C", "P", "/x", "1"), version, Some("main"), "overwrite");
        ask(&bench, credentials, Method::POST, "/contracts/publish", &body).await.status.as_u16()
    };
    assert_eq!(publish("", "1").await, 200);
    // An unknown token gives no less than none.
    assert_eq!(publish("Bearer nobody's-token", "1").await, 200);
    let ci = user(&bench, "ci", &["publish:C"]).await;
    assert_eq!(publish("", "2").await, 401);
    assert_eq!(publish("Bearer nobody's-token", "2").await, 401);
    assert_eq!(publish(&ci, "2").await, 200);
    assert_eq!(publish(&format!("Bearer {ADMIN}"), "3").await, 200);
    // Old clients know basic authentication only, and some wait to be asked for it.
    let token = ci.strip_prefix("Bearer ").unwrap();
    assert_eq!(publish(&basic("whoever", token), "4").await, 200);
    let refused = ask(&bench, "", Method::GET, "/pacticipants", &json!({})).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    // The heartbeat is for everybody.
    assert_eq!(ask(&bench, "", Method::GET, "/diagnostic/status/heartbeat", &json!({})).await.status, 200);
    // The last one gone, it is open again.
    bench.write(Method::DELETE, "/tracepact/v1/broker/users/ci", &json!({})).await.is(204);
    assert_eq!(publish("", "5").await, 200);
}

#[tokio::test]
async fn rights_are_of_named_things_only() {
    let bench = Bench::new().await;
    bench.environment("test").await;
    let prod = bench.environment("prod").await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let consumer = user(&bench, "consumer", &["publish:C"]).await;
    let provider = user(&bench, "provider", &["verify:P", "deploy:test"]).await;
    let reader = user(&bench, "reader", &[]).await;
    let content: Value = {
        let shown =
            ask(&bench, &reader, Method::GET, "/pacts/provider/P/consumer/C/latest", &json!({})).await;
        shown.is(200)
    };
    let results =
        super::support::path_of(&content["_links"]["pb:publish-verification-results"]["href"]).to_owned();
    let test = "/pacticipants/P/versions/9/deployed-versions/environment/test";
    let in_prod = format!("/pacticipants/P/versions/9/deployed-versions/environment/{prod}");
    let of_c = publication(&pact("C", "P", "/x", "2"), "2", Some("main"), "overwrite");
    let of_d = publication(&pact("D", "P", "/x", "2"), "2", Some("main"), "overwrite");
    let verified = result("9", true, &content);
    let nothing = json!({});
    for (who, method, path, body, status) in [
        (&consumer, Method::POST, "/contracts/publish", &of_c, 200),
        (&consumer, Method::POST, "/contracts/publish", &of_d, 403),
        (&consumer, Method::PUT, "/pacticipants/C/branches/x/versions/3", &nothing, 201),
        (&consumer, Method::PUT, "/pacticipants/P/branches/x/versions/3", &nothing, 403),
        (&consumer, Method::POST, results.as_str(), &verified, 403),
        (&consumer, Method::DELETE, "/pacticipants/C", &nothing, 403),
        (&consumer, Method::POST, "/pacticipants", &json!({ "name": "Other" }), 403),
        (&provider, Method::POST, results.as_str(), &verified, 201),
        (&provider, Method::POST, "/contracts/publish", &of_c, 403),
        (&provider, Method::POST, test, &nothing, 201),
        (&provider, Method::POST, in_prod.as_str(), &nothing, 403),
        (&provider, Method::POST, "/environments", &json!({ "name": "more" }), 403),
        (&reader, Method::GET, "/pacticipants", &nothing, 200),
        (&reader, Method::POST, "/pacts/provider/P/for-verification", &nothing, 200),
        (&reader, Method::POST, "/contracts/publish", &of_c, 403),
        (&reader, Method::GET, "/tracepact/v1/broker/users", &nothing, 403),
        (&reader, Method::GET, "/tracepact/v1/broker/audit", &nothing, 403),
        (&reader, Method::POST, "/webhooks", &nothing, 403),
    ] {
        let answer = ask(&bench, who, method.clone(), path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
    // Undeploying needs the environment's right, too.
    let list = ask(
        &bench,
        &reader,
        Method::GET,
        "/environments/test/deployed-versions/currently-deployed",
        &nothing,
    );
    let list = list.await.is(200);
    let deployed =
        super::support::path_of(&list["_embedded"]["deployedVersions"][0]["_links"]["self"]["href"])
            .to_owned();
    let ended = json!({ "currentlyDeployed": false });
    assert_eq!(ask(&bench, &consumer, Method::PATCH, &deployed, &ended).await.status, 403);
    assert_eq!(ask(&bench, &provider, Method::PATCH, &deployed, &ended).await.status, 200);
    // A result says who posted it.
    let shown = bench.get("/pacts/provider/P/consumer/C/latest/verification-results/latest").await;
    let shown = if shown.status == 401 {
        ask(
            &bench,
            &reader,
            Method::GET,
            "/pacts/provider/P/consumer/C/version/1/verification-results/latest",
            &nothing,
        )
        .await
    } else {
        shown
    };
    assert_eq!(shown.is(200)["postedBy"], "provider");
}

#[tokio::test]
async fn tokens_end_and_passwords_are_kept_as_hashes() {
    let (database, _dir) = databases::fresh().await;
    let bench = Bench::with(|c| *c = BrokerConfig::new(database.clone())).await;
    let path = "/tracepact/v1/broker/users/ann";
    let password = "correct horse battery";
    bench.put(path, &json!({ "password": password, "grants": ["publish:C"] })).await.is(201);
    let get = async |credentials: &str| {
        ask(&bench, credentials, Method::GET, "/pacticipants", &json!({})).await.status.as_u16()
    };
    assert_eq!(get(&basic("ann", password)).await, 200);
    assert_eq!(get(&basic("ann", password)).await, 200, "and again, from memory");
    assert_eq!(get(&basic("ann", "correct horse batterz")).await, 401);
    assert_eq!(get(&basic("bob", password)).await, 401);
    assert_eq!(get(&format!("Bearer {password}")).await, 401, "a password is no token");
    // A changed password holds at once.
    bench.put(path, &json!({ "password": "another long password" })).await.is(200);
    assert_eq!(get(&basic("ann", password)).await, 401);
    assert_eq!(get(&basic("ann", "another long password")).await, 200);
    let made =
        bench.post(&format!("{path}/tokens"), &json!({ "name": "ci", "expires_in_days": 1 })).await.is(201);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    assert_eq!(get(&bearer).await, 200);
    let shown = bench.write(Method::GET, "/tracepact/v1/broker/users", &json!({})).await;
    assert!(
        !shown.text.contains(made["token"].as_str().unwrap()) && !shown.text.contains("argon2"),
        "{}",
        shown.text
    );
    bench.clock.advance_ns(86_400_000_000_001);
    assert_eq!(get(&bearer).await, 401, "it ended");
    let made = bench.post(&format!("{path}/tokens"), &json!({ "name": "ci" })).await.is(201);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    assert_eq!(get(&bearer).await, 200);
    let id = made["id"].as_str().unwrap();
    bench.write(Method::DELETE, &format!("/tracepact/v1/broker/tokens/{id}"), &json!({})).await.is(204);
    assert_eq!(get(&bearer).await, 401, "it was revoked");
    for (change, reason) in [
        (json!({ "password": "short" }), "12"),
        (json!({ "grants": ["root"] }), "there is no role"),
        (json!({ "grant": [] }), "unknown field"),
    ] {
        let refused = bench.put(path, &change).await;
        assert!(refused.status.is_client_error() && refused.text.contains(reason), "{}", refused.text);
    }
    assert_eq!(bench.put("/tracepact/v1/broker/users/a:b", &json!({})).await.status, 400);
    // Nothing of them lies in the database as it is.
    if databases::is_file() {
        let tracepact_broker::Database::File(file) = &database else { panic!("a file") };
        let mut bytes = std::fs::read(file).unwrap();
        bytes.extend(std::fs::read(file.with_extension("db-wal")).unwrap_or_default());
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("$argon2id$") && !text.contains("another long password"));
        assert!(!text.contains(bearer.strip_prefix("Bearer ").unwrap()));
    }
}

#[tokio::test]
async fn the_pairs_of_the_settings_are_those_of_a_pact_broker() {
    let pair = |name: &str| {
        Some(BasicPair { username: name.to_owned(), password: Secret::new(format!("{name}-password")) })
    };
    let bench = Bench::with(|c| {
        c.auth.writer = pair("writer");
        c.auth.reader = pair("reader");
    })
    .await;
    let (writer, reader) = (basic("writer", "writer-password"), basic("reader", "reader-password"));
    let body = publication(&pact("C", "P", "/x", "1"), "1", Some("main"), "overwrite");
    let nothing = json!({});
    for (who, method, path, body, status) in [
        ("", Method::GET, "/", &nothing, 401),
        (&reader, Method::GET, "/", &nothing, 200),
        (&reader, Method::POST, "/contracts/publish", &body, 403),
        (&writer, Method::POST, "/contracts/publish", &body, 200),
        (&writer, Method::DELETE, "/pacticipants/C", &nothing, 204),
        (&writer, Method::GET, "/tracepact/v1/broker/users", &nothing, 403),
        (&basic("writer", "reader-password"), Method::GET, "/", &nothing, 401),
    ] {
        let answer = ask(&bench, who, method.clone(), path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
    let open = Bench::with(|c| {
        c.auth.writer = pair("writer");
        c.auth.allow_public_read = true;
    })
    .await;
    assert_eq!(ask(&open, "", Method::GET, "/", &nothing).await.status, 200);
    assert_eq!(ask(&open, "", Method::POST, "/contracts/publish", &body).await.status, 401);
    assert_eq!(ask(&open, "", Method::GET, "/tracepact/v1/broker/users", &nothing).await.status, 401);
    // What is open is open with a file's extension, too, and nothing else by it.
    let badges = Bench::with(|c| {
        c.auth.writer = pair("writer");
        c.public_badges = true;
    })
    .await;
    assert_eq!(ask(&badges, &writer, Method::POST, "/contracts/publish", &body).await.status, 200);
    let latest = "/pacts/provider/P/consumer/C/latest";
    for (path, status) in [("/badge", 200), ("/badge.svg", 200), ("", 401), (".json", 401)] {
        let answer = ask(&badges, "", Method::GET, &format!("{latest}{path}"), &nothing).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_change_is_written_down_with_who_made_it() {
    let bench = Bench::new().await;
    let ci = user(&bench, "ci", &["publish:C"]).await;
    let body = publication(&pact("C", "P", "/x", "1"), "1", Some("main"), "overwrite");
    ask(&bench, &ci, Method::POST, "/contracts/publish", &body).await.is(200);
    ask(&bench, &ci, Method::PUT, "/pacticipants/C/versions/1/tags/a%2Fb", &json!({})).await.is(201);
    // What was refused changed nothing.
    assert_eq!(ask(&bench, &ci, Method::DELETE, "/pacticipants/C", &json!({})).await.status, 403);
    let log = bench.write(Method::GET, "/tracepact/v1/broker/audit?limit=3", &json!({})).await.is(200);
    let seen: Vec<(&str, &str)> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["who"].as_str().unwrap(), e["what"].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("ci", "PUT /pacticipants/C/versions/1/tags/a%2Fb"),
            ("ci", "POST /contracts/publish"),
            ("admin token", "POST /tracepact/v1/broker/users/ci/tokens"),
        ]
    );
    assert_eq!(log["complete"], false);
    let before = log["entries"][2]["id"].as_i64().unwrap();
    let rest =
        bench.write(Method::GET, &format!("/tracepact/v1/broker/audit?before={before}"), &json!({})).await;
    let rest = rest.is(200);
    assert_eq!(rest["entries"][0]["what"], "PUT /tracepact/v1/broker/users/ci");
    assert_eq!(rest["complete"], true);
}
