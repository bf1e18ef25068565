//! Zipkin's own environment names on the built binary: what they switch is switched.

use std::time::Duration;

use serde_json::Value;

use crate::server::Server;
use crate::spans::now_us;

async fn with(dir: &std::path::Path, variables: &[(&str, &str)]) -> Server {
    Server::start_with(dir, "127.0.0.1", |command| {
        command.envs(variables.iter().copied());
    })
    .await
}

#[tokio::test]
async fn our_own_requests_become_spans_and_never_of_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        with(dir.path(), &[("SELF_TRACING_ENABLED", "true"), ("SELF_TRACING_TRACES_PER_SECOND", "0")]).await;
    let trace_id = "463ac35c9f6413ad48485a3953bb6124";
    let asked = server
        .client
        .get(format!("{}/zipkin/api/v2/services?x=secret", server.http))
        .header("b3", format!("{trace_id}-a2fb4a1d1a96d312-1"));
    assert_eq!(asked.send().await.unwrap().status(), 200);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let span = loop {
        let (status, text) = server.get(&format!("/api/v2/trace/{trace_id}")).await;
        if status == 200 {
            let spans: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(spans.as_array().unwrap().len(), 1, "storing a span is not traced: {text}");
            break spans[0].clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "the span did not come: {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(span["localEndpoint"]["serviceName"], "tracepact");
    assert_eq!(span["name"], "get /api/v2/services");
    assert_eq!((&span["kind"], &span["parentId"]), (&"SERVER".into(), &"a2fb4a1d1a96d312".into()));
    assert_eq!(span["tags"]["http.path"], "/zipkin/api/v2/services");
    assert_eq!(span["tags"]["http.status_code"], "200");
    let (_, metrics) = server.get("/metrics").await;
    assert!(
        metrics.contains(
            "tracepact_ingest_spans_total{format=\"zipkin_json\",sender=\"tracepact\",transport=\"local\"}"
        ),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_server_that_answers_no_questions_still_takes_spans() {
    let dir = tempfile::tempdir().unwrap();
    let server = with(dir.path(), &[("QUERY_ENABLED", "false")]).await;
    for path in ["/api/v2/traces", "/zipkin/api/v2/traces", "/tracepact/v1/traces", "/zipkin/", "/index.html"]
    {
        assert_eq!(server.get(path).await.0, 404, "{path}");
    }
    let span = format!("[{{\"traceId\":\"1\",\"id\":\"1\",\"timestamp\":{}}}]", now_us());
    let sent = server.client.post(format!("{}/api/v2/spans", server.http)).body(span);
    assert_eq!(sent.send().await.unwrap().status(), 202);
    assert_eq!(server.get("/health").await.0, 200);
}

#[tokio::test]
async fn the_page_is_told_what_the_environment_says_and_shown_from_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("lens");
    std::fs::create_dir(&page).unwrap();
    std::fs::write(page.join("index.html"), "<base href=\"/zipkin/\"><p>the page</p>").unwrap();
    let variables = [
        ("ZIPKIN_UI_ENVIRONMENT", "staging"),
        ("ZIPKIN_UI_QUERY_LIMIT", "25"),
        ("SEARCH_ENABLED", "false"),
        ("ZIPKIN_UI_BASEPATH", "/tools/zipkin"),
    ];
    let server = Server::start_with(dir.path(), "127.0.0.1", |command| {
        command.envs(variables).arg("--zipkin-ui").arg(&page);
    })
    .await;
    let config: Value = serde_json::from_str(&server.get("/zipkin/config.json").await.1).unwrap();
    assert_eq!((&config["environment"], &config["queryLimit"]), (&"staging".into(), &25.into()));
    assert_eq!(config["searchEnabled"], false);
    let (status, html) = server.get("/zipkin/traces/463ac35c9f6413ad").await;
    assert_eq!((status, html.as_str()), (200, "<base href=\"/tools/zipkin/\"><p>the page</p>"));
    let (status, native) = server.get("/tracepact/v1/traces").await;
    assert_eq!(status, 403, "{native}");
}

#[tokio::test]
async fn only_listed_origins_are_served_when_there_is_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let server = with(dir.path(), &[("ZIPKIN_QUERY_ALLOWED_ORIGINS", "http://foo.example.com")]).await;
    let ask = async |origin: &str| {
        let request = server.client.get(format!("{}/api/v2/traces", server.http)).header("origin", origin);
        let answer = request.send().await.unwrap();
        answer.headers().get("access-control-allow-origin").map(|v| v.to_str().unwrap().to_owned())
    };
    assert_eq!(ask("http://foo.example.com").await.as_deref(), Some("http://foo.example.com"));
    assert_eq!(ask("http://bar.example.com").await, None);
}

#[tokio::test]
async fn version_and_health_stand_where_zipkins_readers_look() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    for path in ["/info", "/actuator/info"] {
        let info: Value = serde_json::from_str(&server.get(path).await.1).unwrap();
        assert!(info["zipkin"]["version"].as_str().unwrap().starts_with("tracepact-"), "{path}");
    }
    for path in ["/health", "/actuator/health"] {
        let health: Value = serde_json::from_str(&server.get(path).await.1).unwrap();
        assert_eq!((&health["status"], &health["zipkin"]["status"]), (&"UP".into(), &"UP".into()), "{path}");
        assert_eq!(health["zipkin"]["details"]["store"]["status"], "UP");
    }
    let (status, page) = server.get("/actuator/prometheus").await;
    assert_eq!(status, 200);
    assert!(page.contains("tracepact_http_requests_total"));
}
