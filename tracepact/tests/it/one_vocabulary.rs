//! One service under three names: its spans', its consumer group's and its pacticipant's.

use std::process::Command;

use serde_json::{Value, json};

use crate::server::{BINARY, Server};
use crate::spans::now_us;

const CONFIG: &str = r#"
[[services]]
name = "orders"
aliases = ["Orders-Web"]
consumer_groups = ["order-workers"]
pacticipant = "Order Service"
team = "checkout"
repository = "https://git.example.com/orders"
"#;

async fn answer(server: &Server, path: &str) -> Value {
    let (status, body) = server.get(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// Asks until `wanted` finds something, for 20 s at most.
async fn until<T>(server: &Server, path: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let seen = answer(server, path).await;
        if let Some(found) = wanted(&seen) {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{path} did not come to show it: {seen}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn record_deployment(server: &Server) {
    let recorded = Command::new(BINARY)
        .args(["record-deployment", "--pacticipant", "Order Service", "--version", "7"])
        .args(["--to", "production", "--create", "--broker-url", &server.broker])
        .output()
        .unwrap();
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
}

#[tokio::test]
async fn a_deployment_is_an_event_and_a_series_of_the_service() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("tracepact.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let server = Server::start_with(dir.path(), "127.0.0.1", |command| {
        command.arg("--config").arg(&config);
    })
    .await;
    let span = json!([{"traceId": "a1", "id": "b1", "name": "get", "timestamp": now_us() as u64, "duration": 5,
        "localEndpoint": {"serviceName": "Orders-Web"}}]);
    let sent = server.client.post(format!("{}/api/v2/spans", server.http)).json(&span).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 202);
    record_deployment(&server);

    let event = until(&server, "/tracepact/v1/events?kind=deploy&service=orders", |seen| {
        seen["events"].get(0).cloned()
    })
    .await;
    assert_eq!(event["service"], "orders");
    assert_eq!(event["attributes"]["pacticipant"], "Order Service");
    assert_eq!(event["attributes"]["version"], "7");
    let name = "name=tracepact_deployments_total&label.service=orders&label.environment=production";
    let value = until(&server, &format!("/tracepact/v1/series?{name}"), |seen| {
        seen["series"][0]["points"][0].get(1).cloned()
    })
    .await;
    assert_eq!(value, 1.0);
    let (_, metrics) = server.get("/metrics").await;
    let line = "tracepact_deployments_total{environment=\"production\",service=\"orders\"} 1";
    assert!(metrics.contains(line), "{metrics}");

    let service = until(&server, "/tracepact/v1/services", |seen| {
        let services = seen["services"].as_array()?;
        assert!(services.len() <= 1, "one service under several names: {seen}");
        services.first().cloned()
    })
    .await;
    for (key, wanted) in [
        ("name", json!("orders")),
        ("aliases", json!(["Orders-Web"])),
        ("consumer_groups", json!(["order-workers"])),
        ("pacticipant", json!("Order Service")),
        ("team", json!("checkout")),
        ("repository", json!("https://git.example.com/orders")),
    ] {
        assert_eq!(service[key], wanted, "{key} of {service}");
    }
}
