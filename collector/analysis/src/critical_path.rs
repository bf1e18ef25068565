//! What a trace waited for: the critical path.
//!
//! The definition is that of CRISP (Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice
//! Architectures", USENIX ATC 2022), which Jaeger's page uses too. From the end of the root backwards: the child that
//! finished last before this moment was waited for, so the path goes through it; before that child began, the parent
//! itself, or the child that finished last before then. What ran beside the chosen child was not waited for. A child's
//! time outside of its parent counts for nothing: a message's consumer, or work that goes on after the answer.

use crate::{Interval, Tree};

/// A stretch of time in which the trace waited for one span's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Index in [`Tree::nodes`].
    pub node: usize,
    /// When.
    pub interval: Interval,
}

struct Frame {
    node: usize,
    /// The part of the node that is looked at; what lies after `until` is done.
    start_ns: i128,
    until: i128,
    /// Its children within it, those that end last at the end.
    children: Vec<(Interval, usize)>,
}

impl Frame {
    fn new(tree: &Tree, intervals: &[Option<Interval>], node: usize, own: Interval) -> Self {
        let inside = |child: &usize| intervals[*child].and_then(|at| at.within(&own)).map(|at| (at, *child));
        let mut children: Vec<_> = tree.nodes[node].children.iter().filter_map(inside).collect();
        children.sort_unstable_by_key(|(at, child)| (at.end_ns, at.start_ns, *child));
        Self { node, start_ns: own.start_ns, until: own.end_ns, children }
    }
}

/// The critical path of the tree's first root, in order of time. The segments follow each other without a gap from the
/// root's start to its end; no two overlap.
pub fn critical_path(tree: &Tree, intervals: &[Option<Interval>]) -> Vec<Segment> {
    let mut path = Vec::new();
    let Some(root) = intervals.first().copied().flatten() else { return path };
    let mut stack = vec![Frame::new(tree, intervals, 0, root)];
    while let Some(frame) = stack.last_mut() {
        let (node, until) = (frame.node, frame.until);
        // Those that end later ran beside what is on the path already.
        let next = loop {
            match frame.children.pop() {
                Some((at, _)) if at.end_ns > until => {}
                other => break other,
            }
        };
        let from = next.map_or(frame.start_ns, |(at, _)| at.end_ns);
        if from < until {
            path.push(Segment { node, interval: Interval { start_ns: from, end_ns: until } });
        }
        match next {
            Some((at, child)) => {
                frame.until = at.start_ns;
                stack.push(Frame::new(tree, intervals, child, at));
            }
            None => drop(stack.pop()),
        }
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests;
