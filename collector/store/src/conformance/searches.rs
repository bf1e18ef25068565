//! Searches.

use futures::StreamExt;

use super::rows::{DAY_NS, SECOND_NS, failed_otlp, query, span, tagged};
use super::{Outcome, Subject, equal, expect};
use crate::{Completeness, Predicate, ReadCtx, Scanned, Scope, SpanQuery};

fn service(name: &str) -> Predicate {
    Predicate::Service(name.to_owned())
}

fn tag(key: &str, value: &str) -> Predicate {
    Predicate::Tag(key.to_owned(), value.to_owned())
}

fn between(start: u64, end: u64) -> SpanQuery {
    SpanQuery { start_ns: DAY_NS + start * SECOND_NS, end_ns: DAY_NS + end * SECOND_NS, ..query(&[]) }
}

pub(super) async fn window(subject: Subject<'_>) -> Outcome {
    for second in 1..=5 {
        subject.append(&[span(u128::from(second), 1, None, second, "a")]).await?;
    }
    equal("inclusive", subject.hits(between(2, 4)).await?, vec![4, 3, 2])?;
    let mut no_start = span(9, 1, None, 3, "a");
    no_start.start_ns = None;
    subject.append(&[no_start]).await?;
    equal("without a start", subject.hits(between(2, 4)).await?, vec![4, 3, 2])?;
    subject.append(&[span(9, 2, Some(1), 3, "a")]).await?;
    expect(subject.hits(between(2, 4)).await?.contains(&9), "a start that came later makes it searchable")
}

pub(super) async fn late_root(subject: Subject<'_>) -> Outcome {
    // The child alone lies outside the window, the root's start inside; and the other way round.
    subject.append(&[span(1, 2, Some(1), 10, "a"), span(2, 2, Some(1), 3, "a")]).await?;
    equal("before the roots", subject.hits(between(2, 4)).await?, vec![2])?;
    subject.append(&[span(1, 1, None, 3, "a"), span(2, 1, None, 10, "a")]).await?;
    equal("after the roots", subject.hits(between(2, 4)).await?, vec![1])
}

pub(super) async fn scopes(subject: Subject<'_>) -> Outcome {
    subject.append(&[tagged(span(1, 1, None, 1, "Front"), "a", "1")]).await?;
    subject.append(&[tagged(span(1, 2, Some(1), 1, "front"), "b", "2")]).await?;
    subject.append(&[tagged(span(1, 3, Some(1), 1, "back"), "c", "3")]).await?;
    let ask = async |scope, predicates: &[Predicate]| {
        subject.hits(SpanQuery { scope, ..query(predicates) }).await.map(|hits| !hits.is_empty())
    };
    let (front, front_and_back) =
        ([service("FRONT"), tag("a", "1"), tag("b", "2")], [service("front"), tag("a", "1"), tag("c", "3")]);
    equal("different spans of the service", ask(Scope::ServiceSpans, &front).await?, true)?;
    equal("another service's tag", ask(Scope::ServiceSpans, &front_and_back).await?, false)?;
    equal("one span for all", ask(Scope::SameSpan, &front).await?, false)?;
    equal("the whole trace", ask(Scope::Trace, &front_and_back).await?, true)?;
    let name = Predicate::Name("get /items".to_owned());
    equal("names without case", ask(Scope::SameSpan, &[service("back"), name]).await?, true)?;
    equal("tags with case", ask(Scope::Trace, &[tag("A", "1")]).await?, false)?;
    let key = Predicate::AnnotationOrKey("c".to_owned());
    equal("a key", ask(Scope::ServiceSpans, &[service("back"), key]).await?, true)
}

