//! The rules beyond loopback, on a server that listens everywhere and is asked over loopback.

use std::path::Path;

use crate::server::Server;

async fn everywhere(dir: &Path, more: &[&str]) -> Server {
    Server::start_with(dir, "0.0.0.0", |command| {
        command.args(more);
    })
    .await
}

fn admin(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("data/admin-token")).unwrap().trim().to_owned()
}

const SPANS: &str = "/api/v2/spans";

async fn post(server: &Server, path: &str, token: Option<&str>) -> u16 {
    let mut request = server.client.post(format!("{}{path}", server.http));
    request = request.header("content-type", "application/json").body("[]");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap().status().as_u16()
}

async fn get(server: &Server, path: &str, host: Option<&str>, token: Option<&str>) -> u16 {
    let mut request = server.client.get(format!("{}{path}", server.http));
    if let Some(host) = host {
        request = request.header("host", host);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn nothing_goes_without_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let server = everywhere(dir.path(), &[]).await;
    let admin = admin(dir.path());
    assert_eq!(post(&server, SPANS, None).await, 401);
    assert_eq!(post(&server, SPANS, Some("made-up-token-of-someone")).await, 401);
    assert_eq!(post(&server, SPANS, Some(&admin)).await, 202);
    for path in ["/api/v2/services", "/tracepact/v1/overview", "/metrics"] {
        assert_eq!(get(&server, path, None, None).await, 401, "{path}");
        assert_eq!(get(&server, path, None, Some(&admin)).await, 200, "{path}");
    }
    for path in ["/health", "/"] {
        assert_eq!(get(&server, path, None, None).await, 200, "{path}");
    }
    let broker = server.client.get(format!("{}/", server.broker)).send().await.unwrap();
    assert_eq!(broker.status().as_u16(), 401);
    let otlp = server.client.post(format!("{}/v1/traces", server.otlp_http));
    let otlp = otlp.header("content-type", "application/x-protobuf").send().await.unwrap();
    assert_eq!(otlp.status().as_u16(), 401);
}

#[tokio::test]
async fn open_opens_what_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let server = everywhere(dir.path(), &["--open", "ingest"]).await;
    assert_eq!(post(&server, SPANS, None).await, 202);
    assert_eq!(get(&server, "/api/v2/services", None, None).await, 401);
}

#[tokio::test]
async fn tokens_allow_their_scopes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tracepact.toml");
    std::fs::write(&file, "[[access.tokens]]\ntoken = \"reader-reader-reader\"\nscopes = [\"read\"]")
        .unwrap();
    let server = everywhere(dir.path(), &["--config", file.to_str().unwrap()]).await;
    assert_eq!(get(&server, "/api/v2/services", None, Some("reader-reader-reader")).await, 200);
    assert_eq!(post(&server, SPANS, Some("reader-reader-reader")).await, 403);
}

#[tokio::test]
async fn other_host_names_have_to_be_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        everywhere(dir.path(), &["--open", "read", "--allow-host", "traces.example,*.internal"]).await;
    for host in ["traces.example", "a.internal:9411", "localhost:1", "10.0.0.7"] {
        assert_eq!(get(&server, "/tracepact/v1/overview", Some(host), None).await, 200, "{host}");
    }
    for host in ["rebound.example", "internal"] {
        assert_eq!(get(&server, "/tracepact/v1/overview", Some(host), None).await, 403, "{host}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing_on_loopback() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    for (base, path) in [
        (&server.http, SPANS),
        (&server.http, "/v1/traces"),
        (&server.otlp_http, "/v1/traces"),
        (&server.broker, "/contracts/publish"),
    ] {
        let send = async |content_type: &str| {
            let request =
                server.client.post(format!("{base}{path}")).header("origin", "https://evil.example");
            let request = request.header("sec-fetch-site", "cross-site").header("content-type", content_type);
            request.body("[]").send().await.unwrap().status().as_u16()
        };
        for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let status = send(simple).await;
            assert!(status == 415 || status == 403, "{base}{path} {simple}: {status}");
        }
    }
    let request = server.client.post(format!("{}/contracts/publish", server.broker));
    let request = request.header("origin", "https://evil.example").header("content-type", "application/json");
    assert_eq!(request.body("{}").send().await.unwrap().status().as_u16(), 403);
}
