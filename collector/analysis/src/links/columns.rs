//! Links of traces in a chunk, from the codes of their rows: no span is made of a row unless fragments have to be merged.
//!
//! The answer is that of [`dependency_links`](super::dependency_links), which a property test compares it with. Traces
//! whose rows are whole spans are read here: all of OTLP's, and Zipkin's with both sides of a call under one id. The few
//! with fragments of one span, with consumers that are only linked, or with rings of parents go through the owned rows.

use std::collections::HashMap;
use std::sync::Arc;

use tracepact_model::columnar::{Malformed, SpanReader, row_flags};
use tracepact_model::{Kind, SpanChunk};

use super::{DependencyLink, dependency_links};

/// One call, services as numbers of the [`LinkReader`] that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The calling service.
    pub caller: u32,
    /// The called service.
    pub callee: u32,
    /// Whether it failed.
    pub failed: bool,
}

/// No service, or no parent.
const NONE: u32 = u32::MAX;
/// Rows under one span id that are looked at one by one; more are left to the owned rows.
const ALIKE_MAX: usize = 8;
/// Up to so many rows an id is looked for one by one.
const FEW: usize = 24;

/// A row as the rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    id: u64,
    parent_id: u64,
    start_ns: u64,
    /// This side's endpoint in the chunk.
    endpoint: u32,
    /// Numbers of the services of both sides.
    local: u32,
    remote: u32,
    kind: Kind,
    shared: bool,
    failed: bool,
}

/// Reads links of the traces of one chunk, which may grow meanwhile.
#[derive(Debug, Default)]
pub struct LinkReader {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    /// By code of a text in the chunk: the number of the name in lower case and one; 0 for not looked at.
    lowered: Vec<u32>,
    nodes: Vec<Node>,
    parents: Vec<u32>,
    has_children: Vec<bool>,
    state: Vec<u8>,
    way: Vec<u32>,
    /// Ids with their nodes, sorted; only of traces with many rows.
    by_id: Vec<(u64, u32)>,
}

impl LinkReader {
    /// The services met so far, in lower case, by number.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Appends the calls of one trace: of the rows at these positions, in their order of arrival.
    ///
    /// # Errors
    /// As [`SpanReader::span`]: never for what a decoder made.
    pub fn trace(
        &mut self,
        chunk: &SpanChunk,
        rows: impl Iterator<Item = u32> + Clone,
        out: &mut Vec<Call>,
    ) -> Result<(), Malformed> {
        if self.take(chunk, rows.clone()) && self.find_parents(chunk) {
            (0..self.nodes.len()).for_each(|index| self.link(index, out));
            return Ok(());
        }
        let mut reader = SpanReader::new(chunk);
        let rows = rows.map(|row| reader.span(row as usize)).collect::<Result<Vec<_>, _>>()?;
        self.calls_of(&dependency_links(&rows), out);
        Ok(())
    }

    /// Appends calls that were found in owned rows.
    pub fn calls_of(&mut self, links: &[DependencyLink], out: &mut Vec<Call>) {
        for link in links {
            let (caller, callee) = (self.number(&link.parent), self.number(&link.child));
            out.extend((0..link.call_count).map(|call| Call {
                caller,
                callee,
                failed: call < link.error_count,
            }));
        }
    }

