//! What Zipkin's server promises its clients, asked from outside: the cases of its own integration tests, in our words.

use http::{Request, StatusCode, header};
use serde_json::json;

use crate::harness::{Collector, NOW_MS, NOW_US, collector, span};

const TRACE: &str = "7180c278b62e8f6a216a2aea45d08fc9";

/// The client's side of one call, with everything a span can carry, in the bytes that Zipkin would answer.
fn client_span() -> String {
    format!(
        r#"{{"traceId":"{TRACE}","parentId":"6b221d5bc9e6496c","id":"5b4185666d50f68b","kind":"CLIENT","name":"get","timestamp":{NOW_US},"duration":207000,"localEndpoint":{{"serviceName":"frontend","ipv4":"127.0.0.1"}},"remoteEndpoint":{{"serviceName":"backend","ipv4":"192.168.99.101","port":9000}},"annotations":[{{"timestamp":{},"value":"foo"}}],"tags":{{"clnt/finagle.version":"6.45.0","http.path":"/api"}}}}"#,
        NOW_US + 238
    )
}

async fn with_one_trace() -> Collector {
    let collector = collector(|_| {});
    collector.zipkin(&format!("[{}]", client_span())).await;
    collector
}

#[tokio::test]
async fn a_trace_comes_back_in_the_bytes_that_zipkin_writes() {
    let collector = with_one_trace().await;
    let list = format!("[{}]", client_span());
    for path in [
        format!("/api/v2/trace/{TRACE}"),
        // People paste ids with a space at the end.
        format!("/api/v2/trace/{TRACE}%20"),
        format!("/zipkin/api/v2/trace/{TRACE}"),
    ] {
        let answer = collector.get(&path).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, list.as_str()), "{path}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
        assert!(!answer.headers.contains_key(header::CACHE_CONTROL));
    }
    for path in [
        format!("/api/v2/traceMany?traceIds=abcd,{TRACE}"),
        "/api/v2/traces".to_owned(),
        "/zipkin/api/v2/traces".to_owned(),
    ] {
        assert_eq!(collector.get(&path).await.text, format!("[{list}]"), "{path}");
    }
}

#[tokio::test]
async fn refusals_have_zipkins_statuses_and_words() {
    let collector = with_one_trace().await;
    let single = format!("/api/v2/traceMany?traceIds={TRACE}");
    let twice = format!("/api/v2/traceMany?traceIds={TRACE},{TRACE}");
    for (path, status, text) in [
        (
            "/api/v2/trace/0e8b46e1-81b",
            400,
            "0e8b46e1-81b should be lower-hex encoded with no prefix".to_owned(),
        ),
        (
            "/api/v2/trace/0E8B46E181B",
            400,
            "0E8B46E181B should be lower-hex encoded with no prefix".to_owned(),
        ),
        ("/api/v2/trace/0000000000000000", 400, "traceId is all zeros".to_owned()),
        ("/api/v2/trace/100000000000000000000000000000000", 400, "traceId.length > 32".to_owned()),
        ("/api/v2/trace/abc", 404, "0000000000000abc not found".to_owned()),
        ("/api/v2/trace/10000000000000abc", 404, "00000000000000010000000000000abc not found".to_owned()),
        ("/api/v2/trace/00000000000000000000000000000abc", 404, "0000000000000abc not found".to_owned()),
        ("/api/v2/traceMany?traceIds=", 400, "traceIds parameter is empty".to_owned()),
        (single.as_str(), 400, "Use /api/v2/trace/{traceId} endpoint to retrieve a single trace".to_owned()),
        (twice.as_str(), 400, format!("redundant traceId: {TRACE}")),
        ("/api/v2/traceMany?traceIds=abcd,0000abcd", 400, "redundant traceId: 0000abcd".to_owned()),
        (
            "/api/v2/traceMany?traceIds=abcd,0e8b46e1-81b",
            400,
            "0e8b46e1-81b should be lower-hex encoded with no prefix".to_owned(),
        ),
        ("/api/v2/traces?limit=0", 400, "limit <= 0".to_owned()),
        ("/api/v2/traces?endTs=-1", 400, "endTs <= 0".to_owned()),
        ("/api/v2/traces?lookback=0", 400, "lookback <= 0".to_owned()),
        ("/api/v2/traces?minDuration=0", 400, "minDuration <= 0".to_owned()),
        ("/api/v2/traces?maxDuration=1", 400, "maxDuration is only valid with minDuration".to_owned()),
        ("/api/v2/traces?minDuration=2&maxDuration=1", 400, "maxDuration < minDuration".to_owned()),
    ] {
        let answer = collector.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text), (status, text), "{path}");
        assert!(answer.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"), "{path}");
    }
}

