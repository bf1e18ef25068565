//! What cannot be right is refused with a reason, and nothing of it is kept.

use http::Request;
use serde_json::{Value, json};

use super::support::{Bench, pact, publication};

#[tokio::test]
async fn bad_publications() {
    let bench = Bench::new().await;
    let good = || publication(&pact("C", "P", "/x", "1"), "1", Some("main"), "overwrite");
    let contract = |field: &str, value: Value| {
        let mut body = good();
        body["contracts"][0][field] = value;
        body
    };
    let with = |field: &str, value: Value| {
        let mut body = good();
        body[field] = value;
        body
    };
    use base64::Engine;
    let b64 = |text: &str| json!(base64::engine::general_purpose::STANDARD.encode(text));
    let plugin = pact("C", "P", "/x", "1")
        .replace(r#""metadata":{"#, r#""metadata":{"plugins":[{"name":"protobuf"}],"#);
    for (body, reason) in [
        (json!({}), "pacticipantName"),
        (json!([]), "object"),
        (with("pacticipantVersionNumber", json!(null)), "pacticipantVersionNumber"),
        (with("pacticipantVersionNumber", json!("x".repeat(300))), "255"),
        (with("branch", json!(7)), "branch"),
        (with("branch", json!("a\nb")), "control"),
        (with("tags", json!("dev")), "tags"),
        (with("buildUrl", json!("javascript:x")), "buildUrl"),
        (with("contracts", json!(null)), "contracts"),
        (contract("content", json!("%%%")), "base64"),
        (contract("content", b64("not json")), "JSON"),
        (contract("content", b64(&"[".repeat(200_000))), "deeper"),
        (contract("content", b64(&plugin)), "protobuf"),
        (contract("content", b64(&pact("C", "Other", "/x", "1"))), "providerName"),
        (contract("consumerName", json!("D")), "pacticipantName"),
        (contract("specification", json!("oas")), "specification"),
        (contract("contentType", json!("application/yaml")), "contentType"),
        (contract("onConflict", json!("win")), "onConflict"),
    ] {
        let answer = bench.post("/contracts/publish", &body).await;
        assert_eq!(answer.status, 400, "{reason}: {}", answer.text);
        assert!(answer.text.contains(reason), "{reason}: {}", answer.text);
    }
    bench.get("/pacticipants/C").await.is(404);
}

#[tokio::test]
async fn bad_requests_of_every_kind() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let send = async |method: &str, path: &str, media: &str, body: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", media);
        bench.send(request.body(body.to_owned().into()).unwrap()).await
    };
    let results = "/pacts/provider/P/consumer/C/pact-version/none/verification-results";
    for (method, path, media, body, status) in [
        ("POST", "/contracts/publish", "application/json", "{", 400),
        ("POST", "/contracts/publish", "text/plain", "{}", 415),
        ("PUT", "/pacts/provider/P/consumer/C/version/2", "application/json", "", 400),
        ("PUT", "/pacticipants/P/branches/%0a/versions/1", "application/json", "{}", 422),
        ("PUT", "/pacticipants//versions/1", "application/json", "{}", 404),
        ("PUT", "/pacticipants/P/versions/%ff", "application/json", "{}", 400),
        ("PUT", "/pacticipants/%2E%2E/branches/main/versions/1", "application/json", "{}", 400),
        ("PUT", "/pacticipants/P/branches/main/versions/%2e%2e", "application/json", "{}", 400),
        ("POST", results, "application/json", r#"{"success":true,"providerApplicationVersion":"1"}"#, 404),
        ("POST", results, "application/json", r#"{"success":"yes"}"#, 400),
        (
            "POST",
            "/pacts/provider/P/for-verification",
            "application/json",
            r#"{"consumerVersionSelectors":[{}]}"#,
            400,
        ),
        (
            "POST",
            "/pacts/provider/P/for-verification",
            "application/json",
            r#"{"includeWipPactsSince":"soon"}"#,
            400,
        ),
        (
            "POST",
            "/pacts/provider/P/for-verification",
            "application/json",
            r#"{"consumerVersionSelectors":[{"environment":"nope"}]}"#,
            400,
        ),
        (
            "POST",
            "/pacts/provider/P/for-verification",
            "application/json",
            r#"{"consumerVersionSelectors":[{"matchingBranch":true}]}"#,
            400,
        ),
        ("POST", "/pacts/provider/Nobody/for-verification", "application/json", "{}", 404),
        ("GET", "/pacts/provider/P/consumer/C/version/9", "application/json", "", 404),
        ("GET", "/environments/none", "application/json", "", 404),
        ("GET", "/no/such/route", "application/json", "", 404),
        ("DELETE", "/contracts/publish", "application/json", "", 405),
        ("GET", "/tracepact/v1/contracts/can-i-deploy?pacticipant=C", "application/json", "", 400),
        ("GET", "/can-i-deploy?pacticipant=C&version=1", "application/json", "", 400),
        ("POST", "/tracepact/v1/proposals", "application/json", r#"{"consumer":1}"#, 400),
    ] {
        let answer = send(method, path, media, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(answer.text.len() > 10, "{method} {path} gives a reason");
    }
    let huge = format!("{{\"pacticipantName\":\"{}\"}}", "x".repeat(17 << 20));
    assert_eq!(send("POST", "/contracts/publish", "application/json", &huge).await.status, 413);
    bench.get("/").await.is(200);
}

#[tokio::test]
async fn what_is_too_deep_too_long_or_no_text_is_refused() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let send = async |method: &str, path: &str, body: Vec<u8>, length: Option<&str>| {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        bench.send(request.body(body.into()).unwrap()).await
    };
    let deep = |open: &str| open.repeat(100_000).into_bytes();
    let results = {
        let shown = bench.get("/pacts/provider/P/consumer/C/latest").await.is(200);
        super::support::path_of(&shown["_links"]["pb:publish-verification-results"]["href"]).to_owned()
    };
    for (method, path, body, length, status) in [
        ("POST", "/contracts/publish", deep("{\"a\":"), None, 400),
        ("POST", results.as_str(), deep("["), None, 400),
        ("PUT", "/pacts/provider/P/consumer/C/version/2", deep("["), None, 400),
        ("PUT", "/pacts/provider/P/consumer/C/version/2", b"{\"a\":1,\"a\":2}".to_vec(), None, 400),
        ("POST", "/pacticipants", b"{\"name\":\"\xff\"}".to_vec(), None, 400),
        ("POST", "/pacticipants", b"{\"name\":\"..\"}".to_vec(), None, 400),
        ("POST", "/pacticipants", b"{\"name\":\"a\\nb\"}".to_vec(), None, 400),
        ("POST", "/environments", b"{\"name\":\"a b\"}".to_vec(), None, 400),
        // Announced only: nobody waits for a hundred megabytes to refuse them.
        ("POST", "/contracts/publish", b"{}".to_vec(), Some("104857600"), 413),
        ("PUT", "/pacts/provider/P/consumer/C/version/2", b"{}".to_vec(), Some("104857600"), 413),
    ] {
        let answer = send(method, path, body, length).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        let told = answer.json();
        assert!(told["error"].is_string() || !told["errors"].is_null(), "{method} {path}: {told}");
    }
    let long = format!("/matrix?{}", "a=1&".repeat(5_000));
    bench.get(&long).await.is(400);
    let mut huge = json!({});
    for _ in 0..100 {
        huge = json!({ "a": huge });
    }
    let body = json!({ "success": true, "providerApplicationVersion": "1", "testResults": huge });
    let answer = bench.post(&results, &body).await;
    assert!(answer.status == 201 || answer.status == 400, "{}", answer.text);
    bench.get("/pacticipants/C/versions/2").await.is(404);
}

/// Guarantees: a body of which no end is announced is refused at its limit; what its sender has under way is taken, within
/// bounds, so that the refusal is read, and not kept.
#[tokio::test]
async fn a_body_without_an_end_is_refused() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    const CHUNK: usize = 1 << 20;
    let bench = Bench::new().await;
    for path in ["/contracts/publish", "/tracepact/v1/proposals", "/pacticipants"] {
        let read = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = read.clone();
        let chunks = futures::stream::iter((0..10_000).map(move |_| {
            counted.fetch_add(CHUNK, SeqCst);
            Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![b' '; CHUNK]))
        }));
        let request =
            Request::post(path).header("host", "localhost").header("content-type", "application/json");
        let answer = bench.send(request.body(axum::body::Body::from_stream(chunks)).unwrap()).await;
        assert_eq!(answer.status, 413, "{path}: {}", answer.text);
        assert!(read.load(SeqCst) <= (16 + 128 + 2) * CHUNK, "{path}: {} bytes were read", read.load(SeqCst));
    }
    bench.get("/").await.is(200);
}

