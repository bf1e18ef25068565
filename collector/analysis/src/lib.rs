//! Pure functions over the rows of a trace: merging fragments, the tree, its header, clock skew, self time and critical
//! path, needless repetitions, dependency links; over single rows: rate, errors and durations; and over many traces: what some have and others have not.
//!
//! Place on the map: `query` and `jobs` read rows from the store and ask here what they mean. The rules are Zipkin's
//! (merging, shared spans, links), extended by span links where OpenTelemetry's messaging uses them instead of parents.
//!
//! ```
//! use tracepact_analysis::{Tree, merge};
//! use tracepact_base::{SpanId, TraceId};
//! use tracepact_model::Span;
//! let span = Span::new(TraceId::new(1).unwrap(), SpanId::new(1).unwrap());
//! let tree = Tree::build(merge(&[span.clone(), span])); // a re-sent fragment is one span
//! assert_eq!(tree.nodes.len(), 1);
//! ```
//!
//! What it deliberately does not do: read stores, change what was received (skew is told, never applied to rows), or know
//! any API's form.

mod compare;
mod critical_path;
mod header;
mod links;
mod merge;
mod red;
mod repeats;
mod skew;
mod timing;
mod tree;

pub use compare::{Compared, Comparison, Difference, Level};
pub use critical_path::{Segment, critical_path};
pub use header::{Header, header, header_at};
pub use links::{Call, DependencyLink, LINK_RULES, LinkReader, dependency_links, sum_links};
pub use merge::merge;
pub use red::{
    Dimension, DurationHistogram, Exemplar, HISTOGRAM_SCALE, RED_KEYS_MAX, RedCounts, RedKey, RedRow,
};
pub use repeats::{RepeatedCall, repeated_calls};
pub use skew::clock_skew;
pub use timing::{Interval, intervals, self_times_ns};
pub use tracepact_model::trace_timestamp_ns;
pub use tree::{Node, Tree, linked_trace_ids};
