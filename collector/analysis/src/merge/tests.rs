use proptest::prelude::*;
use tracepact_base::TraceId;
use tracepact_model::{SpanEvent, Value};

use super::*;

fn span(id: u64) -> Span {
    Span::new(TraceId::new(7).unwrap(), SpanId::new(id).unwrap())
}

fn at(mut span: Span, service: &str) -> Span {
    span.local.service_name = Some(service.into());
    span
}

#[test]
fn fragments_in_any_order_make_one_span() {
    let mut begin = at(span(1), "orders");
    begin.name = "get".into();
    begin.start_ns = Some(10);
    let mut end = span(1);
    end.duration_ns = Some(5);
    end.attributes.push(("http.path".into(), Value::String("/".into())));
    for rows in [[begin.clone(), end.clone()], [end, begin]] {
        let merged = merge(&rows);
        assert_eq!(merged.len(), 1);
        assert_eq!((merged[0].start_ns, merged[0].duration_ns, &*merged[0].name), (Some(10), Some(5), "get"));
        assert_eq!(merged[0].local.service_name.as_deref(), Some("orders"));
    }
}

#[test]
fn both_sides_of_one_id_stay_two_spans_and_the_server_is_shared() {
    let mut client = at(span(2), "orders");
    client.kind = Kind::Client;
    client.parent_id = SpanId::new(1);
    client.flags.shared = true; // a client cannot share
    let mut server = at(span(2), "products");
    server.kind = Kind::Server;
    let merged = merge(&[server, client]);
    assert_eq!(merged.len(), 2);
    let server = merged.iter().find(|s| s.kind == Kind::Server).unwrap();
    assert!(server.flags.shared);
    assert_eq!(server.parent_id, SpanId::new(1));
    assert!(!merged.iter().find(|s| s.kind == Kind::Client).unwrap().flags.shared);
}

#[test]
fn a_span_is_never_its_own_parent_and_a_lone_root_is_not_shared() {
    let mut own = span(3);
    own.parent_id = SpanId::new(3);
    own.flags.shared = true;
    let merged = merge(&[own]);
    assert_eq!((merged[0].parent_id, merged[0].flags.shared), (None, false));
}

#[test]
fn the_longest_trace_id_and_the_last_tag_win() {
    let mut short = span(4);
    short.attributes.push(("k".into(), Value::String("old".into())));
    let mut long = Span::new(TraceId::new(1 << 64 | 7).unwrap(), SpanId::new(4).unwrap());
    long.attributes.push(("k".into(), Value::String("new".into())));
    let merged = merge(&[short, long]);
    assert_eq!(merged[0].trace_id.high(), 1);
    assert_eq!(merged[0].attribute("k"), Some(&Value::String("new".into())));
}

proptest! {
    /// Sending everything twice changes nothing, and merging is idempotent.
    #[test]
    fn repetition_changes_nothing(ids in prop::collection::vec((1u64..6, prop::option::of(0u8..3), 0u8..6, prop::option::of(1u64..6)), 0..20)) {
        let kinds = [Kind::Unset, Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer];
        let rows: Vec<Span> = ids
            .into_iter()
            .map(|(id, service, kind, parent)| {
                let mut span = span(id);
                span.local.service_name = service.map(|s| format!("s{s}").into());
                span.kind = kinds[kind as usize];
                span.parent_id = parent.and_then(SpanId::new);
                span
            })
            .collect();
        let once = merge(&rows);
        let doubled: Vec<Span> = rows.iter().flat_map(|r| [r.clone(), r.clone()]).collect();
        prop_assert_eq!(merge(&doubled).len(), once.len());
        prop_assert!(once.len() <= rows.len());
        let ids = |spans: &[Span]| spans.iter().map(|s| s.span_id).collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(ids(&once), ids(&rows));
    }
}

#[test]
fn many_fragments_with_many_endpoints_cost_no_square() {
    let mut rows = Vec::new();
    for port in 1..=20_000u16 {
        let mut fragment = at(span(1), "orders");
        fragment.local.port = Some(port);
        rows.push(fragment);
    }
    assert_eq!(merge(&rows).len(), 20_000, "each says another port");
    let again: Vec<Span> = rows.iter().chain(&rows).cloned().collect();
    assert_eq!(merge(&again).len(), 20_000, "each joins its own");
    let mut fragments = Vec::new();
    for part in 0..5_000u64 {
        let mut fragment = span(2);
        let event =
            |at_ns| SpanEvent { at_ns, name: "x".into(), attributes: Vec::new(), dropped_attributes: 0 };
        fragment.events = (0..5).map(|i| event(part * 4 + i)).collect();
        fragment.attributes = vec![(format!("k{part}").into(), Value::Bool(true))];
        fragments.push(fragment);
    }
    let merged = merge(&fragments);
    assert_eq!((merged.len(), merged[0].attributes.len(), merged[0].events.len()), (1, 5_000, 10_000));
    assert!(merged[0].flags.truncated, "20,001 events do not fit");
}
