//! Rate, errors and durations over HTTP.

use http::StatusCode;
use serde_json::json;

use crate::harness::{collector, span};

const TRACE: &str = "463ac35c9f6413ad";
const FAILED: &str = "463ac35c9f6413ae";

#[tokio::test]
async fn requests_are_counted_by_what_is_asked_for_and_after_a_restart() {
    let mut collector = collector(|config| config.sample_rate = 0.5);
    let server = |trace, id, service, name, more: &str| {
        span(trace, id, service, &format!(r#","kind":"SERVER","name":"{name}"{more}"#))
    };
    let spans = [
        server(TRACE, "1", "orders", "get /orders", ""),
        server(FAILED, "2", "orders", "post /orders", r#","tags":{"error":"boom"}"#),
        server(TRACE, "3", "gateway", "get /", ""),
        span(
            TRACE,
            "4",
            "gateway",
            r#","kind":"CLIENT","name":"get","remoteEndpoint":{"serviceName":"orders"}"#,
        ),
        span(TRACE, "5", "gateway", r#","name":"inside""#),
    ];
    let body = format!("[{}]", spans.join(","));
    // Twice: the answer to the first was lost.
    collector.zipkin(&body).await;
    collector.zipkin(&body).await;
    for _ in 0..2 {
        let red = collector.json("/tracepact/v1/red").await;
        assert_eq!((&red["complete"], &red["sample_rate"]), (&json!(true), &json!(0.5)));
        let (orders, gateway) = (&red["rows"][0], &red["rows"][1]);
        assert_eq!((&orders["service"], &orders["count"]), (&json!("orders"), &json!(2)));
        assert_eq!((&orders["error_count"], &orders["error_share"]), (&json!(1), &json!(0.5)));
        assert!(orders["failed_trace_id"].as_str().unwrap().ends_with(FAILED), "{orders}");
        assert!(orders["p50_us"].as_f64().is_some_and(|us| (us - 1_000.0).abs() < 50.0), "{orders}");
        assert!(orders.get("name").is_none() && orders.get("histogram").is_none(), "{orders}");
        assert_eq!((&gateway["service"], &gateway["count"]), (&json!("gateway"), &json!(1)));
        assert!(gateway.get("failed_trace_id").is_none(), "{gateway}");

        let red = collector.json("/tracepact/v1/red?by=operation&service=ORDERS&histogram=true").await;
        let names: Vec<_> = red["rows"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
        assert_eq!(names, [&json!("get /orders"), &json!("post /orders")]);
        assert_eq!(red["rows"][0]["histogram"]["classes"][0][1], json!(1));

        let red = collector.json("/tracepact/v1/red?by=edge&service=orders").await;
        let edge = &red["rows"][0];
        assert_eq!((&edge["service"], &edge["name"]), (&json!("gateway"), &json!("orders")));
        assert_eq!((&edge["count"], red["rows"].as_array().unwrap().len()), (&json!(1), 1));

        let red = collector.json("/tracepact/v1/red?by=operation&limit=1").await;
        assert_eq!((&red["complete"], &red["cut"]), (&json!(false), &json!("limit: 1 of 3 lines are here")));
        collector = collector.restart_with(|config| config.sample_rate = 0.5);
    }
}

#[tokio::test]
async fn an_unknown_question_is_refused_by_name() {
    let collector = collector(|_| {});
    for (path, text) in [
        ("by=host", "instance and edge are known"),
        ("limit=0", "limit"),
        ("minutes=5", "minutes"),
        ("start=yesterday", "start"),
    ] {
        let answer = collector.get(&format!("/tracepact/v1/red?{path}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.text.contains(text), "{path}: {}", answer.text);
    }
    let red = collector.json("/tracepact/v1/red").await;
    assert_eq!(red["rows"], json!([]));
}
