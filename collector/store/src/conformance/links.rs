//! Dependency links: Zipkin's rules, over rows that arrive in any number of batches.

use futures::StreamExt;
use tracepact_analysis::{DependencyLink, dependency_links, sum_links};
use tracepact_model::{Kind, Span};

use super::rows::{DAY_NS, SECOND_NS, failed_otlp, span, tagged};
use super::{Outcome, Subject, equal, expect};
use crate::{Completeness, ReadCtx, Scanned};

fn call(trace: u128, id: u64, parent: Option<u64>, kind: Kind, local: &str, remote: &str) -> Span {
    let mut span = span(trace, id, parent, id, local);
    span.kind = kind;
    span.remote.service_name = (!remote.is_empty()).then(|| remote.into());
    span
}

fn link(parent: &str, child: &str, call_count: u64, error_count: u64) -> DependencyLink {
    DependencyLink { parent: parent.to_owned(), child: child.to_owned(), call_count, error_count }
}

/// The links of seconds of the day, which are those of all traces that a scan finds there.
async fn links(subject: Subject<'_>, from: u64, to: u64) -> Result<Vec<DependencyLink>, String> {
    let (start_ns, end_ns) = (DAY_NS + from * SECOND_NS, DAY_NS + to * SECOND_NS);
    let ctx = ReadCtx { strict_trace_id: false, ..ReadCtx::default() };
    let mut wanted = Vec::new();
    let mut scan = subject.store.scan(start_ns, end_ns, ctx.clone());
    while let Some(scanned) = scan.next().await {
        if let Scanned::Trace(trace) = scanned.map_err(|error| error.reason)? {
            wanted.push(dependency_links(&trace.rows));
        }
    }
    let answer = subject.store.links(start_ns, end_ns, ctx).await.map_err(|error| error.reason)?;
    expect(answer.completeness == Completeness::Complete, "the links are not complete")?;
    equal("links beside the rows", answer.links.clone(), sum_links(wanted))?;
    Ok(answer.links)
}

pub(super) async fn rules(subject: Subject<'_>) -> Outcome {
    // Both sides under one id, the server named by itself; a database that does not report; an error of the client.
    let mut server = call(1, 2, Some(1), Kind::Server, "orders", "");
    server.flags.shared = true;
    subject
        .append(&[
            call(1, 1, None, Kind::Server, "Gateway", ""),
            call(1, 2, Some(1), Kind::Client, "gateway", "orders-old"),
            server,
            tagged(call(1, 3, Some(2), Kind::Client, "orders", "mysql"), "error", ""),
        ])
        .await?;
    let first = vec![link("gateway", "orders", 1, 0), link("orders", "mysql", 1, 1)];
    equal("calls", links(subject, 0, 60).await?, first)?;
    subject
        .append(&[
            call(2, 1, None, Kind::Producer, "orders", "kafka"),
            call(2, 2, Some(1), Kind::Consumer, "payments", "kafka"),
        ])
        .await?;
    subject.append(&[failed_otlp(call(3, 1, None, Kind::Server, "orders", "phone"))]).await?;
    let all = vec![
        link("gateway", "orders", 1, 0),
        link("kafka", "payments", 1, 0),
        link("orders", "kafka", 1, 0),
        link("orders", "mysql", 1, 1),
    ];
    let found = links(subject, 0, 60).await?;
    equal("messages", found.into_iter().filter(|link| link.parent != "phone").collect(), all)
}

pub(super) async fn late(subject: Subject<'_>) -> Outcome {
    let client = call(1, 2, Some(1), Kind::Client, "front", "backend:80");
    let rows = [call(1, 1, None, Kind::Server, "front", ""), client];
    subject.append(&rows).await?;
    equal("only the client", links(subject, 0, 60).await?, vec![link("front", "backend:80", 1, 0)])?;
    subject.append(&rows).await?;
    equal("sent again", links(subject, 0, 60).await?, vec![link("front", "backend:80", 1, 0)])?;
    // The server's side, by a 64-bit id of the same trace; the client's word is taken back.
    let late = tagged(call((7 << 64) | 1, 3, Some(2), Kind::Server, "back", ""), "error", "late");
    subject.append(&[late]).await?;
    equal("the server as well", links(subject, 0, 60).await?, vec![link("front", "back", 1, 1)])
}

pub(super) async fn window(subject: Subject<'_>) -> Outcome {
    for (trace, second) in [(1, 10), (2, 20), (3, 30)] {
        let mut row = call(trace, 1, None, Kind::Server, "front", "phone");
        row.start_ns = Some(DAY_NS + second * SECOND_NS);
        subject.append(&[row]).await?;
    }
    for (from, to, calls) in [(10, 20, 2), (11, 19, 0), (20, 30, 2), (0, 60, 3)] {
        let found: u64 = links(subject, from, to).await?.iter().map(|link| link.call_count).sum();
        equal("calls in the window", found, calls)?;
    }
    // A root elsewhere moves the whole trace.
    subject.append(&[call(4, 9, Some(8), Kind::Server, "late", "phone")]).await?;
    equal("before its root", links(subject, 9, 9).await?.len(), 1)?;
    let mut root = call(4, 8, None, Kind::Server, "root", "");
    root.start_ns = Some(DAY_NS + 50 * SECOND_NS);
    subject.append(&[root]).await?;
    equal("where it was", links(subject, 9, 9).await?.len(), 0)?;
    equal("where it is", links(subject, 50, 50).await?, vec![link("root", "late", 1, 0)])
}