#[tokio::test]
async fn empty_parameters_and_the_name_all_mean_none() {
    let collector = with_one_trace().await;
    for query in [
        "serviceName=&remoteServiceName=&spanName=&annotationQuery=",
        "spanName=all&limit=10",
        "spanName=ALL",
        "serviceName=FRONTEND&spanName=GET&remoteServiceName=Backend",
        "annotationQuery=foo",
        "annotationQuery=http.path",
        "annotationQuery=http.path%3D%2Fapi%20and%20foo",
        "annotationQuery=http.path%20and%20http.path%3D%2Fapi",
        "minDuration=207000&maxDuration=207000",
        "endTs=1795219200000&lookback=1",
        "limit=2147483647",
        "unknown=1",
    ] {
        let found = collector.json(&format!("/api/v2/traces?{query}")).await;
        assert_eq!(found.as_array().unwrap().len(), 1, "{query}");
    }
    for query in [
        "serviceName=backend",
        "annotationQuery=FOO",
        "annotationQuery=http.path%3D%2Fother",
        "annotationQuery=http.path%3D%2Fapi%20and%20http.path%3D%2Fother",
        "minDuration=207001",
        "minDuration=1&maxDuration=206999",
        "endTs=1795219199999&lookback=86400000",
    ] {
        assert_eq!(collector.json(&format!("/api/v2/traces?{query}")).await, json!([]), "{query}");
    }
}

