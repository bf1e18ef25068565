//! Start, drain, second signal, restart.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{Server, until};

#[tokio::test]
async fn sigterm_drains_and_a_second_start_works_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(dir.path()).await;
        let (status, body) = server.get("/health").await;
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("\"status\":\"UP\""), "{body}");
        let started = tokio::time::Instant::now();
        server.signal(signal);
        let ended = server.ended().await;
        assert_eq!(ended.code(), Some(0), "{signal}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

/// A request whose body never comes keeps the drain waiting.
async fn hanging(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.http.trim_start_matches("http://")).await.unwrap();
    let head = "POST /api/v2/spans HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is at its handler.
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    stream
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path()).await;
    let _hanging = hanging(&server).await;
    server.signal("TERM");
    let log = dir.path().join("log");
    until("the drain to begin", || std::fs::read_to_string(&log).unwrap().contains("draining").then_some(()))
        .await;
    let started = tokio::time::Instant::now();
    server.signal("TERM");
    let ended = server.ended().await;
    assert_eq!(ended.code(), Some(143), "{:?}", ended.signal());
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_the_drain_beyond_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path()).await;
    let _hanging = hanging(&server).await;
    let started = tokio::time::Instant::now();
    server.signal("TERM");
    let ended = server.ended().await;
    assert_eq!(ended.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
}

#[tokio::test]
async fn health_says_down_while_draining() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let _hanging = hanging(&server).await;
    server.signal("TERM");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    loop {
        let (status, body) = server.get("/health").await;
        if status == 503 {
            assert!(body.contains("draining"), "{body}");
            return;
        }
        assert!(tokio::time::Instant::now() < deadline);
    }
}

#[tokio::test]
async fn parts_can_be_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), "127.0.0.1", |command| {
        command.args(["--only", "dashboard"]);
    })
    .await;
    assert_eq!((server.otlp_grpc.as_str(), server.broker.as_str()), ("http://", "http://"));
    assert_eq!(server.get("/").await.0, 200);
    assert_eq!(server.get("/api/v2/services").await.0, 404);
}
