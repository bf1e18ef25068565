//! Trace ids of both widths.

use futures::StreamExt;

use super::rows::{DAY_NS, SECOND_NS, query, span, tagged, trace_id};
use super::{Outcome, Subject, equal};
use crate::{Predicate, ReadCtx, Scanned, Scope, SpanQuery};

fn wide(high: u128) -> u128 {
    high << 64 | 7
}

fn lenient() -> ReadCtx {
    ReadCtx { strict_trace_id: false, ..ReadCtx::default() }
}

/// Zipkin's `considersBitsAbove64bit`: a 64-bit id and two 128-bit ids over it are three traces, in searches too.
pub(super) async fn three_traces(subject: Subject<'_>) -> Outcome {
    subject.append(&[tagged(span(7, 1, None, 1, "a"), "k", "64")]).await?;
    subject.append(&[tagged(span(wide(1), 1, None, 2, "a"), "k", "one")]).await?;
    subject.append(&[tagged(span(wide(2), 1, None, 3, "a"), "k", "two")]).await?;
    for (value, id) in [("64", 7), ("one", wide(1)), ("two", wide(2))] {
        let found =
            subject.search(query(&[Predicate::Tag("k".into(), value.into())]), ReadCtx::default()).await?;
        equal("hits", found, vec![trace_id(id)])?;
    }
    let ids = [7, wide(2), wide(1)].map(trace_id);
    let mut found = Vec::new();
    let mut traces = subject.store.traces(ids.to_vec(), ReadCtx::default());
    while let Some(trace) = traces.next().await {
        found.push(trace.map_err(|error| error.reason)?.trace_id);
    }
    equal("in the order asked", found, ids.to_vec())
}

/// With lenient ids the halves of a mixed trace count together, and each row keeps the id it came with.
pub(super) async fn mixed_trace(subject: Subject<'_>) -> Outcome {
    subject.append(&[tagged(span(wide(1), 1, None, 2, "a"), "x", "1")]).await?;
    subject.append(&[tagged(span(7, 2, Some(1), 3, "b"), "y", "2")]).await?;
    let both = [Predicate::Tag("x".into(), "1".into()), Predicate::Tag("y".into(), "2".into())];
    let both = SpanQuery { scope: Scope::Trace, ..query(&both) };
    equal("strict", subject.search(both.clone(), ReadCtx::default()).await?, Vec::new())?;
    equal("lenient", subject.search(both, lenient()).await?, vec![trace_id(wide(1))])?;
    for id in [7, wide(1), wide(9)] {
        let ids: Vec<_> =
            subject.trace(trace_id(id), lenient()).await?.iter().map(|row| row.trace_id).collect();
        equal("ids as they came", ids, vec![trace_id(wide(1)), trace_id(7)])?;
    }
    let mut traces = 0;
    let mut scan = subject.store.scan(DAY_NS, DAY_NS + 10 * SECOND_NS, lenient());
    while let Some(scanned) = scan.next().await {
        if let Scanned::Trace(trace) = scanned.map_err(|error| error.reason)? {
            equal("rows", trace.rows.len(), 2)?;
            traces += 1;
        }
    }
    equal("one trace in a scan", traces, 1)
}
