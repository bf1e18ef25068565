//! Fragments of one span become one span.
//!
//! Zipkin senders may report a span in pieces, in any order, and both sides of an RPC under one id. Pieces belong
//! together when id, shared flag and a compatible local endpoint agree. First said wins for what is single, lists are
//! united, of equal tags the last wins, flags are or-ed.

mod lists;

use std::collections::HashMap;

use tracepact_base::SpanId;
use tracepact_model::{Endpoint, Kind, Span, StatusCode};

use lists::Lists;

/// Spans of one id whose endpoints are compared field by field; a further fragment joins the span of exactly its
/// endpoint. Real traces have two; a hostile one with thousands must not cost their square.
const COMPARED_MAX: usize = 32;

/// Merges the rows of one trace (or of some traces that links join), in their order of arrival, and mends what senders commonly get wrong about sharing.
pub fn merge(rows: &[Span]) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::with_capacity(rows.len());
    let mut by_key: HashMap<(u64, SpanId, bool), Vec<usize>> = HashMap::new();
    let mut beyond: HashMap<(u64, SpanId, bool, &Endpoint), usize> = HashMap::new();
    let mut lists: HashMap<usize, Lists> = HashMap::new();
    for row in rows {
        // Only a server can share its caller's id.
        let shared = row.flags.shared && row.kind != Kind::Client;
        let low = row.trace_id.low();
        let candidates = by_key.entry((low, row.span_id, shared)).or_default();
        let known = match candidates.iter().find(|i| compatible(&merged[**i].local, &row.local)) {
            None if candidates.len() >= COMPARED_MAX => beyond.get(&(low, row.span_id, shared, &row.local)),
            found => found,
        };
        match known.copied() {
            Some(index) => {
                let span = &mut merged[index];
                absorb(span, row);
                lists.entry(index).or_insert_with(|| Lists::of(span)).absorb(span, row);
            }
            None => {
                if candidates.len() < COMPARED_MAX {
                    candidates.push(merged.len());
                } else {
                    beyond.insert((low, row.span_id, shared, &row.local), merged.len());
                }
                let mut span = row.clone();
                span.flags.shared = shared;
                if span.parent_id == Some(span.span_id) {
                    span.parent_id = None;
                }
                merged.push(span);
            }
        }
    }
    mend_sharing(&mut merged);
    merged
}

/// No field that both know differs. An endpoint that says nothing fits any.
fn compatible(a: &Endpoint, b: &Endpoint) -> bool {
    fn agree<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
        a.is_none() || b.is_none() || a == b
    }
    let same_name = match (&a.service_name, &b.service_name) {
        (Some(a), Some(b)) => a.to_lowercase() == b.to_lowercase(),
        _ => true,
    };
    same_name && agree(&a.ipv4, &b.ipv4) && agree(&a.ipv6, &b.ipv6) && agree(&a.port, &b.port)
}

fn absorb(span: &mut Span, row: &Span) {
    fn first<T: Clone>(have: &mut Option<T>, said: &Option<T>) {
        if have.is_none() {
            have.clone_from(said);
        }
    }
    // The longest id wins: a piece that travelled with a 64-bit id belongs to the 128-bit trace.
    if span.trace_id.high() == 0 {
        span.trace_id = row.trace_id;
    }
    first(&mut span.parent_id, &row.parent_id.filter(|p| *p != row.span_id));
    first(&mut span.start_ns, &row.start_ns);
    first(&mut span.duration_ns, &row.duration_ns);
    first(&mut span.instance, &row.instance);
    first(&mut span.version, &row.version);
    if span.kind == Kind::Unset {
        span.kind = row.kind;
    }
    if span.name.is_empty() {
        span.name = row.name.clone();
    }
    if span.status.code == StatusCode::Unset {
        span.status = row.status.clone();
    }
    if span.tracestate.is_empty() {
        span.tracestate = row.tracestate.clone();
    }
    if span.resource.attributes.is_empty() {
        span.resource = row.resource.clone();
    }
    if span.scope.name.is_empty() {
        span.scope = row.scope.clone();
    }
    absorb_endpoint(&mut span.local, &row.local);
    absorb_endpoint(&mut span.remote, &row.remote);
    span.flags.debug |= row.flags.debug;
    span.flags.truncated |= row.flags.truncated;
    span.flags.end_before_start |= row.flags.end_before_start;
    span.flags.otlp |= row.flags.otlp;
    for (have, said) in span.dropped.iter_mut().zip(row.dropped) {
        *have = (*have).max(said);
    }
}

fn absorb_endpoint(have: &mut Endpoint, said: &Endpoint) {
    if have.service_name.is_none() {
        have.service_name.clone_from(&said.service_name);
    }
    have.ipv4 = have.ipv4.or(said.ipv4);
    have.ipv6 = have.ipv6.or(said.ipv6);
    have.port = have.port.or(said.port);
}

/// What is only clear with the whole trace at hand.
fn mend_sharing(spans: &mut [Span]) {
    let key = |span: &Span| (span.trace_id.low(), span.span_id);
    let clients: HashMap<(u64, SpanId), Option<SpanId>> =
        spans.iter().filter(|s| s.kind == Kind::Client).map(|s| (key(s), s.parent_id)).collect();
    let lone = spans.len() == 1;
    for span in spans {
        let caller = clients.get(&key(span));
        if span.kind == Kind::Server && caller.is_some() {
            span.flags.shared = true;
        }
        if span.flags.shared && span.parent_id.is_none() {
            span.parent_id = caller.copied().flatten();
        }
        if lone && span.parent_id.is_none() {
            span.flags.shared = false;
        }
    }
}

#[cfg(test)]
mod tests;
