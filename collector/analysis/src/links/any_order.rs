//! Fragments that do not contradict each other give the same spans and the same links in any order, split and repetition.

use proptest::prelude::*;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::Value;

use super::*;

/// A call: who serves it, under which kind, whether both sides share an id, whether it failed.
#[derive(Debug, Clone)]
struct Call {
    parent: prop::sample::Index,
    service: u8,
    shared: bool,
    failed: bool,
    messaging: bool,
    /// Which pieces its spans arrive in.
    pieces: bool,
}

fn call() -> impl Strategy<Value = Call> {
    (
        any::<prop::sample::Index>(),
        0u8..4,
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
        any::<bool>(),
    )
        .prop_map(|(parent, service, shared, failed, messaging, pieces)| Call {
            parent,
            service,
            shared,
            failed,
            messaging,
            pieces,
        })
}

fn span(id: u64, parent: Option<u64>, kind: Kind, service: &str) -> Span {
    let mut span = Span::new(TraceId::new(7).unwrap(), SpanId::new(id).unwrap());
    span.parent_id = parent.and_then(SpanId::new);
    span.kind = kind;
    span.start_ns = Some(1_000 * id);
    span.local.service_name = Some(service.into());
    span
}

/// The spans of a tree of calls, whole.
fn spans(calls: &[Call]) -> Vec<Span> {
    // (id, service) of those that can call.
    let mut callers = vec![(1u64, "s0".to_owned())];
    let mut spans = vec![span(1, None, Kind::Server, "s0")];
    for (number, call) in (1u64..).zip(calls) {
        let (parent, caller) = callers[call.parent.index(callers.len())].clone();
        let service = format!("s{}", call.service);
        let (client_kind, server_kind) =
            if call.messaging { (Kind::Producer, Kind::Consumer) } else { (Kind::Client, Kind::Server) };
        let client_id = 10 * number;
        let mut client = span(client_id, Some(parent), client_kind, &caller);
        client.remote.service_name =
            Some(if call.messaging { "kafka".into() } else { service.as_str().into() });
        if call.failed {
            client.attributes.push(("error".into(), Value::String("boom".into())));
        }
        let shared = call.shared && !call.messaging;
        let server_id = if shared { client_id } else { client_id + 1 };
        let server_parent = if shared { Some(parent) } else { Some(client_id) };
        let mut server = span(server_id, server_parent, server_kind, &service);
        server.flags.shared = shared;
        if call.messaging {
            server.remote.service_name = Some("kafka".into());
        }
        spans.push(client);
        spans.push(server);
        callers.push((server_id, service));
    }
    spans
}

/// Each span in two pieces where its call says so: one with its kind and times, one with its tags.
fn pieces(calls: &[Call], spans: &[Span]) -> Vec<Span> {
    let mut rows = Vec::new();
    for (i, span) in spans.iter().enumerate() {
        let split = i.checked_sub(1).and_then(|i| calls.get(i / 2)).is_some_and(|call| call.pieces);
        if !split {
            rows.push(span.clone());
            continue;
        }
        let mut first = span.clone();
        first.attributes.clear();
        let mut second = span.clone();
        second.start_ns = None;
        second.kind = Kind::Unset;
        second.parent_id = None;
        second.remote.service_name = None;
        rows.extend([first, second]);
    }
    rows
}

/// Spans without what order may change: where they stand, and the order of tags.
fn plain(mut spans: Vec<Span>) -> Vec<Span> {
    for span in &mut spans {
        span.attributes.sort_by(|a, b| a.0.cmp(&b.0));
    }
    spans.sort_by(|a, b| {
        (a.span_id, a.flags.shared, a.kind as u8).cmp(&(b.span_id, b.flags.shared, b.kind as u8))
    });
    spans
}

proptest! {
    #[test]
    fn links_do_not_depend_on_how_the_spans_arrived(
        calls in prop::collection::vec(call(), 1..8),
        order in prop::collection::vec(any::<u32>(), 64),
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = spans(&calls);
        let wanted = dependency_links(&whole);
        // One call each way: as many as there are calls, by messages two.
        let messages = calls.iter().filter(|call| call.messaging).count() as u64;
        prop_assert_eq!(wanted.iter().map(|link| link.call_count).sum::<u64>(), calls.len() as u64 + messages);
        let mut rows = pieces(&calls, &whole);
        let again: Vec<Span> = repeats.iter().map(|index| index.get(&rows).clone()).collect();
        rows.extend(again);
        let mut arrived: Vec<(u32, Span)> = rows.into_iter().enumerate().map(|(i, row)| (order[i % 64], row)).collect();
        arrived.sort_by_key(|(place, _)| *place);
        let rows: Vec<Span> = arrived.into_iter().map(|(_, row)| row).collect();
        prop_assert_eq!(dependency_links(&rows), wanted);
        prop_assert_eq!(plain(merge(&rows)), plain(merge(&whole)));
    }
}