pub(super) async fn rare(subject: Subject<'_>) -> Outcome {
    let wanted = tagged(span(1, 1, None, 1, "a"), "order.id", "the one");
    subject.append(&[wanted]).await?;
    let many: Vec<_> = (2..3_000u128)
        .map(|trace| tagged(span(trace, 1, None, 2 + trace as u64, "a"), "order.id", &trace.to_string()))
        .collect();
    subject.append(&many).await?;
    let query = SpanQuery { limit: 1, ..query(&[service("a"), tag("order.id", "the one")]) };
    equal("the rare one", subject.hits(query).await?, vec![1])
}

pub(super) async fn newest(subject: Subject<'_>) -> Outcome {
    for trace in [3, 1, 5, 2, 4u64] {
        subject.append(&[span(u128::from(trace), 1, None, trace, "a")]).await?;
    }
    let two = SpanQuery { limit: 2, ..query(&[service("a")]) };
    equal("nearest to the end", subject.hits(two.clone()).await?, vec![5, 4])?;
    equal("none", subject.hits(SpanQuery { limit: 0, ..two }).await?, Vec::new())
}

pub(super) async fn late_duration(subject: Subject<'_>) -> Outcome {
    let mut first = span(1, 1, None, 1, "a");
    first.duration_ns = None;
    let slow = Predicate::Duration { min_ns: 5_000_000, max_ns: Some(9_000_000) };
    subject.append(std::slice::from_ref(&first)).await?;
    equal("unknown", subject.hits(query(std::slice::from_ref(&slow))).await?, Vec::new())?;
    first.duration_ns = Some(9_000_000);
    subject.append(&[first]).await?;
    equal("known", subject.hits(query(&[service("a"), slow])).await?, vec![1])?;
    let slower = Predicate::Duration { min_ns: 9_000_001, max_ns: None };
    equal("too short", subject.hits(query(&[slower])).await?, Vec::new())
}

pub(super) async fn errors(subject: Subject<'_>) -> Outcome {
    subject.append(&[tagged(span(1, 1, None, 1, "a"), "error", "")]).await?;
    subject.append(&[failed_otlp(span(2, 1, None, 2, "b"))]).await?;
    subject.append(&[span(3, 1, None, 3, "c")]).await?;
    equal("errors", subject.hits(query(&[Predicate::Error])).await?, vec![2, 1])?;
    let key = Predicate::AnnotationOrKey("error".to_owned());
    equal("the error key", subject.hits(query(&[key])).await?, vec![2, 1])?;
    equal("the message as a tag", subject.hits(query(&[tag("error", "boom")])).await?, vec![2])?;
    equal(
        "typed values as text",
        subject.hits(query(&[tag("retries", "3"), tag("ratio", "0.25")])).await?,
        vec![2],
    )?;
    equal("resource", subject.hits(query(&[tag("zone", "a")])).await?, vec![2])?;
    let event = Predicate::AnnotationOrKey("exception".to_owned());
    equal("an event", subject.hits(query(&[event])).await?, vec![2])
}

pub(super) async fn scan(subject: Subject<'_>) -> Outcome {
    let rows: Vec<_> = (1..=100u64)
        .flat_map(|trace| {
            [span(u128::from(trace), 1, None, 1, "a"), span(u128::from(trace), 2, Some(1), 2, "b")]
        })
        .collect();
    for rows in rows.chunks(50) {
        subject.append(rows).await?;
    }
    subject.append(&[span(999, 1, None, 500, "a")]).await?;
    let mut found = Vec::new();
    let mut scan = subject.store.scan(DAY_NS, DAY_NS + 10 * SECOND_NS, ReadCtx::default());
    let mut ended = None;
    while let Some(scanned) = scan.next().await {
        match scanned.map_err(|error| error.reason)? {
            Scanned::Trace(trace) => {
                equal("rows of a trace", trace.rows.len(), 2)?;
                found.push(trace.trace_id.low());
            }
            Scanned::End(completeness) => ended = Some(completeness),
        }
    }
    equal("how it ended", ended, Some(Completeness::Complete))?;
    found.sort_unstable();
    equal("traces", found, (1..=100).collect())
}
