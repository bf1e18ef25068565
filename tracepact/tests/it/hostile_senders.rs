//! Senders that stall, vanish, lie or flood: each is refused or bounded, others are served all the while.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;
use crate::spans::now_us;

async fn send(server: &Server, path: &str, media: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let request =
        server.client.post(format!("{}{path}", server.http)).header("content-type", media).body(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn span(trace: &str, id: u64) -> String {
    format!(
        r#"{{"traceId":"{trace}","id":"{id:016x}","name":"get","timestamp":{},"localEndpoint":{{"serviceName":"orders"}}}}"#,
        now_us()
    )
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.http.trim_start_matches("http://")).await.unwrap()
}

/// A request whose body is announced longer than what comes.
async fn begin(server: &Server, sent: &str) -> TcpStream {
    let mut stream = connect(server).await;
    let head = format!(
        "POST /api/v2/spans HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{sent}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut text));
    let _ = read.await.expect("an answer or the end of the connection within a minute");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn senders_that_stall_or_vanish_do_not_keep_others_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let mut stalled = Vec::new();
    for _ in 0..50 {
        stalled.push(begin(&server, "[{").await);
    }
    // A sender that closes its half while more is announced.
    let mut half_closed = begin(&server, "[{\"traceId\":").await;
    half_closed.shutdown().await.unwrap();
    // One that is gone altogether.
    drop(begin(&server, "[").await);
    let trace = "00000000000000000000000000000abc";
    assert_eq!(
        send(&server, "/api/v2/spans", "application/json", format!("[{}]", span(trace, 1))).await.0,
        202
    );
    let half_closed = answer(half_closed).await;
    assert!(half_closed.is_empty() || half_closed.starts_with("HTTP/1.1 400"), "{half_closed}");
    for stream in stalled {
        let text = answer(stream).await;
        assert!(text.starts_with("HTTP/1.1 408"), "{text:?}");
    }
    assert_eq!(server.get(&format!("/api/v2/trace/{trace}")).await.0, 200);
}

#[tokio::test]
async fn every_encoding_that_is_cut_or_lies_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    for (path, media, body) in [
        ("/api/v2/spans", "application/json", b"[{\"traceId\":\"1\",\"id\"".to_vec()),
        (
            "/api/v2/spans",
            "application/json",
            b"[{\"traceId\":\"1\",\"id\":\"2\",\"name\":\"\xff\"}]".to_vec(),
        ),
        ("/api/v2/spans", "application/x-protobuf", b"\x0a\xff\xff\xff\xff\x0f\x0a".to_vec()),
        (
            "/api/v2/spans",
            "application/x-protobuf",
            b"\x0a\x0a\x0a\x01\x01\x1a\x01\x02\x2a\x02\xff\xfe".to_vec(),
        ),
        (
            "/api/v1/spans",
            "application/json",
            b"[{\"traceId\":\"1\",\"id\":\"2\",\"annotations\":[{}]}]".to_vec(),
        ),
        ("/api/v1/spans", "application/json", [b"[{\"x\":".repeat(100_000), b"1".to_vec()].concat()),
        ("/api/v1/spans", "application/x-thrift", b"\x0c\x7f\xff\xff\xff\x0a\0\x01".to_vec()),
        (
            "/api/v1/spans",
            "application/x-thrift",
            [b"\x0c\0\0\0\x01".to_vec(), b"\x0c\0\x63".repeat(100_000)].concat(),
        ),
        ("/v1/traces", "application/json", b"{\"resourceSpans\":[{\"scopeSpans\":".to_vec()),
        ("/v1/traces", "application/json", b"[".repeat(1_000_000)),
        ("/v1/traces", "application/x-protobuf", b"\x0a\xff\xff\xff\xff\x0f".to_vec()),
    ] {
        let what = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let (status, text) = send(&server, path, media, body).await;
        assert!(status == 400 && !text.is_empty(), "{path} {media} {what}: {status} {text}");
    }
    assert_eq!(server.get("/health").await.0, 200);
}

#[tokio::test]
async fn a_tag_of_ten_megabytes_is_cut_and_a_trace_of_a_million_spans_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), "127.0.0.1", |command| {
        command.env("TRACEPACT_INGEST_SPANS_PER_TRACE_MAX", "20000");
    })
    .await;
    let large = span("000000000000000000000000000000aa", 1).replace(
        "\"localEndpoint\"",
        &format!("\"tags\":{{\"large\":\"{}\"}},\"localEndpoint\"", "x".repeat(10 << 20)),
    );
    assert_eq!(send(&server, "/api/v2/spans", "application/json", format!("[{large}]")).await.0, 202);
    let (status, text) = server.get("/api/v2/trace/000000000000000000000000000000aa").await;
    assert!(status == 200 && text.len() < 100_000, "{status} {}", text.len());

    let trace = "000000000000000000000000000000bb";
    let mut refused = 0_u64;
    for request in 0..50_u64 {
        let spans: Vec<String> = (0..20_000).map(|n| span(trace, 1 + request * 20_000 + n)).collect();
        let (status, _) =
            send(&server, "/api/v2/spans", "application/json", format!("[{}]", spans.join(","))).await;
        assert!(matches!(status, 202 | 400), "{status}");
        refused += u64::from(status == 400);
    }
    assert_eq!(refused, 49);
    let (status, text) = server.get(&format!("/api/v2/trace/{trace}")).await;
    assert_eq!(status, 200);
    assert_eq!(text.matches("\"tracepact.trace.truncated\":\"true\"").count(), 1);
    assert_eq!(text.matches("\"traceId\"").count(), 20_001);
    let (_, metrics) = server.get("/metrics").await;
    let line = "tracepact_ingest_spans_refused_total{format=\"zipkin_json\",reason=\"trace_too_large\",sender=\"orders\",transport=\"http\"} 980000";
    assert!(metrics.contains(line), "{metrics}");
    assert!(metrics.contains("zipkin_collector_spans_dropped_total{transport=\"http\"} 980000"));
    assert_eq!(
        send(&server, "/api/v2/spans", "application/json", format!("[{}]", span("cc", 1))).await.0,
        202
    );
}

#[tokio::test]
async fn zipkins_collector_settings_hold() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), "127.0.0.1", |command| {
        command.env("COLLECTOR_HTTP_ENABLED", "false").env("COLLECTOR_SAMPLE_RATE", "0.5");
    })
    .await;
    assert_eq!(send(&server, "/api/v2/spans", "application/json", "[]").await.0, 404);
    assert_eq!(server.get("/api/v2/spans?serviceName=orders").await.0, 200);
    let otlp = |trace: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{trace}","spanId":"0000000000000001","startTimeUnixNano":"{}"}}]}}]}}]}}"#,
            now_us() * 1_000
        )
    };
    let (kept, left_out) = ("00000000000000000000000000000001", "00000000000000007fffffffffffffff");
    for trace in [kept, left_out] {
        assert_eq!(
            send(&server, "/v1/traces", "application/json", otlp(trace)).await,
            (200, "{}".to_owned())
        );
    }
    assert_eq!(server.get(&format!("/api/v2/trace/{kept}")).await.0, 200);
    assert_eq!(server.get(&format!("/api/v2/trace/{left_out}")).await.0, 404);
}
