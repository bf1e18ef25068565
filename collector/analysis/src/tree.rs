//! Who called whom: the spans of a trace as a tree.

use std::collections::{HashMap, HashSet};

use tracepact_base::{SpanId, TraceId};
use tracepact_model::{Kind, Span};

/// Spans of one id that are looked at for a parent. Real traces have two; a hostile one with thousands, and as many
/// children, must not cost their product.
const ALIKE_MAX: usize = 64;

/// A span at its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The merged span.
    pub span: Span,
    /// Index of the parent in [`Tree::nodes`]; `None` for a root.
    pub parent: Option<usize>,
    /// Indexes of the children, by start.
    pub children: Vec<usize>,
    /// Call level; a root has 1.
    pub depth: usize,
}

/// The spans of one trace, parents before their children, siblings by start: the order of a waterfall.
///
/// Every span given is in exactly one place. One whose parent is not there is a root, and the parent is named in
/// [`Tree::missing_parents`]; a ring of parents is opened at its earliest span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Parents that spans name and that are not in the trace, sorted.
    pub missing_parents: Vec<SpanId>,
}

impl Tree {
    /// Builds the tree of merged spans (see [`merge`](crate::merge)).
    pub fn build(spans: Vec<Span>) -> Self {
        let mut missing = Vec::new();
        let mut parents = find_parents(&spans, &mut missing);
        open_rings(&spans, &mut parents);
        missing.sort();
        missing.dedup();

        let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
        let mut roots = Vec::new();
        for (index, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) => children[*parent].push(index),
                None => roots.push(index),
            }
        }
        let by_start = |a: &usize, b: &usize| start(&spans[*a]).cmp(&start(&spans[*b])).then(a.cmp(b));
        roots.sort_by(by_start);
        children.iter_mut().for_each(|list| list.sort_by(by_start));
        Self { nodes: place(spans, &roots, &children), missing_parents: missing }
    }

    /// Indexes of the roots.
    pub fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(|i| self.nodes[*i].parent.is_none())
    }
}

/// Traces that consumers without a parent link to, beside their own: give their rows to [`merge`](crate::merge) as well
/// and the tree shows who sent the message. Each once, in the order met.
pub fn linked_trace_ids(rows: &[Span]) -> Vec<TraceId> {
    let own: HashSet<u64> = rows.iter().map(|row| row.trace_id.low()).collect();
    let (mut linked, mut known) = (Vec::new(), HashSet::new());
    let alone = rows.iter().filter(|row| row.kind == Kind::Consumer && row.parent_id.is_none());
    for link in alone.flat_map(|row| &row.links) {
        let low = link.trace_id.low();
        if !own.contains(&low) && known.insert(low) {
            linked.push(link.trace_id);
        }
    }
    linked
}

/// Spans without a start come last among their siblings.
fn start(span: &Span) -> u64 {
    span.start_ns.unwrap_or(u64::MAX)
}

fn find_parents(spans: &[Span], missing: &mut Vec<SpanId>) -> Vec<Option<usize>> {
    let mut by_id: HashMap<(u64, SpanId), Vec<usize>> = HashMap::new();
    for (index, span) in spans.iter().enumerate() {
        by_id.entry((span.trace_id.low(), span.span_id)).or_default().push(index);
    }
    let none = Vec::new();
    let mut parents = Vec::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        let low = span.trace_id.low();
        let same_id = by_id.get(&(low, span.span_id)).unwrap_or(&none);
        // The server's half of a shared span hangs under the client's half.
        let caller = span
            .flags
            .shared
            .then(|| same_id.iter().take(ALIKE_MAX).find(|i| **i != index && !spans[**i].flags.shared));
        let parent = match (caller.flatten(), span.parent_id) {
            (Some(caller), _) => Some(*caller),
            (None, Some(parent_id)) => {
                let found = choose(spans, by_id.get(&(low, parent_id)).unwrap_or(&none), index);
                if found.is_none() {
                    missing.push(parent_id);
                }
                found
            }
            // OpenTelemetry's messaging: a consumer without a parent is linked to its producer, which may be in
            // another trace; it is found when that trace's rows were given too.
            (None, None) if span.kind == Kind::Consumer => span
                .links
                .iter()
                .find_map(|link| choose(spans, by_id.get(&(link.trace_id.low(), link.span_id))?, index)),
            (None, None) => None,
        };
        parents.push(parent);
    }
    parents
}

/// Of the spans with the parent's id: the shared one on the child's own endpoint, else the unshared one, else any.
fn choose(spans: &[Span], candidates: &[usize], child: usize) -> Option<usize> {
    let own = &spans[child].local;
    let others = || candidates.iter().copied().filter(|i| *i != child).take(ALIKE_MAX);
    others()
        .find(|i| spans[*i].flags.shared && spans[*i].local.service_name == own.service_name)
        .or_else(|| others().find(|i| !spans[*i].flags.shared))
        .or_else(|| others().next())
}

/// Hostile or broken senders can make spans each other's parents.
fn open_rings(spans: &[Span], parents: &mut [Option<usize>]) {
    // 0 not seen, 1 on the present way, 2 known to lead to a root
    let mut state = vec![0u8; parents.len()];
    for first in 0..parents.len() {
        let mut way = Vec::new();
        let mut at = first;
        while state[at] == 0 {
            state[at] = 1;
            way.push(at);
            match parents[at] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        let on_this_way = way.iter().position(|i| *i == at);
        if let (1, Some(begin), Some(_)) = (state[at], on_this_way, parents[at]) {
            let earliest = way[begin..].iter().copied().min_by_key(|i| (start(&spans[*i]), *i));
            if let Some(earliest) = earliest {
                parents[earliest] = None;
            }
        }
        way.into_iter().for_each(|i| state[i] = 2);
    }
}

fn place(spans: Vec<Span>, roots: &[usize], children: &[Vec<usize>]) -> Vec<Node> {
    let mut order = Vec::with_capacity(spans.len());
    let mut stack: Vec<(usize, Option<usize>, usize)> = roots.iter().rev().map(|r| (*r, None, 1)).collect();
    while let Some((index, parent, depth)) = stack.pop() {
        let here = order.len();
        order.push((index, parent, depth));
        stack.extend(children[index].iter().rev().map(|child| (*child, Some(here), depth + 1)));
    }
    let mut spans: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
    for (here, (index, parent, depth)) in order.into_iter().enumerate() {
        let Some(span) = spans[index].take() else { continue };
        if let Some(parent) = parent {
            nodes[parent].children.push(here);
        }
        nodes.push(Node { span, parent, children: Vec::new(), depth });
    }
    nodes
}

#[cfg(test)]
mod tests;