    fn number(&mut self, lowered: &str) -> u32 {
        if let Some(known) = self.numbers.get(lowered) {
            return *known;
        }
        let (name, number): (Arc<str>, _) = (lowered.into(), self.names.len() as u32);
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    /// The number of an endpoint's service.
    fn service(&mut self, chunk: &SpanChunk, endpoint: u32) -> u32 {
        let code = chunk.endpoints.get(endpoint as usize).map_or(0, |codes| codes.service) as usize;
        if code == 0 {
            return NONE;
        }
        if self.lowered.len() <= code {
            self.lowered.resize(code + 1, 0);
        }
        if self.lowered[code] == 0 {
            self.lowered[code] = self.number(&chunk.texts.get(code as u32).to_lowercase()) + 1;
        }
        self.lowered[code] - 1
    }

    /// Makes nodes of the rows, equal ones as one; `false` when fragments have to be merged.
    fn take(&mut self, chunk: &SpanChunk, rows: impl Iterator<Item = u32>) -> bool {
        self.nodes.clear();
        self.by_id.clear();
        let columns = &chunk.rows;
        let mut sharing = false;
        for row in rows {
            let row = row as usize;
            let (id, parent_id) = (columns.span_id[row], columns.parent_id[row]);
            let (kind, flags) = (Kind::from_number(columns.kind[row]), columns.flags[row]);
            let endpoint = columns.local[row];
            let node = Node {
                id,
                parent_id: if parent_id == id { 0 } else { parent_id },
                start_ns: columns.start_ns[row],
                endpoint,
                local: self.service(chunk, endpoint),
                remote: self.service(chunk, columns.remote[row]),
                kind,
                // Only a server can share its caller's id.
                shared: flags & row_flags::SHARED != 0 && kind != Kind::Client,
                failed: flags & row_flags::ERROR != 0,
            };
            if kind == Kind::Consumer && node.parent_id == 0 && columns.links[row] != 0 {
                return false;
            }
            sharing |= node.shared;
            if self.nodes.len() < FEW {
                let mut alike = self.nodes.iter().filter(|known| known.id == id).peekable();
                sharing |= alike.peek().is_some();
                if alike.clone().any(|known| *known == node) {
                    continue;
                }
                if alike.any(|known| joins(chunk, known, &node)) {
                    return false;
                }
            }
            self.nodes.push(node);
        }
        if self.nodes.len() > FEW {
            self.by_id.extend(self.nodes.iter().zip(0u32..).map(|(node, index)| (node.id, index)));
            self.by_id.sort_unstable();
            for alike in self.by_id.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
                sharing = true;
                let node = |place: usize| &self.nodes[alike[place].1 as usize];
                let join = |i: usize| (0..i).any(|before| joins(chunk, node(before), node(i)));
                if alike.len() > ALIKE_MAX || (1..alike.len()).any(join) {
                    return false;
                }
            }
        }
        if sharing {
            self.mend_sharing();
        }
        true
    }

    /// Calls `each` with the nodes of this id in their order until it answers.
    fn find(&self, id: u64, mut each: impl FnMut(u32, &Node) -> bool) -> u32 {
        if self.by_id.is_empty() {
            let found =
                self.nodes.iter().zip(0u32..).find(|(node, index)| node.id == id && each(*index, node));
            return found.map_or(NONE, |(_, index)| index);
        }
        let from = self.by_id.partition_point(|(known, _)| *known < id);
        let alike = self.by_id[from..].iter().take_while(|(known, _)| *known == id);
        alike
            .map(|(_, index)| *index)
            .find(|index| each(*index, &self.nodes[*index as usize]))
            .unwrap_or(NONE)
    }

    /// As the merging of owned rows ends.
    fn mend_sharing(&mut self) {
        let lone = self.nodes.len() == 1;
        for index in 0..self.nodes.len() {
            // Of several clients under one id the last.
            let mut caller = None;
            self.find(self.nodes[index].id, |_, node| {
                if node.kind == Kind::Client {
                    caller = Some(node.parent_id);
                }
                false
            });
            let node = &mut self.nodes[index];
            node.shared |= node.kind == Kind::Server && caller.is_some();
            if node.shared && node.parent_id == 0 {
                node.parent_id = caller.unwrap_or(0);
            }
            if lone && node.parent_id == 0 {
                node.shared = false;
            }
        }
    }

    /// Finds everyone's parent; `false` when there is a ring, or fragments that a parent would be chosen of by chance.
    fn find_parents(&mut self, chunk: &SpanChunk) -> bool {
        self.parents.clear();
        self.has_children.clear();
        self.has_children.resize(self.nodes.len(), false);
        let mut forward = false;
        for (child, index) in self.nodes.iter().zip(0u32..) {
            // The server's half of a shared span hangs under the client's half.
            let mut parent = NONE;
            if child.shared {
                parent = self.find(child.id, |at, node| at != index && !node.shared);
            }
            if parent == NONE && child.parent_id != 0 {
                parent = self.choose(chunk, child, index);
            }
            if parent != NONE {
                self.has_children[parent as usize] = true;
                forward |= parent > index;
            }
            self.parents.push(parent);
        }
        // Where every parent stands before its child there is no ring.
        !(forward && self.has_ring())
    }

