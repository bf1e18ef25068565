//! Clocks of hosts differ. Where a server seems to begin before the client that called it, its host's clock is behind:
//! how far everything on that host has to be moved.
//!
//! The rule is Zipkin's (`clock-skew.js` of zipkin-lens): only a SERVER span under a CLIENT span of another host tells
//! of skew; the call's time beyond the server's is taken for latency, half of it on the way there. A server that took
//! longer than its client, or a side without a duration, is moved to 1 µs after the client's start. The whole subtree
//! on that host moves along. Nothing is moved in a trace without its root or with several.
//!
//! Two things are different here. Zipkin knows hosts by address alone; OTLP's spans carry none, so `host.id`,
//! `host.name` or `k8s.node.name` of the resource stand in (as in Jaeger's adjuster). And when a span is moved twice,
//! for the host's skew found above and for what was left of it, its children follow both moves.

use std::net::{Ipv4Addr, Ipv6Addr};

use tracepact_model::{Kind, Span, Value};

use crate::Tree;

/// A move to "right after": the shortest time that Zipkin can tell apart.
const MINIMUM_NS: i128 = 1_000;
/// Resource attributes that say which host a process is on, best first.
const HOST_KEYS: [&str; 3] = ["host.id", "host.name", "k8s.node.name"];

/// Where a span was made, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Host<'s> {
    ipv4: Option<Ipv4Addr>,
    ipv6: Option<Ipv6Addr>,
    name: Option<&'s str>,
}

impl<'s> Host<'s> {
    fn of(span: &'s Span) -> Self {
        let name = HOST_KEYS.iter().find_map(|wanted| {
            let found = span.resource.attributes.iter().find(|(key, _)| &**key == *wanted);
            match found.map(|(_, value)| value) {
                Some(Value::String(text)) if !text.is_empty() => Some(&**text),
                _ => None,
            }
        });
        Self { ipv4: span.local.ipv4, ipv6: span.local.ipv6, name }
    }

    fn known(&self) -> bool {
        *self != Self::default()
    }

    /// Whether both are the same host. What says nothing of itself is no one's.
    fn same(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.is_some() && a == b
        }
        agree(self.ipv6, other.ipv6) || agree(self.ipv4, other.ipv4) || agree(self.name, other.name)
    }
}

/// How far each node's start and events have to be moved, in nanoseconds; by [`Tree::nodes`], 0 where nothing is wrong.
pub fn clock_skew(tree: &Tree) -> Vec<i64> {
    let mut moves = vec![0i64; tree.nodes.len()];
    // A trace without its beginning, or with two, has no clock that the others could follow.
    if tree.roots().count() != 1 || tree.nodes.first().is_none_or(|root| root.span.parent_id.is_some()) {
        return moves;
    }
    // The host whose move holds at each node and below, and the move.
    let mut carried: Vec<Option<(Host<'_>, i128)>> = Vec::with_capacity(tree.nodes.len());
    for (index, node) in tree.nodes.iter().enumerate() {
        let mut carry = node.parent.and_then(|parent| carried[parent]);
        // Who a host is costs a look at its attributes: only where something hangs on it.
        let mut by = carry.filter(|(moved, _)| moved.same(&Host::of(&node.span))).map_or(0, |(_, by)| by);
        if let Some(parent) = node.parent {
            let client = &tree.nodes[parent].span;
            if let Some(more) = skew(client, i128::from(moves[parent]), &node.span, by) {
                by += more;
                carry = Some((Host::of(&node.span), by));
            }
        }
        moves[index] = i64::try_from(by).unwrap_or(0);
        carried.push(carry);
    }
    moves
}

/// How far a server has to be moved in addition to `server_by`, when its client was moved by `client_by`.
fn skew(client: &Span, client_by: i128, server: &Span, server_by: i128) -> Option<i128> {
    if client.kind != Kind::Client || server.kind != Kind::Server {
        return None;
    }
    let client_start = i128::from(client.start_ns?) + client_by;
    let server_start = i128::from(server.start_ns?) + server_by;
    if server_start > client_start {
        return None;
    }
    let (client_host, server_host) = (Host::of(client), Host::of(server));
    if !client_host.known() || !server_host.known() || client_host.same(&server_host) {
        return None;
    }
    let behind = client_start - server_start;
    let latency = match (client.duration_ns, server.duration_ns) {
        (Some(client), Some(server)) if client > 0 && server > 0 => {
            // A server that goes on after its client has left: a call that waits for no answer.
            if client < server { MINIMUM_NS } else { i128::from(client - server) / 2 }
        }
        _ => MINIMUM_NS,
    };
    Some(behind + latency).filter(|by| *by != 0)
}

#[cfg(test)]
mod tests;
