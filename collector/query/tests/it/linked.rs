//! Consumers that are linked to their producer in another trace.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::json;

use crate::harness::{NOW_NS, collector};

const CONSUMER_TRACE: &str = "00000000000000ff";

fn span(trace: u128, id: u64, kind: SpanKind, linked_to: &[(u128, u64)]) -> Span {
    let link = |(trace, span): &(u128, u64)| Link {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
        ..Link::default()
    };
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: "order-placed".to_owned(),
        kind: kind.into(),
        start_time_unix_nano: NOW_NS + id * 1_000_000,
        end_time_unix_nano: NOW_NS + (id + 1) * 1_000_000,
        links: linked_to.iter().map(link).collect(),
        ..Span::default()
    }
}

fn sent_by(service: &str, spans: Vec<Span>) -> ResourceSpans {
    let name = AnyValue { value: Some(any_value::Value::StringValue(service.to_owned())) };
    let attribute = KeyValue { key: "service.name".to_owned(), value: Some(name), ..KeyValue::default() };
    ResourceSpans {
        resource: Some(Resource { attributes: vec![attribute], ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

#[tokio::test]
async fn the_producer_stands_above_a_consumer_of_another_trace() {
    let collector = collector(|_| {});
    let producer = span(0xaa, 1, SpanKind::Producer, &[]);
    let consumer = span(0xff, 2, SpanKind::Consumer, &[(0xaa, 1)]);
    let resource_spans = vec![sent_by("orders", vec![producer]), sent_by("payments", vec![consumer])];
    collector.otlp(&ExportTraceServiceRequest { resource_spans }).await;
    let trace = collector.json(&format!("/tracepact/v1/traces/{CONSUMER_TRACE}")).await;
    assert_eq!((&trace["trace_id"], &trace["complete"]), (&json!(CONSUMER_TRACE), &json!(true)));
    assert_eq!(trace["header"]["services"], json!(["orders", "payments"]));
    let (above, below) = (&trace["spans"][0], &trace["spans"][1]);
    assert_eq!((&above["service"], &above["depth"]), (&json!("orders"), &json!(1)));
    assert!(above["trace_id"].as_str().unwrap().ends_with("aa"), "{above}");
    assert_eq!((&below["depth"], &below["row_parent_id"]), (&json!(2), &above["span_id"]));
    assert!(below.get("trace_id").is_none(), "{below}");
}

#[tokio::test]
async fn a_consumer_of_many_traces_shows_some_and_says_so() {
    let collector = collector(|_| {});
    let links: Vec<(u128, u64)> = (1..=9).map(|number| (number, 1)).collect();
    let mut spans: Vec<Span> = links.iter().map(|(t, id)| span(*t, *id, SpanKind::Producer, &[])).collect();
    spans.push(span(0xff, 2, SpanKind::Consumer, &links));
    collector.otlp(&ExportTraceServiceRequest { resource_spans: vec![sent_by("batch", spans)] }).await;
    let trace = collector.json(&format!("/tracepact/v1/traces/{CONSUMER_TRACE}")).await;
    assert_eq!(trace["header"]["span_count"], 5);
    assert_eq!(trace["cut"], "4 of 9 linked traces are shown");
}
