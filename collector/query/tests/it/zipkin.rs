use http::{StatusCode, header};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::json;

use crate::harness::{Collector, NOW_MS, NOW_NS, NOW_US, collector, span};

const TRACE: &str = "463ac35c9f6413ad";

/// A call from gateway to orders under one shared id, and an answerless call from orders to a database.
async fn order(collector: &Collector) {
    let spans = [
        span(TRACE, "000000000000000a", "Gateway", r#","kind":"CLIENT","name":"POST /orders""#),
        span(TRACE, "000000000000000a", "orders", r#","kind":"SERVER","shared":true,"name":"post /orders""#),
        span(
            TRACE,
            "000000000000000b",
            "orders",
            r#","parentId":"000000000000000a","kind":"CLIENT","remoteEndpoint":{"serviceName":"MySQL"},"tags":{"error":"timeout","db":"orders"}"#,
        ),
    ];
    collector.zipkin(&format!("[{}]", spans.join(","))).await;
}

#[tokio::test]
async fn every_question_sees_an_acknowledged_span_at_once() {
    let collector = collector(|_| {});
    order(&collector).await;
    assert_eq!(collector.json("/api/v2/services").await, json!(["gateway", "orders"]));
    assert_eq!(collector.json("/api/v2/spans?serviceName=GATEWAY").await, json!(["post /orders"]));
    assert_eq!(collector.json("/api/v2/remoteServices?serviceName=orders").await, json!(["mysql"]));
    let found = collector.json("/api/v2/traces?serviceName=orders&remoteServiceName=mysql").await;
    assert_eq!(found[0].as_array().unwrap().len(), 3);
    assert_eq!(collector.json(&format!("/api/v2/trace/{TRACE}")).await, found[0]);
    let links = collector.get(&format!("/api/v2/dependencies?endTs={NOW_MS}")).await;
    assert_eq!(
        links.text,
        r#"[{"parent":"gateway","child":"orders","callCount":1},{"parent":"orders","child":"mysql","callCount":1,"errorCount":1}]"#
    );
}

#[tokio::test]
async fn every_get_also_answers_under_zipkin() {
    let collector = collector(|config| config.autocomplete_keys = vec!["db".to_owned()]);
    order(&collector).await;
    for path in [
        "/api/v2/services",
        "/api/v2/spans?serviceName=orders",
        "/api/v2/remoteServices?serviceName=orders",
        "/api/v2/traces",
        "/api/v2/trace/463ac35c9f6413ad",
        "/api/v2/traceMany?traceIds=463ac35c9f6413ad,1",
        "/api/v2/dependencies?endTs=1795219200000",
        "/api/v2/autocompleteKeys",
        "/api/v2/autocompleteValues?key=db",
    ] {
        let plain = collector.get(path).await;
        let prefixed = collector.get(&format!("/zipkin{path}")).await;
        assert_eq!(plain.status, StatusCode::OK, "{path}");
        assert_ne!(plain.text, "[]", "{path}");
        assert_eq!(plain.text, prefixed.text);
        assert_eq!(plain.headers[header::CONTENT_TYPE], "application/json");
    }
}

#[tokio::test]
async fn spans_come_back_in_the_order_of_members_that_zipkin_writes() {
    let collector = collector(|_| {});
    let body = format!(
        r#"[{{"shared":true,"debug":true,"tags":{{"b":"2","a":"1"}},"annotations":[{{"value":"y","timestamp":2}},{{"value":"x","timestamp":1}},{{"value":"x","timestamp":1}}],"remoteEndpoint":{{"port":80,"ipv4":"1.2.3.4"}},"localEndpoint":{{"serviceName":"A"}},"duration":5,"timestamp":{NOW_US},"name":"N","kind":"SERVER","id":"b","parentId":"a","traceId":"1"}}]"#
    );
    collector.zipkin(&body).await;
    assert_eq!(
        collector.get("/api/v2/trace/1").await.text,
        format!(
            r#"[{{"traceId":"0000000000000001","parentId":"000000000000000a","id":"000000000000000b","kind":"SERVER","name":"n","timestamp":{NOW_US},"duration":5,"localEndpoint":{{"serviceName":"a"}},"remoteEndpoint":{{"ipv4":"1.2.3.4","port":80}},"annotations":[{{"timestamp":1,"value":"x"}},{{"timestamp":2,"value":"y"}}],"tags":{{"a":"1","b":"2"}},"debug":true,"shared":true}}]"#
        )
    );
}

#[tokio::test]
async fn refusals_are_plain_text_in_zipkins_words() {
    let collector = collector(|_| {});
    for (path, status, text) in [
        ("/api/v2/trace/00000000000000ff", 404, "00000000000000ff not found"),
        ("/api/v2/trace/ff", 404, "00000000000000ff not found"),
        ("/api/v2/trace/0xFF", 400, "0xFF should be lower-hex encoded with no prefix"),
        ("/api/v2/traceMany?traceIds=", 400, "traceIds parameter is empty"),
        ("/api/v2/traceMany?traceIds=1,1", 400, "redundant traceId: 1"),
        ("/api/v2/traces?limit=0", 400, "limit <= 0"),
        ("/api/v2/traces?endTs=0", 400, "endTs <= 0"),
        ("/api/v2/traces?lookback=-5", 400, "lookback <= 0"),
        ("/api/v2/traces?maxDuration=1", 400, "maxDuration is only valid with minDuration"),
        ("/api/v2/spans", 400, "the parameter serviceName is missing"),
        ("/api/v2/dependencies", 400, "the parameter endTs is missing"),
    ] {
        let answer = collector.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (status, text), "{path}");
        assert!(answer.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
    }
}

#[tokio::test]
async fn names_may_be_cached_once_there_are_more_than_three_services() {
    let collector = collector(|config| config.autocomplete_keys = vec!["db".to_owned()]);
    let cached = |headers: &http::HeaderMap| {
        headers.get(header::CACHE_CONTROL).is_some_and(|v| v == "max-age=300, must-revalidate")
    };
    for service in ["a", "b", "c"] {
        collector.zipkin(&format!("[{}]", span("1", "1", service, ""))).await;
    }
    assert!(!cached(&collector.get("/api/v2/services").await.headers));
    assert!(!cached(&collector.get("/api/v2/spans?serviceName=a").await.headers));
    collector.zipkin(&format!("[{}]", span("1", "2", "d", ""))).await;
    assert!(cached(&collector.get("/api/v2/services").await.headers));
    assert!(cached(&collector.get("/api/v2/spans?serviceName=a").await.headers));
    assert!(cached(&collector.get("/api/v2/autocompleteKeys").await.headers));
}

#[tokio::test]
async fn only_configured_keys_are_completed() {
    let collector = collector(|config| config.autocomplete_keys = vec!["db".to_owned()]);
    order(&collector).await;
    assert_eq!(collector.json("/api/v2/autocompleteKeys").await, json!(["db"]));
    assert_eq!(collector.json("/api/v2/autocompleteValues?key=db").await, json!(["orders"]));
    assert_eq!(collector.json("/api/v2/autocompleteValues?key=error").await, json!([]));
}

#[tokio::test]
async fn conditions_may_be_met_by_different_spans_of_the_service() {
    let collector = collector(|_| {});
    order(&collector).await;
    let hits = async |query: &str| {
        collector.json(&format!("/api/v2/traces?{query}")).await.as_array().unwrap().len()
    };
    assert_eq!(hits("serviceName=orders&spanName=post%20/orders&annotationQuery=error").await, 1);
    assert_eq!(hits("serviceName=gateway&annotationQuery=error").await, 0);
    assert_eq!(hits("serviceName=orders&annotationQuery=db%3Dorders%20and%20error").await, 1);
    assert_eq!(hits("serviceName=orders&annotationQuery=db%3Dother").await, 0);
    assert_eq!(hits("minDuration=1000&maxDuration=1000").await, 1);
    assert_eq!(hits("minDuration=1001").await, 0);
    assert_eq!(hits(&format!("endTs={}&lookback=1", NOW_MS - 1)).await, 0);
    assert_eq!(hits(&format!("endTs={NOW_MS}&lookback=1")).await, 1);
}

#[tokio::test]
async fn a_rare_match_is_found_behind_many_newer_traces() {
    let collector = collector(|_| {});
    let rare = span("abc", "1", "orders", r#","tags":{"order":"42"}"#)
        .replace(&NOW_US.to_string(), &(NOW_US - 60_000_000).to_string());
    collector.zipkin(&format!("[{rare}]")).await;
    for batch in 0..5 {
        let spans: Vec<String> = (0..1_000)
            .map(|i| {
                span(
                    &format!("{:x}", 0x10_0000 + batch * 1_000 + i),
                    "1",
                    "orders",
                    r#","tags":{"order":"1"}"#,
                )
            })
            .collect();
        collector.zipkin(&format!("[{}]", spans.join(","))).await;
    }
    let found = collector.json("/api/v2/traces?serviceName=orders&annotationQuery=order%3D42&limit=1").await;
    assert_eq!(found[0][0]["traceId"], "0000000000000abc");
    let newest = collector.json("/api/v2/traces?limit=3").await;
    assert_eq!(newest.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn spans_outlive_a_restart() {
    let collector = collector(|_| {});
    order(&collector).await;
    let before = collector.json(&format!("/api/v2/trace/{TRACE}")).await;
    let collector = collector.restart();
    assert_eq!(collector.json(&format!("/api/v2/trace/{TRACE}")).await, before);
    assert_eq!(collector.json("/api/v2/services").await, json!(["gateway", "orders"]));
}

#[tokio::test]
async fn many_traces_come_in_the_order_asked_and_unknown_ones_are_skipped() {
    let collector = collector(|_| {});
    for trace in ["1", "2", "3"] {
        collector.zipkin(&format!("[{}]", span(trace, "1", "a", ""))).await;
    }
    let many = collector.json("/api/v2/traceMany?traceIds=3,9,1").await;
    assert_eq!(many.as_array().unwrap().len(), 2);
    assert_eq!(many[0][0]["traceId"], "0000000000000003");
}

#[tokio::test]
async fn otlp_spans_are_read_in_zipkins_terms() {
    let collector = collector(|_| {});
    let name = |service: &str| KeyValue {
        key: "service.name".to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(service.to_owned())) }),
        ..KeyValue::default()
    };
    let mut trace_id = vec![0; 8];
    trace_id.extend_from_slice(&0x463a_c35c_9f64_13ad_u64.to_be_bytes());
    collector
        .otlp(&ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes: vec![name("Payments")], ..Resource::default() }),
                scope_spans: vec![ScopeSpans {
                    spans: vec![Span {
                        trace_id,
                        span_id: vec![1; 8],
                        kind: 5,
                        name: "order-placed process".to_owned(),
                        start_time_unix_nano: NOW_NS,
                        end_time_unix_nano: NOW_NS + 2_000_000,
                        ..Span::default()
                    }],
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        })
        .await;
    let trace = collector.json(&format!("/api/v2/trace/{TRACE}")).await;
    assert_eq!(trace[0]["localEndpoint"]["serviceName"], "payments");
    assert_eq!(trace[0]["kind"], "CONSUMER");
    assert_eq!(trace[0]["duration"], 2_000);
}

#[tokio::test]
async fn a_trace_that_travelled_with_both_lengths_of_id_is_linked_once() {
    let collector = collector(|_| {});
    let long = format!("00000000000000ff{TRACE}");
    let client = span(&long, "000000000000000a", "gateway", r#","kind":"CLIENT""#);
    let server = span(TRACE, "000000000000000a", "orders", r#","kind":"SERVER","shared":true"#);
    collector.zipkin(&format!("[{client},{server}]")).await;
    let links = collector.json(&format!("/api/v2/dependencies?endTs={NOW_MS}")).await;
    assert_eq!(links, json!([{"parent": "gateway", "child": "orders", "callCount": 1}]));
    // Strict ids: two traces.
    assert_eq!(collector.json(&format!("/api/v2/trace/{TRACE}")).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn lenient_ids_find_both_halves() {
    let collector = collector(|config| config.strict_trace_id = false);
    let long = format!("00000000000000ff{TRACE}");
    collector
        .zipkin(&format!("[{},{}]", span(&long, "a", "gateway", ""), span(TRACE, "b", "orders", "")))
        .await;
    for id in [TRACE, long.as_str()] {
        assert_eq!(collector.json(&format!("/api/v2/trace/{id}")).await.as_array().unwrap().len(), 2, "{id}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_whole_says_so() {
    let collector = collector(|config| config.answer_bytes_max = 1_000);
    for trace in 1..=50 {
        collector.zipkin(&format!("[{}]", span(&format!("{trace:x}"), "1", "a", ""))).await;
    }
    let answer = collector.get("/api/v2/traces?limit=50").await;
    assert!(answer.json().as_array().unwrap().len() < 50);
    assert!(answer.headers["tracepact-cut"].to_str().unwrap().contains("answer_bytes_max"));
    let native = collector.json("/tracepact/v1/traces?limit=50").await;
    assert_eq!(native["complete"], false);
    assert!(native["cut"].as_str().unwrap().contains("answer_bytes_max"));
}

#[tokio::test]
async fn any_page_may_read_and_other_methods_are_405() {
    let collector = collector(|_| {});
    let request = http::Request::get("/api/v2/services")
        .header(header::HOST, "127.0.0.1")
        .header(header::ORIGIN, "https://example.com")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = collector.request(request).await;
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let request = http::Request::builder()
        .method("TRACE")
        .uri("/api/v2/services")
        .header(header::HOST, "127.0.0.1")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(collector.request(request).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}
