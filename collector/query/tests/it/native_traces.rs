//! What the native API computes of traces: order and pages, histogram, comparison, skeleton, skew, critical path,
//! repeated calls, names.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Collector, NOW_US, collector, span};

/// A span of its own trace.
fn one(trace: u64, at_us: i64, duration_us: u64, more: &str) -> String {
    span(&format!("{trace:x}"), "1", "orders", more)
        .replace(&NOW_US.to_string(), &(NOW_US as i64 + at_us).to_string())
        .replace("\"duration\":1000", &format!("\"duration\":{duration_us}"))
}

async fn send(collector: &Collector, spans: &[String]) {
    collector.zipkin(&format!("[{}]", spans.join(","))).await;
}

fn ids(answer: &Value) -> Vec<u64> {
    let traces = answer["traces"].as_array().unwrap();
    traces.iter().map(|t| u64::from_str_radix(t["trace_id"].as_str().unwrap(), 16).unwrap()).collect()
}

/// All pages of a question.
async fn pages(collector: &Collector, question: &str, limit: usize) -> Vec<u64> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/tracepact/v1/traces?{question}&limit={limit}&cursor={cursor}");
        let answer = collector.json(&path).await;
        let found = ids(&answer);
        assert!(found.len() <= limit);
        all.extend(found);
        match answer["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return all,
        }
    }
}