    /// Of the spans with the parent's id: the shared one on the child's own service, else the unshared one, else any.
    fn choose(&self, chunk: &SpanChunk, child: &Node, index: u32) -> u32 {
        let name = |node: &Node| chunk.endpoints.get(node.endpoint as usize).map_or(0, |codes| codes.service);
        let (mut unshared, mut any) = (NONE, NONE);
        let own = self.find(child.parent_id, |at, node| {
            if at == index {
                return false;
            }
            if any == NONE {
                any = at;
            }
            if unshared == NONE && !node.shared {
                unshared = at;
            }
            node.shared && name(node) == name(child)
        });
        if own != NONE {
            own
        } else if unshared != NONE {
            unshared
        } else {
            any
        }
    }

    fn has_ring(&mut self) -> bool {
        // 0 not seen, 1 on the present way, 2 known to lead to a root.
        self.state.clear();
        self.state.resize(self.nodes.len(), 0);
        for first in 0..self.nodes.len() as u32 {
            self.way.clear();
            let mut at = first;
            while at != NONE && self.state[at as usize] == 0 {
                self.state[at as usize] = 1;
                self.way.push(at);
                at = self.parents[at as usize];
            }
            if at != NONE && self.state[at as usize] == 1 {
                return true;
            }
            self.way.iter().for_each(|at| self.state[*at as usize] = 2);
        }
        false
    }

    fn link(&self, index: usize, out: &mut Vec<Call>) {
        let node = &self.nodes[index];
        let (local, remote) = (node.local, node.remote);
        let kind = match node.kind {
            Kind::Unset | Kind::Internal if local != NONE && remote != NONE => Kind::Client,
            Kind::Unset | Kind::Internal => return,
            kind => kind,
        };
        if kind == Kind::Client && self.has_children[index] {
            return;
        }
        let mut add = |caller: u32, callee: u32, failed: bool| {
            if caller != NONE && callee != NONE {
                out.push(Call { caller, callee, failed });
            }
        };
        match kind {
            Kind::Producer => return add(local, remote, node.failed),
            Kind::Consumer => return add(remote, local, node.failed),
            _ => {}
        }
        let (mut caller, mut failed) = (NONE, node.failed);
        let mut at = self.parents[index];
        while at != NONE {
            let ancestor = &self.nodes[at as usize];
            if !matches!(ancestor.kind, Kind::Unset | Kind::Internal) {
                caller = ancestor.local;
                failed |= caller != NONE
                    && ancestor.kind == Kind::Client
                    && node.parent_id == ancestor.id
                    && ancestor.failed;
                break;
            }
            at = self.parents[at as usize];
        }
        let either = |a: u32, b: u32| if a == NONE { b } else { a };
        if kind == Kind::Client {
            if local != NONE && caller != local {
                add(caller, local, false);
            }
            add(either(local, caller), remote, failed);
        } else {
            add(either(caller, remote), local, failed);
        }
    }
}

/// Whether two rows of one id are fragments of one span: no field of their endpoints that both know differs.
fn joins(chunk: &SpanChunk, a: &Node, b: &Node) -> bool {
    fn agree<T: PartialEq>(a: T, b: T, unknown: T) -> bool {
        a == unknown || b == unknown || a == b
    }
    if a.shared != b.shared {
        return false;
    }
    let of = |node: &Node| chunk.endpoints.get(node.endpoint as usize).copied().unwrap_or_default();
    let (one, other) = (of(a), of(b));
    agree(a.local, b.local, NONE)
        && agree(one.ipv4, other.ipv4, None)
        && agree(one.ipv6, other.ipv6, None)
        && agree(one.port, other.port, 0)
}
