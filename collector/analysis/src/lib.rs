//! Pure functions over the rows of a trace: merging fragments, building the tree, its header, dependency links.
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
//! What it deliberately does not do: read stores, correct clock skew, or know any API's form.

mod header;
mod links;
mod merge;
mod tree;

pub use header::{Header, header};
pub use links::{DependencyLink, dependency_links, sum_links};
pub use merge::merge;
pub use tracepact_model::trace_timestamp_ns;
pub use tree::{Node, Tree, linked_trace_ids};