#[tokio::test]
async fn unknown_environments_are_named_in_the_form_of_the_original() {
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let path = "/matrix?q%5B%5D%5Bpacticipant%5D=C&q%5B%5D%5Bversion%5D=1&latestby=cvpv&environment=nowhere";
    let answer = bench.get(path).await.is(400);
    assert!(answer["errors"].to_string().contains("nowhere"), "{answer}");
    let path = "/pacticipants/C/versions/1/deployed-versions/environment/nowhere";
    assert!(bench.post(path, &json!({})).await.is(404)["error"].is_string());
}

/// Takes as long as a writer waits for a lock.
#[tokio::test]
async fn a_locked_database_is_told_with_a_retry_time_and_nothing_is_half_written() {
    use sqlx::{Connection, Executor};
    if !super::databases::is_file() {
        return;
    }
    let bench = Bench::new().await;
    bench.publish(&pact("C", "P", "/x", "1"), "1", "main").await.is(200);
    let mut other = sqlx::SqliteConnection::connect(&format!("sqlite://{}", bench.database_file().display()))
        .await
        .unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let answer = bench.publish(&pact("C", "P", "/x", "2"), "2", "main").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"));
    assert!(answer.json()["error"].as_str().unwrap().contains("locked"), "{}", answer.text);
    // Readers are not held up.
    bench.get("/pacts/provider/P/consumer/C/version/1").await.is(200);
    other.execute("ROLLBACK").await.unwrap();
    bench.get("/pacticipants/C/versions/2").await.is(404);
    bench.publish(&pact("C", "P", "/x", "2"), "2", "main").await.is(200);
}
