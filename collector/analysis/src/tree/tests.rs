use proptest::prelude::*;
use tracepact_model::SpanLink;

use super::*;

fn span(id: u64, parent: Option<u64>, start_ns: u64) -> Span {
    let mut span = Span::new(TraceId::new(7).unwrap(), SpanId::new(id).unwrap());
    span.parent_id = parent.and_then(SpanId::new);
    span.start_ns = Some(start_ns);
    span
}

fn shape(tree: &Tree) -> Vec<(u64, usize)> {
    tree.nodes.iter().map(|n| (n.span.span_id.as_u64(), n.depth)).collect()
}

#[test]
fn parents_come_before_children_and_siblings_by_start() {
    let tree = Tree::build(vec![
        span(3, Some(1), 30),
        span(2, Some(1), 20),
        span(4, Some(2), 25),
        span(1, None, 10),
    ]);
    assert_eq!(shape(&tree), [(1, 1), (2, 2), (4, 3), (3, 2)]);
    assert_eq!(tree.nodes[0].children, [1, 3]);
}

#[test]
fn a_missing_parent_is_named_and_its_child_is_a_root() {
    let tree = Tree::build(vec![span(2, Some(9), 5)]);
    assert_eq!(tree.missing_parents, [SpanId::new(9).unwrap()]);
    assert_eq!(tree.roots().count(), 1);
}

#[test]
fn a_shared_server_hangs_under_its_client_and_takes_the_children_of_its_endpoint() {
    let mut client = span(2, Some(1), 10);
    client.kind = Kind::Client;
    client.local.service_name = Some("orders".into());
    let mut server = span(2, Some(1), 12);
    server.kind = Kind::Server;
    server.flags.shared = true;
    server.local.service_name = Some("products".into());
    let mut below = span(5, Some(2), 13);
    below.local.service_name = Some("products".into());
    let tree = Tree::build(vec![server, client, below, span(1, None, 1)]);
    let services: Vec<_> =
        tree.nodes.iter().map(|n| (n.span.local.service_name.as_deref(), n.depth)).collect();
    assert_eq!(services, [(None, 1), (Some("orders"), 2), (Some("products"), 3), (Some("products"), 4)]);
}

#[test]
fn a_consumer_that_only_links_to_its_producer_is_its_child() {
    let mut producer = span(1, None, 10);
    producer.kind = Kind::Producer;
    let mut consumer = span(2, None, 20);
    consumer.kind = Kind::Consumer;
    consumer.links.push(SpanLink {
        trace_id: TraceId::new(7).unwrap(),
        span_id: SpanId::new(1).unwrap(),
        tracestate: "".into(),
        attributes: Vec::new(),
        flags: 0,
        dropped_attributes: 0,
    });
    let tree = Tree::build(vec![consumer, producer]);
    assert_eq!(shape(&tree), [(1, 1), (2, 2)]);
}

#[test]
fn a_consumer_follows_its_link_into_another_trace() {
    let producer = span(1, None, 10);
    // The same span id in the consumer's own trace is someone else.
    let mut twin = span(1, None, 15);
    twin.trace_id = TraceId::new(8).unwrap();
    let mut consumer = span(2, None, 20);
    consumer.trace_id = TraceId::new(8).unwrap();
    consumer.kind = Kind::Consumer;
    consumer.links = vec![SpanLink {
        trace_id: producer.trace_id,
        span_id: producer.span_id,
        tracestate: "".into(),
        attributes: Vec::new(),
        flags: 0,
        dropped_attributes: 0,
    }];
    let own = [consumer.clone(), twin.clone()];
    assert_eq!(linked_trace_ids(&own), [producer.trace_id]);
    assert_eq!(shape(&Tree::build(own.to_vec())), [(1, 1), (2, 1)]);
    let joined = [producer, twin, consumer];
    assert_eq!(linked_trace_ids(&joined), []);
    let tree = Tree::build(crate::merge(&joined));
    assert_eq!(shape(&tree), [(1, 1), (2, 2), (1, 1)]);
    assert_eq!(tree.nodes[1].span.trace_id, TraceId::new(8).unwrap());
}

#[test]
fn a_ring_is_opened_at_its_earliest_span() {
    let tree = Tree::build(vec![span(1, Some(3), 30), span(2, Some(1), 20), span(3, Some(2), 10)]);
    assert_eq!(shape(&tree), [(3, 1), (1, 2), (2, 3)]);
}

proptest! {
    /// Whatever parents say, every span is placed once, under its parent, one level deeper.
    #[test]
    fn every_span_has_one_place(parents in prop::collection::vec((1u64..9, prop::option::of(1u64..9), any::<bool>()), 0..24)) {
        let spans: Vec<Span> = parents
            .iter()
            .enumerate()
            .map(|(i, (id, parent, shared))| {
                let mut span = span(*id, *parent, (i as u64 * 7) % 5);
                span.flags.shared = *shared;
                span
            })
            .collect();
        let tree = Tree::build(spans.clone());
        prop_assert_eq!(tree.nodes.len(), spans.len());
        for (index, node) in tree.nodes.iter().enumerate() {
            match node.parent {
                Some(parent) => {
                    prop_assert!(parent < index);
                    prop_assert_eq!(node.depth, tree.nodes[parent].depth + 1);
                    prop_assert!(tree.nodes[parent].children.contains(&index));
                }
                None => prop_assert_eq!(node.depth, 1),
            }
        }
    }
}
