use tracepact_base::{SpanId, TraceId};
use tracepact_model::Value;

use super::*;

struct Make(Span);

fn make(id: u64, parent: u64, kind: Kind, local: &str, remote: &str) -> Make {
    let mut span = Span::new(TraceId::new(7).unwrap(), SpanId::new(id).unwrap());
    span.parent_id = SpanId::new(parent);
    span.kind = kind;
    span.start_ns = Some(id);
    span.local.service_name = (!local.is_empty()).then(|| local.into());
    span.remote.service_name = (!remote.is_empty()).then(|| remote.into());
    Make(span)
}

impl Make {
    fn error(mut self) -> Self {
        self.0.attributes.push(("error".into(), Value::String("".into())));
        self
    }

    fn shared(mut self) -> Self {
        self.0.flags.shared = true;
        self
    }
}

fn links(spans: Vec<Make>) -> Vec<(String, String, u64, u64)> {
    let rows: Vec<Span> = spans.into_iter().map(|m| m.0).collect();
    dependency_links(&rows).into_iter().map(|l| (l.parent, l.child, l.call_count, l.error_count)).collect()
}

fn link(parent: &str, child: &str, calls: u64, errors: u64) -> (String, String, u64, u64) {
    (parent.into(), child.into(), calls, errors)
}

#[test]
fn a_shared_span_is_one_call_named_by_the_server() {
    let found = links(vec![
        make(1, 0, Kind::Server, "Gateway", ""),
        make(2, 1, Kind::Client, "gateway", "orders-by-its-old-name"),
        make(2, 1, Kind::Server, "orders", "").shared(),
    ]);
    assert_eq!(found, [link("gateway", "orders", 1, 0)]);
}

#[test]
fn a_root_server_with_an_unknown_caller_links_nothing() {
    assert!(links(vec![make(1, 0, Kind::Server, "gateway", "")]).is_empty());
    assert_eq!(links(vec![make(1, 0, Kind::Server, "gateway", "phone")]), [link("phone", "gateway", 1, 0)]);
}

#[test]
fn a_leaf_client_names_an_uninstrumented_service() {
    let found = links(vec![
        make(1, 0, Kind::Server, "orders", ""),
        make(2, 1, Kind::Client, "orders", "mysql").error(),
    ]);
    assert_eq!(found, [link("orders", "mysql", 1, 1)]);
}

#[test]
fn an_error_of_the_client_counts_for_its_server_under_another_id() {
    let found = links(vec![
        make(1, 0, Kind::Server, "gateway", ""),
        make(2, 1, Kind::Client, "gateway", "").error(),
        make(3, 2, Kind::Server, "orders", ""),
    ]);
    assert_eq!(found, [link("gateway", "orders", 1, 1)]);
}

#[test]
fn a_silent_service_between_is_filled_in() {
    let found =
        links(vec![make(1, 0, Kind::Server, "gateway", ""), make(2, 1, Kind::Client, "orders", "mysql")]);
    assert_eq!(found, [link("gateway", "orders", 1, 0), link("orders", "mysql", 1, 0)]);
}

#[test]
fn messages_link_to_and_from_the_broker_and_never_directly() {
    let found = links(vec![
        make(1, 0, Kind::Producer, "orders", "kafka"),
        make(2, 1, Kind::Consumer, "payments", "kafka"),
        make(3, 2, Kind::Consumer, "deliveries", ""),
    ]);
    assert_eq!(found, [link("kafka", "payments", 1, 0), link("orders", "kafka", 1, 0)]);
}

#[test]
fn local_spans_between_are_looked_through() {
    let found = links(vec![
        make(1, 0, Kind::Server, "gateway", ""),
        make(2, 1, Kind::Internal, "gateway", ""),
        make(3, 2, Kind::Server, "orders", ""),
    ]);
    assert_eq!(found, [link("gateway", "orders", 1, 0)]);
}

#[test]
fn sums_add_calls_and_errors() {
    let one =
        || vec![DependencyLink { parent: "a".into(), child: "b".into(), call_count: 2, error_count: 1 }];
    let sum = sum_links([one(), one()]);
    assert_eq!((sum.len(), sum[0].call_count, sum[0].error_count), (1, 4, 2));
}