#[tokio::test]
async fn names_are_sorted_escaped_and_asked_for_in_any_script() {
    let collector = with_one_trace().await;
    let tab = span("a", "1", r"foo\tbar", r#","name":"Ütf""#);
    collector.zipkin(&format!("[{tab}]")).await;
    assert_eq!(collector.get("/api/v2/services").await.text, r#"["foo\tbar","frontend"]"#);
    assert_eq!(collector.get("/api/v2/spans?serviceName=FOO%09BAR").await.text, "[\"ütf\"]");
    assert_eq!(collector.get("/api/v2/remoteServices?serviceName=frontend").await.text, r#"["backend"]"#);
    for path in ["spans", "remoteServices"] {
        let answer = collector.get(&format!("/api/v2/{path}?serviceName=%E4%B8%AA%E4%BA%BA")).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "[]"));
    }
}

#[tokio::test]
async fn names_are_cached_from_the_fourth_service_on() {
    let collector = collector(|_| {});
    let names =
        ["/api/v2/services", "/api/v2/spans?serviceName=web", "/api/v2/remoteServices?serviceName=web"];
    for (index, service) in ["foo", "bar", "baz", "quz"].iter().enumerate() {
        for path in names {
            let answer = collector.get(path).await;
            assert!(!answer.headers.contains_key(header::CACHE_CONTROL), "{path} with {index} services");
        }
        collector.zipkin(&format!("[{}]", span("a", &format!("{}", index + 1), service, ""))).await;
    }
    for path in names {
        let answer = collector.get(path).await;
        assert_eq!(answer.headers[header::CACHE_CONTROL], "max-age=300, must-revalidate", "{path}");
    }
    assert_eq!(collector.get("/api/v2/services").await.text, r#"["bar","baz","foo","quz"]"#);
}

#[tokio::test]
async fn configured_keys_are_always_cached_values_from_the_fourth_on() {
    let collector = collector(|config| config.autocomplete_keys = vec!["version".into(), "env".into()]);
    let keys = collector.get("/api/v2/autocompleteKeys").await;
    assert_eq!(keys.text, r#"["env","version"]"#);
    assert_eq!(keys.headers[header::CACHE_CONTROL], "max-age=300, must-revalidate");
    for (index, value) in ["a", "b", "c", "d"].iter().enumerate() {
        let values = collector.get("/api/v2/autocompleteValues?key=env").await;
        assert!(!values.headers.contains_key(header::CACHE_CONTROL), "{index} values");
        let more = format!(r#","tags":{{"env":"{value}","other":"x"}}"#);
        collector.zipkin(&format!("[{}]", span("a", &format!("{}", index + 1), "web", &more))).await;
    }
    let values = collector.get("/api/v2/autocompleteValues?key=env").await;
    assert_eq!(values.text, r#"["a","b","c","d"]"#);
    assert_eq!(values.headers[header::CACHE_CONTROL], "max-age=300, must-revalidate");
    assert_eq!(collector.get("/api/v2/autocompleteValues?key=other").await.text, "[]", "not configured");
}

#[tokio::test]
async fn without_configured_keys_every_key_that_was_seen_is_completed() {
    let collector = with_one_trace().await;
    assert_eq!(
        collector.get("/api/v2/autocompleteKeys").await.text,
        r#"["clnt/finagle.version","http.path"]"#
    );
    assert_eq!(collector.get("/api/v2/autocompleteValues?key=http.path").await.text, r#"["/api"]"#);
    assert_eq!(collector.get("/api/v2/autocompleteValues?key=none").await.text, "[]");
    assert_eq!(collector.get("/api/v2/autocompleteValues").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn with_search_off_traces_are_found_by_id_only() {
    let collector = collector(|config| config.search_enabled = false);
    collector.zipkin(&format!("[{}]", client_span())).await;
    for path in [
        "/api/v2/services",
        "/api/v2/spans?serviceName=frontend",
        "/api/v2/remoteServices?serviceName=frontend",
        "/api/v2/traces",
        "/api/v2/autocompleteKeys",
        "/api/v2/autocompleteValues?key=http.path",
    ] {
        assert_eq!(collector.get(path).await.text, "[]", "{path}");
    }
    assert_eq!(collector.json(&format!("/api/v2/trace/{TRACE}")).await.as_array().unwrap().len(), 1);
    let links = collector.json(&format!("/api/v2/dependencies?endTs={NOW_MS}")).await;
    assert_eq!(links, json!([{"parent": "frontend", "child": "backend", "callCount": 1}]));
}

#[tokio::test]
async fn trace_is_refused_everywhere() {
    let collector = collector(|_| {});
    for path in ["/", "/api/v2/traces", "/whatever/and/not"] {
        let request = Request::builder()
            .method("TRACE")
            .uri(path)
            .header(header::HOST, "127.0.0.1")
            .body(axum::body::Body::empty())
            .unwrap();
        assert_eq!(collector.request(request).await.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn pages_anywhere_may_read_and_no_credentials_are_spoken_of() {
    let collector = collector(|_| {});
    let request = Request::get("/api/v2/traces")
        .header(header::HOST, "127.0.0.1")
        .header(header::ORIGIN, "http://foo.example.com")
        .body(axum::body::Body::empty())
        .unwrap();
    let headers = collector.request(request).await.headers().clone();
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(!headers.contains_key(header::VARY));
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
}

/// What Grafana's Zipkin data source sends, in its order: the health check, the builder's lists, a search, a trace. It
/// names no time, so the lookback decides.
#[tokio::test]
async fn grafanas_questions_are_answered() {
    let collector = with_one_trace().await;
    let services = collector.json("/api/v2/services").await;
    assert_eq!(services, json!(["frontend"]));
    let operations = collector.json("/api/v2/spans?serviceName=frontend").await;
    assert_eq!(operations, json!(["get"]));
    let found = collector.json("/api/v2/traces?serviceName=frontend&spanName=get").await;
    assert_eq!(found[0][0]["traceId"], TRACE);
    assert_eq!(found[0][0]["duration"], 207_000);
    let id = found[0][0]["traceId"].as_str().unwrap();
    let trace = collector.json(&format!("/api/v2/trace/{id}")).await;
    // What its table and its waterfall are made of.
    let first = &trace[0];
    for member in
        ["traceId", "id", "parentId", "name", "timestamp", "duration", "kind", "localEndpoint", "tags"]
    {
        assert!(!first[member].is_null(), "{member}");
    }
    assert_eq!(first["annotations"][0]["value"], "foo");
    assert_eq!(collector.get("/api/v2/trace/ffff").await.status, StatusCode::NOT_FOUND);
}
