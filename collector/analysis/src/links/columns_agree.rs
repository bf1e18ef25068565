//! The links of a chunk's codes are those of its owned rows, whatever the rows say.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::{SpanLink, StatusCode, Value};

use super::*;

const KINDS: [Kind; 6] =
    [Kind::Unset, Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer];

/// Rows that name few ids, so that they are each other's parents, fragments, halves and duplicates.
fn row(ids: u64) -> impl Strategy<Value = Span> {
    let name = || prop::sample::select(vec!["", "Front", "front", "back", "Db"]);
    let ends = (name(), name(), 0u8..6, 0u8..6);
    (1..=ids, 0..=ids, prop::sample::select(KINDS.to_vec()), ends, 0u8..5, 0u8..20, 0u64..4).prop_map(
        |(id, parent, kind, (local, remote, ip, port), shared, error, start)| {
            let mut span = Span::new(TraceId::new(7).unwrap(), SpanId::new(id).unwrap());
            span.parent_id = SpanId::new(parent);
            span.kind = kind;
            span.start_ns = (start > 0).then_some(start);
            span.local.service_name = (!local.is_empty()).then(|| local.into());
            span.remote.service_name = (!remote.is_empty()).then(|| remote.into());
            span.local.ipv4 = (ip < 2).then(|| Ipv4Addr::new(10, 0, 0, ip));
            span.local.port = (port < 2).then_some(80 + u16::from(port));
            span.flags.shared = shared == 0;
            match error {
                0 => span.status.code = StatusCode::Error,
                1 => span.status.code = StatusCode::Ok,
                2 => span.attributes.push(("error".into(), Value::String("".into()))),
                3 => span.links.push(SpanLink {
                    trace_id: span.trace_id,
                    span_id: SpanId::new(1).unwrap(),
                    tracestate: "".into(),
                    attributes: Vec::new(),
                    flags: 0,
                    dropped_attributes: 0,
                }),
                _ => {}
            }
            span
        },
    )
}

/// Rows of few ids, or of many, some of them twice.
fn rows() -> impl Strategy<Value = Vec<Span>> {
    let of = |ids: u64, count: usize| prop::collection::vec(row(ids), 1..count);
    let rows = prop_oneof![of(4, 8), of(1_000_000, 3), of(60, 12), of(3_000, 120)];
    (rows, prop::collection::vec(any::<prop::sample::Index>(), 0..3)).prop_map(|(mut rows, again)| {
        let again: Vec<Span> = again.iter().map(|index| index.get(&rows).clone()).collect();
        rows.extend(again);
        rows
    })
}

/// A tree of whole spans, as most traces are: each the child of an earlier one.
fn tree() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec((row(1), any::<prop::sample::Index>()), 1..60).prop_map(|drawn| {
        let mut spans: Vec<Span> = Vec::new();
        for ((mut span, parent), id) in drawn.into_iter().zip(1u64..) {
            span.span_id = SpanId::new(id).unwrap();
            span.parent_id = if spans.is_empty() { None } else { Some(parent.get(&spans).span_id) };
            spans.push(span);
        }
        spans
    })
}

fn of_chunk(rows: &[Span]) -> Vec<DependencyLink> {
    let chunk = rows.into();
    let (mut reader, mut calls) = (LinkReader::default(), Vec::new());
    reader.trace(&chunk, 0..rows.len() as u32, &mut calls).unwrap();
    let name = |number: u32| reader.names()[number as usize].to_string();
    sum_links(calls.iter().map(|call| {
        let (parent, child) = (name(call.caller), name(call.callee));
        vec![DependencyLink { parent, child, call_count: 1, error_count: call.failed.into() }]
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn codes_and_rows_give_the_same_links(rows in prop_oneof![rows(), tree()]) {
        prop_assert_eq!(of_chunk(&rows), dependency_links(&rows));
    }
}
