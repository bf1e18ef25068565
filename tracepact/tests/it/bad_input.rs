//! Bad input on every listener: a 4xx with a reason, and the process lives on.

use std::io::Write;

use crate::server::Server;

struct Sent {
    status: u16,
    body: String,
}

async fn post(server: &Server, base: &str, path: &str, content_type: &str, body: Vec<u8>) -> Sent {
    let request = server.client.post(format!("{base}{path}")).header("content-type", content_type).body(body);
    let answer = request.send().await.unwrap();
    Sent { status: answer.status().as_u16(), body: answer.text().await.unwrap() }
}

#[track_caller]
fn refused(what: &str, sent: &Sent, statuses: &[u16]) {
    assert!(statuses.contains(&sent.status), "{what}: {} {}", sent.status, sent.body);
    assert!(!sent.body.trim().is_empty(), "{what}: {} without a reason", sent.status);
}

#[tokio::test]
async fn every_listener_refuses_and_lives() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let json = "application/json";
    let protobuf = "application/x-protobuf";
    for (what, text) in [
        ("no list", "{}"),
        ("cut", "[{\"traceId\":"),
        ("no ids", "[{\"name\":\"x\"}]"),
        ("a bad id", "[{\"traceId\":\"zz\",\"id\":\"1\"}]"),
        ("not UTF-8", "[\u{fffd}"),
        ("deep", &"[".repeat(100_000)),
    ] {
        refused(what, &post(&server, &server.http, "/api/v2/spans", json, text.into()).await, &[400]);
    }
    for base in [&server.http, &server.otlp_http] {
        let sent = post(&server, base, "/v1/traces", protobuf, vec![0xff; 100]).await;
        refused("no protobuf", &sent, &[400]);
        refused("wrong type", &post(&server, base, "/v1/traces", "text/plain", vec![1]).await, &[415]);
    }
    for text in ["", "{", "[]", "{\"pacticipantName\":1}"] {
        let sent = post(&server, &server.broker, "/contracts/publish", json, text.into()).await;
        refused("no contract", &sent, &[400, 422]);
    }
    let put = server.client.put(format!("{}/pacts/provider/p/consumer/c/version/1", server.broker));
    let put = put.header("content-type", json).body("{\"interactions\": 7}").send().await.unwrap();
    refused("no pact", &Sent { status: put.status().as_u16(), body: put.text().await.unwrap() }, &[400, 422]);

    let long = vec![b' '; 70 << 20];
    refused("over-long", &post(&server, &server.http, "/api/v2/spans", json, long).await, &[413]);
    for base in [&server.http, &server.otlp_http, &server.broker] {
        refused("unknown", &post(&server, base, "/no/such/route", json, b"{}".to_vec()).await, &[404]);
        let health = server.client.get(format!("{base}/health")).send().await.unwrap();
        assert_eq!(health.status().as_u16(), 200);
    }
    let grpc = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = grpc
        .post(format!("{}/opentelemetry.proto.collector.trace.v1.TraceService/Export", server.otlp_grpc))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(vec![0, 0, 0, 0, 2, 0xff, 0xff])
        .send()
        .await
        .unwrap();
    assert_ne!(answer.headers().get("grpc-status").map(|v| v.to_str().unwrap()), Some("0"));
    assert_eq!(server.get("/health").await.0, 200);
}

#[tokio::test]
async fn a_small_body_that_expands_without_end_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&piece).unwrap();
    }
    let request = server.client.post(format!("{}/api/v2/spans", server.http));
    let request = request.header("content-type", "application/json").header("content-encoding", "gzip");
    let answer = request.body(encoder.finish().unwrap()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 413);
    assert_eq!(server.get("/health").await.0, 200);
}