#[tokio::test]
async fn pages_of_every_order_hold_each_trace_once() {
    let collector = collector(|_| {});
    // Three of each moment; lengths, spans and errors in other orders.
    let mut spans = Vec::new();
    for trace in 1..=30u64 {
        let error = if trace % 4 == 0 { r#","tags":{"error":"x"}"# } else { "" };
        spans.push(one(trace, -(trace as i64 / 3) * 1_000, trace * 7 % 31 * 10 + 1, error));
        for extra in 0..trace % 5 {
            let id = format!("\"id\":\"{:x}\"", extra + 2);
            spans.push(one(trace, 0, 1, r#","parentId":"1""#).replace("\"id\":\"1\"", &id));
        }
    }
    send(&collector, &spans).await;
    for sort in ["newest", "longest", "most_spans", "most_errors"] {
        let whole = pages(&collector, &format!("sort={sort}"), 1_000).await;
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 30, "{sort}");
        for limit in [1, 4, 7, 30] {
            assert_eq!(pages(&collector, &format!("sort={sort}"), limit).await, whole, "{sort} by {limit}");
        }
    }
    let answer = collector.json("/tracepact/v1/traces?sort=longest&limit=30").await;
    let lengths: Vec<f64> =
        answer["traces"].as_array().unwrap().iter().map(|t| t["duration_us"].as_f64().unwrap()).collect();
    assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
    let spans = collector.json("/tracepact/v1/traces?sort=most_spans&limit=30").await;
    assert_eq!(
        (&spans["traces"][0]["span_count"], &spans["traces"][29]["span_count"]),
        (&json!(5), &json!(1))
    );
    let errors = collector.json("/tracepact/v1/traces?sort=most_errors&limit=1").await;
    assert_eq!(errors["traces"][0]["error_count"], 1);
}

#[tokio::test]
async fn pages_stay_in_the_window_of_the_first() {
    let collector = collector(|_| {});
    send(&collector, &[one(1, -2, 1, ""), one(2, -1, 1, "")]).await;
    let first = collector.json("/tracepact/v1/traces?limit=1").await;
    assert_eq!(ids(&first), [2]);
    send(&collector, &[one(3, 0, 1, "")]).await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(ids(&collector.json(&format!("/tracepact/v1/traces?limit=5&cursor={next}")).await), [1]);
    for bad in ["x", "longest.0.1.2.3.4", &format!("{next}0.1")] {
        let answer = collector.get(&format!("/tracepact/v1/traces?cursor={bad}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_rare_long_trace_is_found_behind_many_short_ones() {
    let collector = collector(|_| {});
    let mut spans = vec![one(0xabc, -60_000_000, 5_000_000, "")];
    spans.extend((1..=2_500).map(|i| one(0x10_0000 + i, -(i as i64), 10, "")));
    send(&collector, &spans).await;
    let found = collector.json("/tracepact/v1/traces?min_trace_duration_us=1000000&limit=3").await;
    assert_eq!((ids(&found), &found["complete"], &found["next"]), (vec![0xabc], &json!(true), &Value::Null));
    assert_eq!(ids(&collector.json("/tracepact/v1/traces?sort=longest&limit=1").await), [0xabc]);
    let short = collector.json("/tracepact/v1/traces?max_trace_duration_us=10&limit=5000").await;
    assert_eq!(ids(&short).len(), 2_500);
}

#[tokio::test]
async fn an_answer_that_hit_a_limit_says_which_and_goes_on() {
    let collector = collector(|config| config.rows_max = 200);
    let spans: Vec<String> = (1..=1_000).map(|i| one(i, -(i as i64), 10, "")).collect();
    send(&collector, &spans).await;
    let cut = collector.json("/tracepact/v1/traces?min_trace_duration_us=999&limit=5").await;
    assert_eq!((&cut["complete"], ids(&cut).len()), (&json!(false), 0));
    assert!(cut["cut"].as_str().unwrap().contains("rows_max"), "{cut}");
    let histogram = collector.json("/tracepact/v1/traces/histogram").await;
    assert_eq!(histogram["complete"], false);
    let zipkin = collector.get("/api/v2/traces?limit=1000").await;
    assert!(zipkin.headers["tracepact-cut"].to_str().unwrap().contains("rows_max"));
}

#[tokio::test]
async fn conditions_hold_on_one_span_or_on_any() {
    let collector = collector(|_| {});
    let parent = span("1", "1", "orders", r#","tags":{"a":"1"}"#);
    let child = span("1", "2", "db", r#","parentId":"1","tags":{"b":"2"}"#);
    send(&collector, &[parent, child]).await;
    let hits =
        async |question: &str| ids(&collector.json(&format!("/tracepact/v1/traces?{question}")).await).len();
    assert_eq!(hits("service=orders&tag=a%3D1&tag=b%3D2&scope=trace").await, 1);
    assert_eq!(hits("service=orders&tag=a%3D1&tag=b%3D2").await, 0);
    assert_eq!(hits("tag=a%3D1&tag=b%3D2&scope=span").await, 0);
    assert_eq!(hits("service=db&tag=b%3D2&scope=span").await, 1);
    let answer = collector.get("/tracepact/v1/traces?scope=planet").await;
    assert!(answer.json()["detail"].as_str().unwrap().contains("planet"));
}

#[tokio::test]
async fn the_histogram_counts_every_trace_once_at_its_place() {
    let collector = collector(|_| {});
    let mut spans: Vec<String> = (1..=40).map(|i| one(i, -1_000_000, 100, "")).collect();
    spans.push(one(50, -1_000_000, 100_000, r#","tags":{"error":"x"}"#));
    spans.push(one(51, -1_800_000_000, 100, ""));
    send(&collector, &spans).await;
    let answer = collector.json("/tracepact/v1/traces/histogram?steps=60").await;
    assert_eq!(
        (&answer["traces"], &answer["steps"], &answer["complete"]),
        (&json!(42), &json!(60), &json!(true))
    );
    let cells = answer["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 3);
    let counts: Vec<u64> = cells.iter().map(|cell| cell["count"].as_u64().unwrap()).collect();
    assert_eq!(counts.iter().sum::<u64>(), 42);
    for cell in cells {
        let class = &answer["durations"][cell["duration"].as_u64().unwrap() as usize];
        let (from, to) = (class["from_us"].as_f64().unwrap(), class["to_us"].as_f64().unwrap());
        let took = if cell["error_count"] == 1 { 100_000.0 } else { 100.0 };
        assert!(from < took && took <= to, "{took} in {class}");
    }
    assert!(cells[0]["step"].as_u64().unwrap() < cells[1]["step"].as_u64().unwrap());
    assert_eq!(
        collector.get("/tracepact/v1/traces/histogram?steps=501").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn what_failed_or_slow_traces_have_in_common_comes_first() {
    let collector = collector(|_| {});
    let spans: Vec<String> = (1..=100u64)
        .map(|i| {
            let bad = i % 10 == 0;
            let error = if bad { r#","error":"x""# } else { "" };
            let region = if bad { "eu" } else { "us" };
            let tags = format!(r#","tags":{{"region":"{region}","half":"{}","order":"o{i}"{error}}}"#, i % 2);
            one(i, -(i as i64), if bad { 90_000 } else { 100 }, &tags)
        })
        .collect();
    send(&collector, &spans).await;
    for question in ["select=errors", "select=slow", "select=slow&slower_than_us=90000"] {
        let answer = collector.json(&format!("/tracepact/v1/traces/compare?{question}")).await;
        assert_eq!(
            (&answer["selected_count"], &answer["rest_count"]),
            (&json!(10), &json!(90)),
            "{question}"
        );
        let differences = answer["differences"].as_array().unwrap();
        let eu = differences.iter().find(|one| one["value"] == "eu").unwrap();
        assert_eq!(
            (&eu["key"], &eu["level"], &eu["difference"]),
            (&json!("region"), &json!("span"), &json!(1.0))
        );
        assert_eq!((&eu["selected_count"], &eu["rest_count"]), (&json!(10), &json!(0)));
        assert_eq!(answer["left_out"], json!(["order"]), "an id of each trace tells nothing");
        let sizes: Vec<f64> = differences.iter().map(|d| d["difference"].as_f64().unwrap().abs()).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b));
    }
    let slow = collector.json("/tracepact/v1/traces/compare?select=slow").await;
    assert_eq!(slow["slower_than_us"], 90_000.0, "the slowest twentieth begins there");
    for bad in ["", "select=x", "select=errors&slower_than_us=1", "select=slow&limit=0"] {
        let answer = collector.get(&format!("/tracepact/v1/traces/compare?{bad}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

/// gateway calls orders on another host whose clock is 10 ms behind; orders asks products the same thing three times.
fn shop() -> Vec<String> {
    let at = |text: String, at_us: i64, duration_us: u64| {
        text.replace(&NOW_US.to_string(), &(NOW_US as i64 + at_us).to_string())
            .replace("\"duration\":1000", &format!("\"duration\":{duration_us}"))
    };
    let host = |text: String, ip: &str| {
        text.replacen("\"serviceName\"", &format!("\"ipv4\":\"{ip}\",\"serviceName\""), 1)
    };
    let ask = |id: &str, at_us: i64| {
        let more = r#","parentId":"b","kind":"CLIENT","name":"get /products/7","tags":{"http.method":"GET","http.path":"/products/7"},"remoteEndpoint":{"serviceName":"products"}"#;
        host(at(span("5", id, "orders", more), at_us - 10_000, 1_000), "10.0.0.2")
    };
    vec![
        host(at(span("5", "a", "gateway", r#","kind":"CLIENT","name":"checkout""#), 0, 10_000), "10.0.0.1"),
        host(
            at(span("5", "b", "orders", r#","parentId":"a","kind":"SERVER""#), 1_000 - 10_000, 8_000),
            "10.0.0.2",
        ),
        ask("c", 2_000),
        ask("d", 4_000),
        ask("e", 6_000),
    ]
}

#[tokio::test]
async fn one_trace_tells_skew_self_time_critical_path_and_repeated_calls() {
    let collector = collector(|_| {});
    send(&collector, &shop()).await;
    let trace = collector.json("/tracepact/v1/traces/5").await;
    assert_eq!(trace["header"]["duration_us"], 10_000.0, "a clock that is behind makes no trace longer");
    let spans = trace["spans"].as_array().unwrap();
    assert!(spans[0].get("skew_us").is_none());
    for behind in &spans[1..] {
        assert_eq!(behind["skew_us"], 10_000.0, "{behind}");
    }
    assert_eq!(spans[1]["start_offset_us"], -9_000.0, "what was received stays");
    assert_eq!((&spans[0]["self_time_us"], &spans[1]["self_time_us"]), (&json!(2_000.0), &json!(5_000.0)));
    assert_eq!((&spans[0]["critical_us"], &spans[2]["critical_us"]), (&json!(2_000.0), &json!(1_000.0)));
    let path = trace["critical_path"].as_array().unwrap();
    let rows: Vec<u64> = path.iter().map(|segment| segment["row"].as_u64().unwrap()).collect();
    assert_eq!(rows, [0, 1, 2, 1, 3, 1, 4, 1, 0]);
    let mut until = 0.0;
    for segment in path {
        assert_eq!(segment["start_offset_us"].as_f64().unwrap(), until);
        until += segment["duration_us"].as_f64().unwrap();
    }
    assert_eq!(until, 10_000.0);
    assert_eq!(
        trace["repeated_calls"],
        json!([{"callee": "products", "operation": "get /products/7", "key": "/products/7", "certain": true,
                "count": 3, "needless_count": 2, "needless_us": 2000.0, "rows": [2, 3, 4]}])
    );
}

#[tokio::test]
async fn the_skeleton_says_the_same_in_columns_and_details_come_on_demand() {
    let collector = collector(|_| {});
    send(&collector, &shop()).await;
    let trace = collector.json("/tracepact/v1/traces/5").await;
    let skeleton = collector.json("/tracepact/v1/traces/5/skeleton").await;
    assert_eq!(skeleton["header"], trace["header"]);
    assert_eq!(skeleton["repeated_calls"], trace["repeated_calls"]);
    let columns = &skeleton["columns"];
    for (row, span) in trace["spans"].as_array().unwrap().iter().enumerate() {
        for column in ["span_id", "depth", "start_offset_us", "duration_us", "self_time_us"] {
            assert_eq!(columns[column][row], span[column], "{column} of {row}");
        }
        let text = |dictionary: &str, column: &str| {
            let number = columns[column][row].as_i64().unwrap();
            usize::try_from(number).map_or(Value::Null, |number| skeleton[dictionary][number].clone())
        };
        assert_eq!(text("services", "service"), span["service"]);
        assert_eq!(text("names", "name"), *span.get("name").unwrap_or(&Value::Null));
        assert_eq!(text("kinds", "kind"), span["kind"]);
    }
    assert_eq!(columns["parent"], json!([-1, 0, 1, 1, 1]));
    assert_eq!((&columns["skewed"], &columns["skew_us"][0]), (&json!([1, 2, 3, 4]), &json!(10_000.0)));
    assert_eq!(skeleton["critical_path"]["row"], json!([0, 1, 2, 1, 3, 1, 4, 1, 0]));
    assert_eq!(skeleton["critical_path"]["end_offset_us"], 10_000.0);

    let details = collector.json("/tracepact/v1/traces/5/spans?span_id=c&span_id=a&span_id=ff").await;
    assert_eq!(details["spans"], json!([trace["spans"][0], trace["spans"][2]]));
    for (path, status) in [
        ("5/spans", 400),
        ("5/spans?span_id=xyz", 400),
        ("9/spans?span_id=1", 404),
        ("9/skeleton", 404),
        ("x/skeleton", 400),
    ] {
        let answer = collector.get(&format!("/tracepact/v1/traces/{path}")).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_chain_of_a_hundred_thousand_spans_is_answered_within_limits() {
    let collector = collector(|config| config.timeout = Duration::from_secs(300));
    const SPANS: usize = 100_000;
    for part in (1..=SPANS).collect::<Vec<_>>().chunks(20_000) {
        let spans: Vec<String> = part
            .iter()
            .map(|id| {
                let parent = if *id > 1 { format!(r#","parentId":"{:x}""#, id - 1) } else { String::new() };
                format!(
                    r#"{{"traceId":"7","id":"{id:x}"{parent},"timestamp":{},"duration":{}}}"#,
                    NOW_US + *id as u64,
                    3 * SPANS - 2 * id
                )
            })
            .collect();
        send(&collector, &spans).await;
    }
    let answer = collector.get("/tracepact/v1/traces/7/skeleton").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.len() < 32 << 20, "{} bytes", answer.text.len());
    let skeleton = answer.json();
    assert_eq!((&skeleton["complete"], &skeleton["header"]["depth"]), (&json!(true), &json!(SPANS)));
    assert_eq!(skeleton["columns"]["parent"].as_array().unwrap().len(), SPANS);
    assert_eq!(skeleton["critical_path"]["row"].as_array().unwrap().len(), 2 * SPANS - 1);
    // The listing of everything is cut, and says so.
    let listed = collector.json("/tracepact/v1/traces/7").await;
    assert_eq!(listed["complete"], false);
    assert!(listed["cut"].as_str().unwrap().contains("of 100000 spans"), "{}", listed["cut"]);
    let one = collector.json("/tracepact/v1/traces/7/spans?span_id=186a0").await;
    assert_eq!(one["spans"][0]["depth"], SPANS);
}

#[tokio::test]
async fn every_tag_is_completed_and_names_begin_as_asked() {
    let collector = collector(|config| config.autocomplete_keys = vec!["configured".to_owned()]);
    let tags = r#","name":"Post /orders","tags":{"order.id":"7","order.kind":"web","zone":"a"}"#;
    send(&collector, &[span("1", "1", "Orders", tags)]).await;
    let names =
        async |path: &str| collector.json(&format!("/tracepact/v1/names/{path}")).await["names"].clone();
    assert_eq!(names("services").await, json!(["Orders"]));
    assert_eq!(names("operations?service=ORDERS&prefix=post").await, json!(["Post /orders"]));
    assert_eq!(names("tags").await, json!(["order.id", "order.kind", "zone"]));
    assert_eq!(names("tags?prefix=order.").await, json!(["order.id", "order.kind"]));
    assert_eq!(names("tag_values?key=order.kind").await, json!(["web"]));
    let cut = collector.json("/tracepact/v1/names/tags?limit=1").await;
    assert_eq!((&cut["complete"], &cut["names"]), (&json!(false), &json!(["order.id"])));
    assert_eq!(collector.get("/tracepact/v1/names/planets").await.status, StatusCode::NOT_FOUND);
}
