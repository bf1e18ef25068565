use proptest::prelude::*;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::Span;

use super::*;
use crate::timing::{intervals, self_times_ns};

fn span(id: u64, parent: u64, start: u64, duration: u64) -> Span {
    let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap());
    span.parent_id = SpanId::new(parent);
    span.start_ns = Some(start);
    span.duration_ns = Some(duration);
    span
}

fn path_of(spans: Vec<Span>) -> (Tree, Vec<Option<Interval>>, Vec<Segment>) {
    let tree = Tree::build(spans);
    let at = intervals(&tree, &vec![0; tree.nodes.len()]);
    let path = critical_path(&tree, &at);
    (tree, at, path)
}

/// (span id, start, end) of each segment.
fn told(spans: Vec<Span>) -> Vec<(u64, i128, i128)> {
    let (tree, _, path) = path_of(spans);
    let of = |segment: &Segment| {
        let id = tree.nodes[segment.node].span.span_id.as_u64();
        (id, segment.interval.start_ns, segment.interval.end_ns)
    };
    path.iter().map(of).collect()
}

#[test]
fn children_one_after_another_are_all_waited_for() {
    let found = told(vec![span(1, 0, 0, 100), span(2, 1, 10, 20), span(3, 1, 40, 50)]);
    assert_eq!(found, [(1, 0, 10), (2, 10, 30), (1, 30, 40), (3, 40, 90), (1, 90, 100)]);
}

#[test]
fn of_children_side_by_side_the_last_to_finish_was_waited_for() {
    let found = told(vec![span(1, 0, 0, 100), span(2, 1, 10, 70), span(3, 1, 20, 40), span(4, 3, 30, 10)]);
    assert_eq!(found, [(1, 0, 10), (2, 10, 80), (1, 80, 100)]);
    // A fan-out: before the last began, the one that had finished by then.
    let found = told(vec![span(1, 0, 0, 100), span(2, 1, 0, 40), span(3, 1, 50, 50), span(4, 1, 30, 60)]);
    assert_eq!(found, [(2, 0, 40), (1, 40, 50), (3, 50, 100)]);
}

#[test]
fn what_a_child_does_outside_of_its_parent_was_not_waited_for() {
    let found =
        told(vec![span(1, 0, 100, 100), span(2, 1, 50, 80), span(3, 1, 190, 500), span(4, 1, 400, 9)]);
    assert_eq!(found, [(2, 100, 130), (1, 130, 190), (3, 190, 200)]);
}

#[test]
fn an_instant_and_a_trace_without_a_start_have_no_path() {
    assert_eq!(told(vec![span(1, 0, 5, 0)]), []);
    let mut unknown = span(1, 0, 5, 0);
    unknown.start_ns = None;
    assert_eq!(told(vec![unknown, span(2, 1, 1, 9)]), []);
    assert_eq!(told(Vec::new()), []);
}

#[test]
fn a_chain_of_a_hundred_thousand_parents_is_no_deeper_than_any() {
    let spans = (1..=100_000u64).map(|id| span(id, id - 1, id, 300_000 - 2 * id)).collect();
    let (tree, at, path) = path_of(spans);
    assert_eq!(tree.nodes.len(), 100_000);
    assert_eq!(path.len(), 199_999);
    assert_eq!(self_times_ns(&tree, &at)[0], Some(2));
}

proptest! {
    /// For any trace: the segments cover the root exactly once, each within its own span, and none covers time that a
    /// child of its own spent waiting for on the path.
    #[test]
    fn the_path_covers_the_root_exactly_once(
        shape in proptest::collection::vec((0usize..20, 0u64..100, 0u64..100), 1..60),
    ) {
        let mut spans: Vec<Span> = Vec::new();
        for (index, (parent, start, duration)) in shape.into_iter().enumerate() {
            let parent = if index == 0 { 0 } else { (parent % index) as u64 + 1 };
            spans.push(span(index as u64 + 1, parent, start, duration));
        }
        let (tree, at, path) = path_of(spans);
        let root = at[0].unwrap();
        let mut until = root.start_ns;
        for segment in &path {
            prop_assert_eq!(segment.interval.start_ns, until, "a gap or an overlap");
            prop_assert!(segment.interval.end_ns > until);
            until = segment.interval.end_ns;
            let own = at[segment.node].unwrap();
            prop_assert_eq!(segment.interval.within(&own), Some(segment.interval));
        }
        prop_assert_eq!(until, root.end_ns);
        // Self time: never more than the length, and the length when there is no child inside.
        for (index, time) in self_times_ns(&tree, &at).into_iter().enumerate() {
            let own = at[index].unwrap();
            let time = time.unwrap();
            prop_assert!(time <= own.length_ns());
            let busy = tree.nodes[index].children.iter().any(|c| at[*c].unwrap().within(&own).is_some());
            prop_assert_eq!(time == own.length_ns(), !busy);
        }
    }
}
