//! Connections: limits, slow senders, panics, metrics, drain.

use std::time::Duration;

use prometheus::Encoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracepact_listener::ServeLimits;

use crate::server::{Answer, Server, loopback};

async fn open(server: &Server, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(text.replace('\n', "\r\n").as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_process_lives() {
    let server = Server::start(loopback()).await;
    assert_eq!(server.send("GET /panics HTTP/1.1", b"").await.problem(), "TP-INTERNAL");
    assert_eq!(server.send("GET /health HTTP/1.1", b"").await.status, 200);
}

#[tokio::test]
async fn heads_are_bounded_in_fields_and_bytes() {
    let server = Server::start(loopback()).await;
    let fields: String = (0..110).map(|i| format!("\nX-{i}: 1")).collect();
    assert_eq!(server.send(&format!("GET /health HTTP/1.1{fields}"), b"").await.status, 431);
    let long = format!("GET /health HTTP/1.1\nX-Long: {}", "a".repeat(40 << 10));
    assert_eq!(server.send(&long, b"").await.status, 431);
    assert_eq!(server.send("GET /health HTTP/1.1", b"").await.status, 200);
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let limits = ServeLimits { head_timeout: Duration::from_millis(200), ..ServeLimits::default() };
    let server = Server::start_with(loopback(), limits).await;
    let mut slow = open(&server, "GET /health HTTP/1.1\nHost: localhost\nX-Never: en").await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection stayed open");
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_are_bounded_and_the_next_one_waits() {
    let limits = ServeLimits { connections_max: 1, ..ServeLimits::default() };
    let server = Server::start_with(loopback(), limits).await;
    let get = "GET /health HTTP/1.1\nHost: localhost\n\n";
    let mut first = open(&server, get).await;
    let mut byte = [0; 1];
    first.read_exact(&mut byte).await.unwrap();
    let mut second = open(&server, get).await;
    let early = tokio::time::timeout(Duration::from_millis(200), second.read_exact(&mut byte)).await;
    assert!(early.is_err(), "a second connection was served beyond the limit");
    drop(first);
    tokio::time::timeout(Duration::from_secs(5), second.read_exact(&mut byte)).await.unwrap().unwrap();
}

#[tokio::test]
async fn requests_are_counted_by_template() {
    let server = Server::start(loopback()).await;
    server.send("GET /api/v2/services HTTP/1.1", b"").await;
    server.send("GET /zipkin/api/v2/services HTTP/1.1", b"").await;
    server.send("DELETE /pacts/a-secret-name HTTP/1.1", b"").await;
    server.send("GET /some/scanner/path HTTP/1.1", b"").await;
    server.send("BREW /some/scanner/path HTTP/1.1", b"").await;
    let mut text = Vec::new();
    prometheus::TextEncoder::new().encode(&server.registry.gather(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let count = |labels: &str| {
        let line = format!("tracepact_http_requests_total{{{labels}}} ");
        text.lines().find_map(|l| l.strip_prefix(&line)).unwrap_or("none").to_owned()
    };
    assert_eq!(count("method=\"GET\",route=\"/api/v2/services\",status=\"200\""), "2", "{text}");
    assert_eq!(count("method=\"DELETE\",route=\"/pacts/{id}\",status=\"401\""), "1", "{text}");
    assert_eq!(count("method=\"GET\",route=\"unmatched\",status=\"404\""), "1", "{text}");
    assert_eq!(count("method=\"other\",route=\"unmatched\",status=\"404\""), "1", "{text}");
    assert!(!text.contains("a-secret-name") && !text.contains("BREW"));
}

#[tokio::test]
async fn draining_lets_requests_finish_and_takes_no_new_ones() {
    let server = Server::start(loopback()).await;
    let mut slow = open(&server, "GET /slow HTTP/1.1\nHost: localhost\nConnection: close\n\n").await;
    let mut idle = open(&server, "GET /health HTTP/1.1\nHost: localhost\n\n").await;
    let mut events = open(&server, "GET /events HTTP/1.1\nHost: localhost\n\n").await;
    let mut byte = [0; 1];
    idle.read_exact(&mut byte).await.unwrap();
    events.read_exact(&mut byte).await.unwrap();
    let started = tokio::time::Instant::now();
    server.drain.cancel();
    assert_eq!(Answer::read(&mut slow).await.body, "done");
    tokio::time::timeout(Duration::from_secs(5), server.done).await.expect("drained").unwrap();
    assert!(started.elapsed() < Duration::from_secs(4), "idle connections and event streams hold nothing up");
    assert!(TcpStream::connect(server.addr).await.is_err());
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off() {
    let limits = ServeLimits { drain_timeout: Duration::from_millis(200), ..ServeLimits::default() };
    let server = Server::start_with(loopback(), limits).await;
    let mut hanging = open(&server, "GET /hangs HTTP/1.1\nHost: localhost\n\nGET").await;
    // The request is at its handler once another one on a later connection was answered.
    assert_eq!(server.send("GET /health HTTP/1.1", b"").await.status, 200);
    server.drain.cancel();
    tokio::time::timeout(Duration::from_secs(5), server.done).await.expect("drained").unwrap();
    assert_eq!(hanging.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
