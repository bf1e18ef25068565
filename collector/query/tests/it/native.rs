use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::json;
use tracepact_base::{Edge, Event, EventKind, ServiceName};
use tracepact_store::{EventStore, Point, SeriesStore};

use crate::harness::{NOW_NS, NOW_US, collector, span};

const TRACE: &str = "463ac35c9f6413ad";

fn at(span: String, offset_us: i64) -> String {
    span.replace(&NOW_US.to_string(), &(NOW_US as i64 + offset_us).to_string())
}

#[tokio::test]
async fn one_trace_is_a_tree_with_levels_and_offsets() {
    let collector = collector(|_| {});
    let spans = [
        at(
            span(
                TRACE,
                "b",
                "orders",
                r#","parentId":"a","kind":"SERVER","shared":false,"name":"POST /orders""#,
            ),
            200,
        ),
        at(
            span(
                TRACE,
                "a",
                "Gateway",
                r#","kind":"SERVER","name":"checkout","annotations":[{"timestamp":1795219200000500,"value":"retry"}]"#,
            ),
            0,
        ),
        at(
            span(
                TRACE,
                "c",
                "orders",
                r#","parentId":"b","kind":"CLIENT","tags":{"error":"503"},"remoteEndpoint":{"serviceName":"products"}"#,
            ),
            300,
        ),
        at(span(TRACE, "d", "notifications", r#","parentId":"e""#), 400),
    ];
    collector.zipkin(&format!("[{}]", spans.join(","))).await;
    let trace = collector.json(&format!("/tracepact/v1/traces/{TRACE}")).await;
    assert_eq!(trace["as_of"], "2026-11-21T00:00:00Z");
    assert_eq!(trace["complete"], true);
    assert_eq!(
        trace["header"],
        json!({"start": "2026-11-21T00:00:00Z", "duration_us": 1400.0, "services": ["Gateway", "orders", "notifications"],
               "depth": 3, "span_count": 4, "error_count": 1})
    );
    assert_eq!(trace["roots"], 2);
    assert_eq!(trace["missing_parents"], json!(["000000000000000e"]));
    let rows: Vec<_> = trace["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (s["span_id"].as_str().unwrap().trim_start_matches('0').to_owned(), s["depth"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(rows, [("a".into(), 1), ("b".into(), 2), ("c".into(), 3), ("d".into(), 1)]);
    let failed = &trace["spans"][2];
    assert_eq!(failed["row_parent_id"], "000000000000000b");
    assert_eq!(failed["start_offset_us"], 300.0);
    assert_eq!((&failed["error"], &failed["kind"]), (&json!(true), &json!("client")));
    assert_eq!(failed["remote_service"], "products");
    assert_eq!(trace["spans"][0]["events"], json!([{"offset_us": 500.0, "name": "retry"}]));
    assert!(trace["spans"][0].get("parent_id").is_none());
}

#[tokio::test]
async fn the_server_half_of_a_shared_span_hangs_under_the_client() {
    let collector = collector(|_| {});
    let client = span(TRACE, "a", "gateway", r#","kind":"CLIENT""#);
    let server = span(TRACE, "a", "orders", r#","kind":"SERVER","shared":true"#);
    collector.zipkin(&format!("[{server},{client}]")).await;
    let trace = collector.json(&format!("/tracepact/v1/traces/{TRACE}")).await;
    assert_eq!(trace["roots"], 1);
    assert_eq!(trace["spans"][1]["shared"], true);
    assert_eq!(trace["spans"][1]["row_parent_id"], "000000000000000a");
}

#[tokio::test]
async fn search_narrows_by_every_parameter() {
    let collector = collector(|_| {});
    collector
        .zipkin(&format!(
            "[{}]",
            span("1", "1", "Orders", r#","name":"GET","tags":{"order":"7","error":"x"}"#)
        ))
        .await;
    collector.zipkin(&format!("[{}]", span("2", "1", "products", r#","name":"GET""#))).await;
    let ids = async |query: &str| -> Vec<String> {
        let answer = collector.json(&format!("/tracepact/v1/traces?{query}")).await;
        let traces = answer["traces"].as_array().unwrap().clone();
        traces.iter().map(|t| t["trace_id"].as_str().unwrap().trim_start_matches('0').to_owned()).collect()
    };
    assert_eq!(ids("").await.len(), 2);
    assert_eq!(ids("service=orders").await, ["1"]);
    assert_eq!(ids("name=get&tag=order%3D7").await, ["1"]);
    assert_eq!(ids("tag=order%3D8").await, Vec::<String>::new());
    assert_eq!(ids("errors=true").await, ["1"]);
    assert_eq!(ids("min_duration_us=1000&max_duration_us=1000").await.len(), 2);
    assert_eq!(ids("min_duration_us=1000.5").await.len(), 0);
    assert_eq!(ids("end=2026-11-20T23:00:00Z").await.len(), 0);
    assert_eq!(ids("limit=1").await.len(), 1);
    let answer = collector.json("/tracepact/v1/traces?service=orders").await;
    assert_eq!(
        answer["traces"][0],
        json!({"trace_id": "0000000000000001", "root_service": "Orders", "root_name": "GET",
               "start": "2026-11-21T00:00:00Z", "duration_us": 1000.0, "span_count": 1, "error_count": 1, "services": ["Orders"]})
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_reason() {
    let collector = collector(|_| {});
    for (path, status, part) in [
        ("traces?servise=x", 400, "servise"),
        ("traces?limit=0", 400, "limit"),
        ("traces?start=yesterday", 400, "RFC 3339"),
        ("traces?errors=maybe", 400, "errors"),
        ("traces?min_duration_us=5&max_duration_us=4", 400, "max_duration_us"),
        ("traces/xyz", 400, "trace id"),
        ("traces/00000000000000ff", 404, "00000000000000ff"),
        ("traces/ff?raw=1", 400, "raw"),
        ("series", 400, "name"),
        ("events?kind=nonsense", 400, "kind"),
        ("events?limit=1001", 400, "limit"),
        ("events/stream?x=1", 400, "x"),
    ] {
        let answer = collector.get(&format!("/tracepact/v1/{path}")).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(answer.json()["detail"].as_str().unwrap().contains(part), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn series_are_selected_by_name_label_and_window() {
    let collector = collector(|_| {});
    let point = |group: &str, at_ns: u64, value: f64| Point {
        name: "tracepact_consumer_lag_messages".to_owned(),
        labels: [("group".to_owned(), group.to_owned())].into(),
        at_ns,
        value,
    };
    let hour = 3_600_000_000_000;
    collector
        .engine
        .append_points(vec![
            point("payments", NOW_NS - 2 * hour, 9.0),
            point("payments", NOW_NS - 1_000_000, 1.0),
            point("payments", NOW_NS, 2.0),
            point("orders", NOW_NS, 5.0),
        ])
        .await
        .unwrap();
    let answer = collector.json("/tracepact/v1/series?label.group=payments").await;
    assert_eq!(
        answer["series"],
        json!([{"name": "tracepact_consumer_lag_messages", "labels": {"group": "payments"},
                "points": [[NOW_NS / 1_000_000 - 1, 1.0], [NOW_NS / 1_000_000, 2.0]]}])
    );
    let answer = collector
        .json("/tracepact/v1/series?name=tracepact_consumer_lag_messages&start=2026-11-20T00:00:00Z")
        .await;
    assert_eq!(answer["series"].as_array().unwrap().len(), 2);
    assert_eq!(answer["series"][1]["points"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn events_are_listed_newest_first_and_filtered() {
    let collector = collector(|_| {});
    let name = |name| ServiceName::new(name).unwrap();
    let opened = Event::new(EventKind::BreakerTransition, NOW_NS - 5, "the breaker products opened")
        .on_edge(Edge::new(name("orders"), name("products")));
    let deploy = Event::new(EventKind::Deploy, NOW_NS, "products 2 was deployed").about(name("products"));
    collector.engine.append_events(vec![opened, deploy]).await.unwrap();
    let titles = async |query: &str| -> Vec<String> {
        let answer = collector.json(&format!("/tracepact/v1/events?{query}")).await;
        answer["events"].as_array().unwrap().iter().map(|e| e["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("").await, ["products 2 was deployed", "the breaker products opened"]);
    assert_eq!(titles("kind=breaker_transition").await, ["the breaker products opened"]);
    assert_eq!(titles("service=Products").await.len(), 2);
    assert_eq!(titles("service=orders").await, ["the breaker products opened"]);
    assert_eq!(titles("since=2026-11-21T00:00:00Z").await, ["products 2 was deployed"]);
    let answer = collector.json("/tracepact/v1/events?limit=1").await;
    assert_eq!((&answer["complete"], &answer["cut"]), (&json!(false), &json!("the newest 1 are listed")));
}

#[tokio::test]
async fn listeners_hear_that_something_changed_and_are_bounded() {
    let collector = collector(|config| config.listeners_max = 1);
    let request = || {
        Request::get("/tracepact/v1/events/stream")
            .header(header::HOST, "127.0.0.1")
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let response = collector.request(request()).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body();
    let next = async |body: &mut axum::body::Body| {
        let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.unwrap();
        String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
    };
    let first = next(&mut body).await;
    assert!(first.starts_with("event: changed\ndata: {\"version\":"), "{first}");
    assert_eq!(collector.request(request()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let event = Event::new(EventKind::Deploy, NOW_NS, "products 2 was deployed");
    collector.engine.append_events(vec![event]).await.unwrap();
    assert_ne!(next(&mut body).await, first);
    drop(body);
    assert_eq!(collector.request(request()).await.status(), StatusCode::OK);
}

#[test]
fn every_native_route_is_described() {
    let document = tracepact_query::openapi();
    let described: Vec<&String> = document.paths.paths.keys().collect();
    for path in [
        "traces",
        "traces/{trace_id}",
        "series",
        "events",
        "events/stream",
        "breakers",
        "bulkheads",
        "lag",
        "messages",
    ] {
        let path = format!("/tracepact/v1/{path}");
        assert!(described.contains(&&path), "{path} is missing in {described:?}");
    }
}

mod boards {
    use tracepact_base::TraceId;
    use tracepact_resilience::board::{
        FlowCounts, FlowView, GroupView, LagView, MessageView, MessagesView, TopicView,
    };
    use tracepact_resilience::lag::Verdict;
    use tracepact_resilience::loss::MessageVerdict;
    use tracepact_resilience::{
        BreakerKey, BreakerSample, BreakerState, BulkheadKey, BulkheadName, BulkheadSample, Source,
    };

    use super::*;

    fn sample(state: BreakerState, at_ns: u64) -> BreakerSample {
        let key = BreakerKey {
            service: ServiceName::new("orders").unwrap(),
            instance: "orders-1".to_owned(),
            name: "products".to_owned(),
        };
        let mut sample = BreakerSample::new(key, Source::Otlp, at_ns);
        sample.state = Some(state);
        sample
    }

    #[tokio::test]
    async fn a_breaker_tells_its_transitions_those_of_before_a_restart_included() {
        let collector = collector(|_| {});
        let seconds = |s: u64| NOW_NS - s * 1_000_000_000;
        // Another process has seen it open; this one meets it half open and sees it close.
        let earlier = tracepact_resilience::board::BreakerBoard::new(0);
        for (state, at_ns) in [
            (BreakerState::Closed, seconds(60)),
            (BreakerState::Open, seconds(50)),
            (BreakerState::HalfOpen, seconds(40)),
        ] {
            let events = earlier.observe(&sample(state, at_ns)).iter().map(|t| t.event()).collect();
            collector.engine.append_events(events).await.unwrap();
        }
        let states = async || {
            let answer = collector.json("/tracepact/v1/breakers").await;
            let breaker = answer["breakers"][0].clone();
            let to: Vec<String> = breaker["transitions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| t["to"].as_str().unwrap().to_owned())
                .collect();
            (breaker, to)
        };
        assert_eq!(collector.json("/tracepact/v1/breakers").await["breakers"], json!([]));
        collector.boards.breakers.observe(&sample(BreakerState::HalfOpen, seconds(20)));
        let (breaker, to) = states().await;
        assert_eq!(to, ["open", "half_open"]);
        assert_eq!(breaker["since"], "2026-11-20T23:59:20Z");
        let events = collector.boards.breakers.observe(&sample(BreakerState::Closed, seconds(10)));
        collector.engine.append_events(events.iter().map(|t| t.event()).collect()).await.unwrap();
        let (breaker, to) = states().await;
        assert_eq!(to, ["open", "half_open", "closed"]);
        assert_eq!((&breaker["state"], &breaker["source"]), (&json!("closed"), &json!("otlp")));
        assert_eq!(collector.json("/tracepact/v1/breakers?service=payments").await["breakers"], json!([]));
        assert_eq!(collector.query.standing().await.unwrap().breakers.len(), 1);
    }

    #[tokio::test]
    async fn permits_are_listed_beside_bulkheads() {
        let collector = collector(|_| {});
        let key = BulkheadKey {
            service: ServiceName::new("payments").unwrap(),
            instance: "payments-1".to_owned(),
            name: BulkheadName::Permits { group: "payments".to_owned(), topic: "order-placed".to_owned() },
        };
        let mut sample = BulkheadSample::new(key, NOW_NS);
        sample.in_use = Some(2.0);
        sample.paused = Some(false);
        collector.boards.bulkheads.observe(&sample);
        let answer = collector.json("/tracepact/v1/bulkheads?service=Payments").await;
        assert_eq!(
            answer["bulkheads"],
            json!([{"service": "payments", "instance": "payments-1", "name": "payments", "kind": "permits", "group": "payments",
                    "topic": "order-placed", "in_use": 2.0, "paused": false, "last_seen": "2026-11-21T00:00:00Z"}])
        );
    }

    #[tokio::test]
    async fn lag_says_how_old_it_is_and_what_it_lacks() {
        let collector = collector(|_| {});
        let topic = TopicView {
            topic: "order-placed".to_owned(),
            lag_messages: Some(7),
            lag_seconds: None,
            lost_messages: 0,
            worst_partition: None,
            partitions: Vec::new(),
        };
        let group = GroupView {
            group: "payments".to_owned(),
            service: Some("payments".to_owned()),
            state: "Stable".to_owned(),
            members: Some(1),
            rebalances: None,
            verdict: Verdict::Warn,
            topics: vec![topic],
        };
        let as_of_ns = Some(NOW_NS - 1_000_000_000);
        collector.boards.lag.publish(LagView { as_of_ns, groups: vec![group], error: None });
        let answer = collector.json("/tracepact/v1/lag").await;
        assert_eq!((&answer["as_of"], &answer["complete"]), (&json!("2026-11-20T23:59:59Z"), &json!(true)));
        assert_eq!(answer["groups"][0]["topics"][0]["lag_messages"], 7);
        assert!(answer["groups"][0]["topics"][0].get("lag_seconds").is_none());
        let change = Event::new(EventKind::LagVerdict, NOW_NS - 5, "payments falls behind")
            .with("group", "payments")
            .with("to", "warn");
        collector.engine.append_events(vec![change]).await.unwrap();
        let standing = collector.query.standing().await.unwrap();
        assert_eq!((standing.lag[0].verdict, standing.lag[0].since_ns), (Verdict::Warn, Some(NOW_NS - 5)));
        collector.boards.lag.publish_error("the cluster does not answer".to_owned());
        let answer = collector.json("/tracepact/v1/lag?group=payments").await;
        assert_eq!(
            (&answer["complete"], &answer["error"]),
            (&json!(false), &json!("the cluster does not answer"))
        );
        assert_eq!(answer["groups"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn messages_are_narrowed_by_flow_verdict_and_limit() {
        let collector = collector(|_| {});
        let message = |key: &str, verdict| MessageView {
            flow: "order-payment".to_owned(),
            key: key.to_owned(),
            verdict,
            requested_at_ns: NOW_NS - 9,
            deadline_at_ns: NOW_NS - 5,
            answered_at_ns: None,
            decided_at_ns: Some(NOW_NS - 1),
            trace_id: TraceId::new(7),
            partition: 0,
            offset: 3,
            reason: "the group committed past it".to_owned(),
        };
        let flow = FlowView {
            name: "order-payment".to_owned(),
            request_topic: "order-placed".to_owned(),
            result_topic: "payment-result".to_owned(),
            dead_letter_topic: None,
            group: "payments".to_owned(),
            window_ms: 20_000,
            counts: FlowCounts { lost: 1, late: 1, ..FlowCounts::default() },
            error: None,
        };
        collector.boards.messages.publish(MessagesView {
            as_of_ns: Some(NOW_NS),
            flows: vec![flow],
            messages: vec![message("a", MessageVerdict::Lost), message("b", MessageVerdict::Late)],
        });
        let keys = async |query: &str| -> Vec<String> {
            let answer = collector.json(&format!("/tracepact/v1/messages?{query}")).await;
            answer["messages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|m| m["key"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(keys("").await, ["a", "b"]);
        assert_eq!(keys("verdict=lost").await, ["a"]);
        assert_eq!(keys("flow=order-payment&limit=1").await, ["a"]);
        let answer = collector.json("/tracepact/v1/messages?limit=1").await;
        assert_eq!(
            (&answer["complete"], &answer["cut"]),
            (&json!(false), &json!("the first 1 of 2 messages are listed"))
        );
        assert_eq!(answer["flows"][0]["counts"]["lost"], 1);
        assert_eq!(collector.get("/tracepact/v1/messages?flow=x").await.status, StatusCode::NOT_FOUND);
        assert_eq!(collector.get("/tracepact/v1/messages?verdict=x").await.status, StatusCode::BAD_REQUEST);
        let lost = collector.query.standing().await.unwrap().lost;
        assert_eq!((lost[0].lost, lost[0].trace_id), (1, TraceId::new(7)));
    }

    #[tokio::test]
    async fn services_are_seen_as_spans_arrive_and_again_after_a_restart() {
        let collector = collector(|_| {});
        collector
            .zipkin(&format!("[{}]", span("1", "1", "Orders", r#","kind":"SERVER","tags":{"error":"x"}"#)))
            .await;
        let seen = collector.query.services_seen().await.unwrap();
        assert_eq!(seen.noticed[0].service.as_str(), "Orders");
        assert_eq!(seen.stored.len(), 1);
        let errors = collector.query.errors();
        assert_eq!((errors[0].requests, errors[0].errors, errors[0].since_ns), (1, 1, Some(NOW_NS)));
        let collector = collector.restart();
        assert!(collector.query.services_seen().await.unwrap().noticed.is_empty());
        collector.query.warm(std::time::Duration::from_secs(60), 100).await.unwrap();
        assert_eq!(collector.query.services_seen().await.unwrap().noticed.len(), 1);
    }
}
