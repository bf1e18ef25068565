//! Dependency links by Zipkin's rules: which service called which, how often, with how many errors.
//!
//! The server's word is preferred over the client's, calls over message brokers are links to and from the broker,
//! and an error is an `error` tag (or OTLP's error status), on either side of a call that was reported under two ids.

mod columns;

use std::collections::BTreeMap;

use tracepact_model::{Kind, Span};

use crate::{Tree, merge};

pub use columns::{Call, LinkReader};

/// Number of the rules: results that were kept under another one are computed anew.
pub const LINK_RULES: u32 = 1;

/// Calls from one service to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyLink {
    /// The calling service, lower case.
    pub parent: String,
    /// The called service, lower case.
    pub child: String,
    /// Number of calls.
    pub call_count: u64,
    /// Those that failed.
    pub error_count: u64,
}

/// The links of one trace, given its rows. Spans of one low 64-bit trace id belong together whatever their high half.
pub fn dependency_links(rows: &[Span]) -> Vec<DependencyLink> {
    let tree = Tree::build(merge(rows));
    let mut links = Links::default();
    for index in 0..tree.nodes.len() {
        link_node(&tree, index, &mut links);
    }
    links.into_list()
}

/// Adds up the links of many traces.
pub fn sum_links(lists: impl IntoIterator<Item = Vec<DependencyLink>>) -> Vec<DependencyLink> {
    let mut sum = Links::default();
    for link in lists.into_iter().flatten() {
        let counts = sum.0.entry((link.parent, link.child)).or_default();
        counts.0 += link.call_count;
        counts.1 += link.error_count;
    }
    sum.into_list()
}

#[derive(Default)]
struct Links(BTreeMap<(String, String), (u64, u64)>);

impl Links {
    fn add(&mut self, parent: String, child: String, error: bool) {
        let counts = self.0.entry((parent, child)).or_default();
        counts.0 += 1;
        counts.1 += u64::from(error);
    }

    fn into_list(self) -> Vec<DependencyLink> {
        self.0
            .into_iter()
            .map(|((parent, child), (call_count, error_count))| DependencyLink {
                parent,
                child,
                call_count,
                error_count,
            })
            .collect()
    }
}

fn link_node(tree: &Tree, index: usize, links: &mut Links) {
    let node = &tree.nodes[index];
    let span = &node.span;
    let local = lower(span.local.service_name.as_deref());
    let remote = lower(span.remote.service_name.as_deref());
    let kind = match span.kind {
        // A span of unknown kind that knows both sides is taken for a call.
        Kind::Unset | Kind::Internal if local.is_some() && remote.is_some() => Kind::Client,
        Kind::Unset | Kind::Internal => return,
        kind => kind,
    };
    // Whoever served the call names itself better than its caller does.
    if kind == Kind::Client && !node.children.is_empty() {
        return;
    }
    let mut error = span.is_error();
    match kind {
        Kind::Producer => return links.add_known(local, remote, error),
        Kind::Consumer => return links.add_known(remote, local, error),
        _ => {}
    }
    let ancestor = remote_ancestor(tree, index);
    let caller = ancestor.and_then(|a| lower(a.local.service_name.as_deref()));
    if let Some(ancestor) = ancestor {
        // The client's half of a call that was reported under two ids may know of an error its server does not.
        error |= caller.is_some()
            && ancestor.kind == Kind::Client
            && span.parent_id == Some(ancestor.span_id)
            && ancestor.is_error();
    }
    if kind == Kind::Client {
        // Someone between the nearest caller and this client did not report: that call exists all the same.
        if let (Some(caller), Some(local)) = (&caller, &local)
            && caller != local
        {
            links.add(caller.clone(), local.clone(), false);
        }
        links.add_known(local.or(caller), remote, error);
    } else {
        links.add_known(caller.or(remote), local, error);
    }
}

impl Links {
    fn add_known(&mut self, parent: Option<String>, child: Option<String>, error: bool) {
        if let (Some(parent), Some(child)) = (parent, child) {
            self.add(parent, child, error);
        }
    }
}

/// The nearest ancestor that crosses a process border.
fn remote_ancestor(tree: &Tree, index: usize) -> Option<&Span> {
    let mut at = tree.nodes[index].parent;
    while let Some(parent) = at {
        let span = &tree.nodes[parent].span;
        if !matches!(span.kind, Kind::Unset | Kind::Internal) {
            return Some(span);
        }
        at = tree.nodes[parent].parent;
    }
    None
}

fn lower(name: Option<&str>) -> Option<String> {
    name.filter(|n| !n.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod any_order;
#[cfg(test)]
mod columns_agree;
#[cfg(test)]
mod tests;
