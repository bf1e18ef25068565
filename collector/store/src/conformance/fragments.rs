//! Spans in pieces, spans of two sides under one id, and which timestamp a trace has.

use tracepact_model::Kind;

use super::rows::{DAY_NS, SECOND_NS, query, span, tagged, trace_id};
use super::{Outcome, Subject, equal};
use crate::{Predicate, ReadCtx, Scope, SpanQuery};

fn service(name: &str) -> Predicate {
    Predicate::Service(name.to_owned())
}

/// Both sides of an RPC under one id are two rows, and each side's service finds the trace.
pub(super) async fn shared_spans(subject: Subject<'_>) -> Outcome {
    let mut client = tagged(span(1, 5, None, 1, "front"), "side", "client");
    client.kind = Kind::Client;
    client.remote.service_name = Some("back".into());
    let mut server = tagged(span(1, 5, None, 1, "back"), "side", "server");
    server.flags.shared = true;
    subject.append(std::slice::from_ref(&client)).await?;
    subject.append(std::slice::from_ref(&server)).await?;
    equal("rows", subject.trace(trace_id(1), ReadCtx::default()).await?, vec![client, server])?;
    for (predicates, found) in [
        (vec![service("front"), Predicate::Tag("side".into(), "client".into())], vec![1]),
        (vec![service("back"), Predicate::Tag("side".into(), "server".into())], vec![1]),
        (vec![service("back"), Predicate::Tag("side".into(), "client".into())], vec![]),
        (vec![service("front"), Predicate::RemoteService("BACK".into())], vec![1]),
        (vec![service("back"), Predicate::RemoteService("back".into())], vec![]),
    ] {
        equal(&format!("{predicates:?}"), subject.hits(query(&predicates)).await?, found)?;
    }
    Ok(())
}

/// Pieces of one span arrive in any order: rows stay as they came, and what any of them says can be searched.
pub(super) async fn pieces(subject: Subject<'_>) -> Outcome {
    let mut start = span(1, 1, None, 3, "a");
    start.duration_ns = None;
    let mut finish = span(1, 1, None, 3, "a");
    finish.start_ns = None;
    finish.name = "".into();
    finish.duration_ns = Some(7_000_000);
    let mut tags = tagged(span(1, 1, None, 3, "a"), "late", "yes");
    tags.start_ns = None;
    tags.duration_ns = None;
    let slow = Predicate::Duration { min_ns: 7_000_000, max_ns: Some(7_000_000) };
    subject.append(std::slice::from_ref(&finish)).await?;
    equal("without a start", subject.hits(query(&[service("a"), slow.clone()])).await?, Vec::new())?;
    subject.append(std::slice::from_ref(&start)).await?;
    subject.append(std::slice::from_ref(&tags)).await?;
    equal("rows", subject.trace(trace_id(1), ReadCtx::default()).await?, vec![finish, start, tags])?;
    let all = [
        service("a"),
        slow,
        Predicate::Tag("late".into(), "yes".into()),
        Predicate::Name("get /items".into()),
    ];
    equal("all pieces together", subject.hits(query(&all)).await?, vec![1])
}

/// The first row without a parent that has a start decides; without such a row the earliest start does.
pub(super) async fn timestamps(subject: Subject<'_>) -> Outcome {
    let at = |second: u64| {
        let window = (DAY_NS + second * SECOND_NS, DAY_NS + second * SECOND_NS);
        SpanQuery { start_ns: window.0, end_ns: window.1, ..query(&[]) }
    };
    // No root: the earliest.
    subject.append(&[span(1, 3, Some(2), 8, "a"), span(1, 2, Some(9), 6, "a")]).await?;
    // The root starts after its child.
    subject.append(&[span(2, 2, Some(1), 5, "a"), span(2, 1, None, 7, "a")]).await?;
    // Two roots: the first that arrived.
    subject.append(&[span(3, 1, None, 11, "a")]).await?;
    subject.append(&[span(3, 2, None, 10, "a")]).await?;
    // A root without a start says nothing.
    let mut silent = span(4, 1, None, 1, "a");
    silent.start_ns = None;
    subject.append(&[silent, span(4, 2, Some(1), 15, "a")]).await?;
    for (second, found) in
        [(6, vec![1]), (8, vec![]), (7, vec![2]), (5, vec![]), (11, vec![3]), (10, vec![]), (15, vec![4])]
    {
        equal(&format!("second {second}"), subject.hits(at(second)).await?, found)?;
    }
    Ok(())
}

/// Bounds of a duration are inclusive, hold on one row, and on a row of the queried service.
pub(super) async fn durations(subject: Subject<'_>) -> Outcome {
    let lasting = |trace: u128, id: u64, service: &str, ms: u64| {
        let mut row = span(trace, id, (id > 1).then_some(1), 1, service);
        row.duration_ns = Some(ms * 1_000_000);
        row
    };
    subject.append(&[lasting(1, 1, "a", 10), lasting(1, 2, "b", 50)]).await?;
    subject.append(&[lasting(2, 1, "a", 30)]).await?;
    let between = |min: u64, max: Option<u64>| Predicate::Duration {
        min_ns: min * 1_000_000,
        max_ns: max.map(|max| max * 1_000_000),
    };
    for (predicates, mut found) in [
        (vec![between(10, Some(30))], vec![1, 2]),
        (vec![between(11, Some(29))], vec![]),
        (vec![service("a"), between(40, None)], vec![]),
        (vec![service("b"), between(40, None)], vec![1]),
        (vec![service("a"), between(30, Some(30))], vec![2]),
        (vec![between(50, None)], vec![1]),
        (vec![between(51, None)], vec![]),
    ] {
        let mut hits = subject.hits(query(&predicates)).await?;
        hits.sort_unstable();
        found.sort_unstable();
        equal(&format!("{predicates:?}"), hits, found)?;
    }
    Ok(())
}

/// One row for all, or any rows of the service, or any rows at all: annotation, tag, name and error taken apart.
pub(super) async fn conjunctions(subject: Subject<'_>) -> Outcome {
    let mut noted = span(1, 2, Some(1), 1, "a");
    noted.events = vec![tracepact_model::SpanEvent {
        at_ns: DAY_NS + SECOND_NS,
        name: "cache.miss".into(),
        attributes: Vec::new(),
        dropped_attributes: 0,
    }];
    noted.name = "child".into();
    subject.append(&[tagged(span(1, 1, None, 1, "a"), "error", "boom")]).await?;
    subject.append(&[noted, tagged(span(1, 3, Some(1), 1, "b"), "zone", "z1")]).await?;
    let miss = Predicate::AnnotationOrKey("cache.miss".to_owned());
    let zone = Predicate::Tag("zone".to_owned(), "z1".to_owned());
    let child = Predicate::Name("CHILD".to_owned());
    for (scope, predicates, found) in [
        (Scope::ServiceSpans, vec![service("a"), miss.clone(), Predicate::Error], true),
        (Scope::SameSpan, vec![service("a"), miss.clone(), Predicate::Error], false),
        (Scope::SameSpan, vec![service("a"), miss.clone(), child.clone()], true),
        (Scope::ServiceSpans, vec![service("a"), zone.clone()], false),
        (Scope::ServiceSpans, vec![miss.clone(), zone.clone(), Predicate::Error], true),
        (Scope::Trace, vec![service("a"), zone, child], true),
        (Scope::Trace, vec![service("c"), miss], false),
    ] {
        let hits = subject.hits(SpanQuery { scope, ..query(&predicates) }).await?;
        equal(&format!("{scope:?} {predicates:?}"), !hits.is_empty(), found)?;
    }
    Ok(())
}
