use proptest::prelude::*;
use tracepact_base::{SpanId, TraceId};

use super::*;
use crate::merge;

const US: u64 = 1_000;
const NOON: u64 = 1_795_219_200_000_000_000;

fn span(id: u64, parent: u64, kind: Kind, host: u8, start_us: u64, duration_us: Option<u64>) -> Span {
    let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap());
    span.parent_id = SpanId::new(parent);
    span.kind = kind;
    span.local.ipv4 = (host > 0).then(|| Ipv4Addr::new(10, 0, 0, host));
    span.local.service_name = Some(format!("s{host}").into());
    span.start_ns = Some(NOON + start_us * US);
    span.duration_ns = duration_us.map(|us| us * US);
    span
}

/// Moves in microseconds, by span id.
fn moves(spans: Vec<Span>) -> Vec<(u64, i64)> {
    let tree = Tree::build(merge(&spans));
    let moves = clock_skew(&tree);
    let mut by_id: Vec<_> =
        tree.nodes.iter().zip(moves).map(|(node, by)| (node.span.span_id.as_u64(), by / 1_000)).collect();
    by_id.sort_unstable();
    by_id
}

#[test]
fn a_server_before_its_client_is_put_into_the_middle_and_its_host_follows() {
    let found = moves(vec![
        span(1, 0, Kind::Client, 1, 100, Some(100)),
        span(2, 1, Kind::Server, 2, 50, Some(80)),
        span(3, 2, Kind::Internal, 2, 60, Some(10)),
        span(4, 2, Kind::Client, 2, 70, Some(20)),
        // Another host, whose clock agrees with the corrected one: 70 + 60 = 130.
        span(5, 4, Kind::Server, 3, 135, Some(10)),
        span(6, 5, Kind::Internal, 2, 80, None),
    ]);
    // (100 - 80) / 2 = 10 after the client's 100.
    assert_eq!(found, [(1, 0), (2, 60), (3, 60), (4, 60), (5, 0), (6, 60)]);
}

#[test]
fn what_does_not_tell_of_skew_moves_nothing() {
    let pair = |parent: Kind, child: Kind, hosts: (u8, u8), starts: (u64, u64)| {
        moves(vec![
            span(1, 0, parent, hosts.0, starts.0, Some(100)),
            span(2, 1, child, hosts.1, starts.1, Some(50)),
        ])[1]
            .1
    };
    assert_eq!(pair(Kind::Client, Kind::Server, (1, 2), (100, 90)), 35);
    assert_eq!(pair(Kind::Client, Kind::Server, (1, 2), (100, 101)), 0, "after the client");
    assert_eq!(pair(Kind::Client, Kind::Server, (1, 1), (100, 90)), 0, "one host");
    assert_eq!(pair(Kind::Client, Kind::Server, (0, 0), (100, 90)), 0, "unknown hosts");
    assert_eq!(pair(Kind::Client, Kind::Server, (1, 0), (100, 90)), 0, "unknown host");
    assert_eq!(pair(Kind::Internal, Kind::Server, (1, 2), (100, 90)), 0, "not a call");
    assert_eq!(pair(Kind::Producer, Kind::Consumer, (1, 2), (100, 90)), 0, "a message");
}

#[test]
fn one_way_and_late_servers_come_right_after_their_client() {
    let one_way = |client: Option<u64>, server: Option<u64>| {
        moves(vec![span(1, 0, Kind::Client, 1, 100, client), span(2, 1, Kind::Server, 2, 90, server)])[1].1
    };
    assert_eq!(one_way(None, Some(50)), 11);
    assert_eq!(one_way(Some(50), None), 11);
    assert_eq!(one_way(Some(50), Some(60)), 11, "went on after the client left");
    assert_eq!(one_way(Some(50), Some(50)), 10, "no latency at all");
}

#[test]
fn a_trace_without_its_root_or_with_two_is_left_alone() {
    let client = span(2, 1, Kind::Client, 1, 100, Some(100));
    let server = span(3, 2, Kind::Server, 2, 50, Some(80));
    assert!(moves(vec![client.clone(), server.clone()]).iter().all(|(_, by)| *by == 0), "no root");
    let second = span(9, 0, Kind::Server, 3, 0, None);
    let mut root = client.clone();
    root.parent_id = None;
    assert!(moves(vec![root.clone(), server.clone(), second]).iter().all(|(_, by)| *by == 0), "two roots");
    assert_eq!(moves(vec![root, server])[1], (3, 60));
}

#[test]
fn hosts_of_otlp_are_known_by_their_resource() {
    let on = |mut span: Span, host: &str| {
        span.local.ipv4 = None;
        let attributes = vec![("host.name".into(), Value::String(host.into()))];
        span.resource = std::sync::Arc::new(tracepact_model::Resource { attributes, ..Default::default() });
        span
    };
    let client = span(1, 0, Kind::Client, 0, 100, Some(100));
    let server = span(2, 1, Kind::Server, 0, 50, Some(80));
    assert_eq!(moves(vec![on(client.clone(), "a"), on(server.clone(), "b")])[1], (2, 60));
    assert_eq!(moves(vec![on(client, "a"), on(server, "a")])[1], (2, 0));
}

proptest! {
    /// However far the clocks of the hosts are off, after the moves no server begins before its client, and a second
    /// look finds nothing more to move.
    #[test]
    fn after_the_moves_no_server_begins_before_its_client(
        calls in proptest::collection::vec((0usize..8, 1u8..5, 0u64..2_000, 1u64..500, 1u64..500), 1..30),
    ) {
        let mut spans = vec![span(1, 0, Kind::Server, 1, 1_000, Some(2_000))];
        for (parent, host, start, client_us, server_us) in calls {
            let parent = spans[parent % spans.len()].span_id.as_u64();
            let caller = spans.iter().find(|s| s.span_id.as_u64() == parent).unwrap().local.ipv4.unwrap().octets()[3];
            let id = spans.len() as u64 + 1;
            spans.push(span(id, parent, Kind::Client, caller, start, Some(client_us)));
            spans.push(span(id + 1, id, Kind::Server, host, start / 2, Some(server_us)));
        }
        let tree = Tree::build(merge(&spans));
        let moves = clock_skew(&tree);
        let at = |index: usize| i128::from(tree.nodes[index].span.start_ns.unwrap()) + i128::from(moves[index]);
        for (index, node) in tree.nodes.iter().enumerate() {
            let Some(parent) = node.parent else { continue };
            let client = &tree.nodes[parent].span;
            let called = client.kind == Kind::Client && node.span.kind == Kind::Server;
            if called && !Host::of(client).same(&Host::of(&node.span)) {
                prop_assert!(at(index) >= at(parent), "{index}: {} < {}", at(index), at(parent));
            }
        }
        prop_assert_eq!(moves[0], 0, "the root is the reference");
    }
}
