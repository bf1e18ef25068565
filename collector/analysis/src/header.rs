//! What stands above a waterfall: when, how long, how deep, who took part.

use std::collections::HashSet;

use tracepact_model::trace_timestamp_ns;

use crate::{Interval, Tree, clock_skew, intervals};

/// A trace in one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The trace's timestamp; `None` when no span has a start.
    pub start_ns: Option<u64>,
    /// From the first start to the last end that are known, on one clock.
    pub duration_ns: Option<u64>,
    /// Service of the first root.
    pub root_service: Option<String>,
    /// Operation of the first root.
    pub root_name: String,
    /// Services in the order in which the tree meets them, original case.
    pub services: Vec<String>,
    /// Number of call levels.
    pub depth: usize,
    /// Number of spans after merging.
    pub span_count: usize,
    /// Number of spans that failed.
    pub error_count: usize,
}

/// The header of a trace, hosts whose clocks are behind moved to their callers' ([`clock_skew`]).
pub fn header(tree: &Tree) -> Header {
    header_at(tree, &intervals(tree, &clock_skew(tree)))
}

/// The header of a trace whose spans ran at these times.
pub fn header_at(tree: &Tree, intervals: &[Option<Interval>]) -> Header {
    let spans = || tree.nodes.iter().map(|n| &n.span);
    let known = || intervals.iter().flatten();
    let first_ns = known().map(|at| at.start_ns).min();
    let last_ns = known().map(|at| at.end_ns).max();
    let mut services: Vec<String> = Vec::new();
    let (mut written, mut known) = (HashSet::new(), HashSet::new());
    for name in spans().filter_map(|s| s.local.service_name.as_deref()) {
        if written.insert(name) && known.insert(name.to_lowercase()) {
            services.push(name.to_owned());
        }
    }
    let root = tree.nodes.first().map(|n| &n.span);
    Header {
        start_ns: trace_timestamp_ns(spans()),
        duration_ns: first_ns.zip(last_ns).and_then(|(first, last)| u64::try_from(last - first).ok()),
        root_service: root.and_then(|s| s.local.service_name.as_deref()).map(str::to_owned),
        root_name: root.map(|s| s.name.to_string()).unwrap_or_default(),
        services,
        depth: tree.nodes.iter().map(|n| n.depth).max().unwrap_or(0),
        span_count: tree.nodes.len(),
        error_count: spans().filter(|s| s.is_error()).count(),
    }
}

#[cfg(test)]
mod tests {
    use tracepact_base::{SpanId, TraceId};
    use tracepact_model::Span;

    use super::*;

    #[test]
    fn the_header_spans_from_first_start_to_last_end() {
        let span = |id, parent: Option<u64>, start, duration, service: &str| {
            let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap());
            span.parent_id = parent.and_then(SpanId::new);
            span.start_ns = start;
            span.duration_ns = duration;
            span.local.service_name = Some(service.into());
            span
        };
        let tree = Tree::build(vec![
            span(1, None, Some(100), Some(50), "Gateway"),
            span(2, Some(1), Some(90), Some(200), "orders"), // a skewed clock: earlier than the root
            span(3, Some(2), None, None, "gateway"),
        ]);
        let header = header(&tree);
        assert_eq!((header.start_ns, header.duration_ns), (Some(100), Some(200)));
        assert_eq!(header.services, ["Gateway", "orders"]);
        assert_eq!((header.depth, header.span_count, header.error_count), (3, 3, 0));
    }
}
