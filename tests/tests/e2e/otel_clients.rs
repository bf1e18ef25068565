//! OpenTelemetry's own exporters, unmodified: a span that they deliver is found by every reader.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tracepact_tests::python::Venv;
use tracepact_tests::until;

use super::server::{Server, run};

#[tokio::test]
async fn a_span_of_each_exporter_is_found() {
    let venv = Venv::provide("otel").await.unwrap();
    let server = Server::start().await;
    let (grpc, otlp, http) =
        (server.address("otlp_grpc"), server.address("otlp_http"), server.address("http"));
    let senders = [
        ("grpc", format!("http://{grpc}"), "by-grpc"),
        ("http", format!("http://{otlp}/v1/traces"), "by-http"),
        ("http", format!("http://{http}/v1/traces"), "by-main-port"),
        ("zipkin", format!("http://{http}/api/v2/spans"), "by-zipkin"),
    ];
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/send_span.py");
    for (protocol, endpoint, service) in senders {
        let mut send = venv.command("python3");
        send.arg(&script).args([protocol, &endpoint, service]);
        let sent = run(&mut send).await.ended_with(0);
        let trace_id = sent.text.trim().lines().last().unwrap().to_owned();
        found(&server, &trace_id, service).await;
    }
    server.stop().await;
}

/// What was acknowledged is there at once, for every dialect.
pub(crate) async fn found(server: &Server, trace_id: &str, service: &str) {
    let api = server.api();
    let trace = api.get(&format!("/api/v2/trace/{trace_id}")).await.unwrap();
    let span = &trace[0];
    assert_eq!(span["localEndpoint"]["serviceName"], service, "{trace}");
    assert_eq!(span["name"], "checkout");
    assert_eq!(span["tags"]["cart.items"], "3");
    // The Zipkin exporter writes an event with its attributes, the others the name alone.
    assert!(span["annotations"][0]["value"].as_str().is_some_and(|v| v.contains("paid")), "{trace}");
    let searched = api.get(&format!("/api/v2/traces?serviceName={service}")).await.unwrap();
    assert_eq!(searched.as_array().map(Vec::len), Some(1), "{searched}");
    let native = api.get(&format!("/tracepact/v1/traces/{trace_id}")).await.unwrap();
    assert_eq!(native["header"]["span_count"], 1);
    until(Duration::from_secs(20), "the service's name", async || {
        let names = api.get("/api/v2/services").await?;
        Ok(names.as_array().is_some_and(|n| n.contains(&Value::from(service))).then_some(()))
    })
    .await
    .unwrap();
}
