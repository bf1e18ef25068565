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
        ("PUT", "/pacticipants/P/branches/%0a/versions/1", "application/json", "{}", 400),
        ("PUT", "/pacticipants/P/versions/%ff", "application/json", "{}", 400),
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
