//! When each span of a tree ran, on one clock.

use crate::Tree;

/// From when to when a span ran, in nanoseconds since 1970, its host's skew taken out. Both ends may lie before 1970 for
/// broken clocks, so they are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Start.
    pub start_ns: i128,
    /// End; not before the start.
    pub end_ns: i128,
}

impl Interval {
    /// What of it lies within `other`; `None` when nothing does.
    pub fn within(&self, other: &Self) -> Option<Self> {
        let (start_ns, end_ns) = (self.start_ns.max(other.start_ns), self.end_ns.min(other.end_ns));
        (start_ns < end_ns).then_some(Self { start_ns, end_ns })
    }

    /// Length in nanoseconds.
    pub fn length_ns(&self) -> u64 {
        u64::try_from(self.end_ns - self.start_ns).unwrap_or(u64::MAX)
    }
}

/// When each node ran, given how far each has to be moved ([`clock_skew`](crate::clock_skew)). A span without a start has
/// no interval, one without a duration is an instant.
pub fn intervals(tree: &Tree, moves_ns: &[i64]) -> Vec<Option<Interval>> {
    let of = |(index, node): (usize, &crate::Node)| {
        let moved = i128::from(moves_ns.get(index).copied().unwrap_or(0));
        let start_ns = i128::from(node.span.start_ns?) + moved;
        Some(Interval { start_ns, end_ns: start_ns + i128::from(node.span.duration_ns.unwrap_or(0)) })
    };
    tree.nodes.iter().enumerate().map(of).collect()
}

/// How long each node worked itself: its length without the time in which any of its children ran. What a child did
/// before or after its parent is not taken from the parent (as in the trace statistics of Jaeger's page). `None` where
/// the span says no duration.
pub fn self_times_ns(tree: &Tree, intervals: &[Option<Interval>]) -> Vec<Option<u64>> {
    let of = |(index, node): (usize, &crate::Node)| {
        node.span.duration_ns?;
        let own = intervals[index]?;
        let inside = |child: &usize| intervals[*child].and_then(|child| child.within(&own));
        let mut children: Vec<Interval> = node.children.iter().filter_map(inside).collect();
        children.sort_unstable_by_key(|child| child.start_ns);
        let (mut covered, mut until) = (0i128, own.start_ns);
        for child in children {
            covered += (child.end_ns - child.start_ns.max(until)).max(0);
            until = until.max(child.end_ns);
        }
        Some(u64::try_from(own.end_ns - own.start_ns - covered).unwrap_or(0))
    };
    tree.nodes.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use tracepact_base::{SpanId, TraceId};
    use tracepact_model::Span;

    use super::*;

    #[test]
    fn overlapping_children_count_once_and_what_is_outside_does_not() {
        let span = |id, parent: Option<u64>, start: u64, duration: Option<u64>| {
            let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap());
            span.parent_id = parent.and_then(SpanId::new);
            span.start_ns = Some(start);
            span.duration_ns = duration;
            span
        };
        let tree = Tree::build(vec![
            span(1, None, 100, Some(100)),
            span(2, Some(1), 110, Some(30)),
            span(3, Some(1), 120, Some(30)), // 110..150 together
            span(4, Some(1), 190, Some(50)), // 10 of it inside
            span(5, Some(1), 300, Some(10)), // after its parent
            span(6, Some(5), 0, None),
        ]);
        let times = self_times_ns(&tree, &intervals(&tree, &[0; 6]));
        assert_eq!(times, [Some(50), Some(30), Some(30), Some(50), Some(10), None]);
    }
}
