//! Tokens, open scopes, Host.

use tracepact_listener::{Scope, Scopes};

use crate::server::{ADMIN, Server, WRITER, beyond_loopback, loopback};

#[tokio::test]
async fn on_loopback_everyday_scopes_are_open_and_admin_is_not() {
    let server = Server::start(loopback()).await;
    assert_eq!(server.send("GET /tracepact/v1/overview HTTP/1.1", b"").await.status, 200);
    let json = "\nContent-Type: application/json";
    assert_eq!(server.send(&format!("POST /api/v2/spans HTTP/1.1{json}"), b"[]").await.status, 202);
    assert_eq!(server.send(&format!("PUT /pacts/1 HTTP/1.1{json}"), b"{}").await.status, 201);
    let refused = server.send("DELETE /pacts/1 HTTP/1.1", b"").await;
    assert_eq!((refused.status, refused.problem().as_str()), (401, "TP-UNAUTHENTICATED"));
    assert_eq!(refused.header("www-authenticate"), Some("bearer realm=\"tracepact\""));
}

#[tokio::test]
async fn admin_takes_its_token_only() {
    let server = Server::start(loopback()).await;
    let delete = async |token: &str| {
        server.send(&format!("DELETE /pacts/1 HTTP/1.1\nAuthorization: {token}"), b"").await
    };
    assert_eq!(delete(&format!("Bearer {ADMIN}")).await.status, 204);
    assert_eq!(delete(&format!("bearer {ADMIN}")).await.status, 204);
    let basic = base64_of(&format!("anyone:{ADMIN}"));
    assert_eq!(delete(&format!("Basic {basic}")).await.status, 204);
    assert_eq!(delete(&format!("Bearer {WRITER}")).await.problem(), "TP-FORBIDDEN");
    for unknown in [
        "Bearer ",
        "Bearer x",
        &format!("Bearer {ADMIN}x"),
        &format!("Bearer {}", &ADMIN[1..]),
        "Basic !",
        "Digest x",
    ] {
        assert_eq!(delete(unknown).await.status, 401, "{unknown}");
    }
}

#[tokio::test]
async fn beyond_loopback_nothing_but_health_goes_without_a_token() {
    let server = Server::start(beyond_loopback()).await;
    let json = "\nContent-Type: application/json";
    assert_eq!(server.send("GET /health HTTP/1.1", b"").await.status, 200);
    for head in [
        "GET /api/v2/services HTTP/1.1".to_owned(),
        "GET /tracepact/v1/overview HTTP/1.1".to_owned(),
        format!("POST /api/v2/spans HTTP/1.1{json}"),
        format!("PUT /pacts/1 HTTP/1.1{json}"),
        "DELETE /pacts/1 HTTP/1.1".to_owned(),
    ] {
        assert_eq!(server.send(&head, b"").await.problem(), "TP-UNAUTHENTICATED", "{head}");
        let with_token = format!("{head}\nAuthorization: Bearer {ADMIN}");
        assert!(server.send(&with_token, b"").await.status < 300, "{head}");
    }
    let spans = format!("POST /api/v2/spans HTTP/1.1{json}\nAuthorization: Bearer {WRITER}");
    assert_eq!(server.send(&spans, b"[]").await.status, 202);
    let read = format!("GET /tracepact/v1/overview HTTP/1.1\nAuthorization: Bearer {WRITER}");
    assert_eq!(server.send(&read, b"").await.problem(), "TP-FORBIDDEN");
}

#[tokio::test]
async fn open_names_what_is_open_and_never_admin() {
    let server = Server::start(beyond_loopback().with_open(Scopes::ALL)).await;
    assert_eq!(server.send("GET /tracepact/v1/overview HTTP/1.1", b"").await.status, 200);
    assert_eq!(server.send("DELETE /pacts/1 HTTP/1.1", b"").await.status, 401);
    let server = Server::start(beyond_loopback().with_open(Scopes::NONE.with(Scope::Ingest))).await;
    assert_eq!(
        server.send("POST /api/v2/spans HTTP/1.1\nContent-Type: application/json", b"[]").await.status,
        202
    );
    assert_eq!(server.send("GET /tracepact/v1/overview HTTP/1.1", b"").await.status, 401);
}

#[tokio::test]
async fn a_wrong_token_does_not_take_away_what_is_open() {
    let server = Server::start(loopback()).await;
    let head = "GET /tracepact/v1/overview HTTP/1.1\nAuthorization: Bearer of-another-server";
    assert_eq!(server.send(head, b"").await.status, 200);
}

#[tokio::test]
async fn only_own_host_names_are_answered() {
    let server = Server::start(loopback()).await;
    let port = server.addr.port();
    let get = async |host: &str| {
        server.send(&format!("GET /tracepact/v1/overview HTTP/1.1\nHost: {host}"), b"").await.status
    };
    for own in [
        format!("localhost:{port}"),
        "LOCALHOST".into(),
        "127.0.0.1".into(),
        "[::1]:9411".into(),
        "traces.example".into(),
    ] {
        assert_eq!(get(&own).await, 200, "{own}");
    }
    for foreign in
        ["rebound.example", "traces.example.evil.test", "localhost.evil.test", "127.0.0.1.nip.test", ""]
    {
        assert_eq!(get(foreign).await, 403, "{foreign}");
    }
    let two = "GET /tracepact/v1/overview HTTP/1.1\nHost: localhost\nHost: rebound.example";
    assert_eq!(server.send(two, b"").await.status, 400);
    let spans = "POST /api/v2/spans HTTP/1.1\nHost: rebound.example\nContent-Type: application/json";
    assert_eq!(server.send(spans, b"[]").await.status, 403);
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
