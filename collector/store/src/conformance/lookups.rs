//! Traces by id, and names.

use tracepact_model::Kind;

use super::rows::{DAY_NS, SECOND_NS, failed_otlp, span, tagged, trace_id};
use super::{Outcome, Subject, equal};
use crate::{NameKind, NamesQuery, ReadCtx};

pub(super) async fn rows_in_order(subject: Subject<'_>) -> Outcome {
    let early = tagged(span(1, 1, None, 5, "Front"), "é", "\u{1F600}");
    let mut late = span(1, 2, Some(1), 2, "back");
    late.start_ns = None;
    late.duration_ns = None;
    let otlp = failed_otlp(span(1, 3, Some(2), 1, "Back"));
    subject.append(std::slice::from_ref(&early)).await?;
    subject.append(&[span(2, 9, None, 5, "other")]).await?;
    subject.append(std::slice::from_ref(&late)).await?;
    subject.append(std::slice::from_ref(&otlp)).await?;
    equal("rows", subject.trace(trace_id(1), ReadCtx::default()).await?, vec![early, late, otlp])
}

pub(super) async fn duplicates_collapse(subject: Subject<'_>) -> Outcome {
    let row = span(1, 1, None, 1, "a");
    let other = tagged(row.clone(), "k", "v");
    subject.append(&[row.clone(), row.clone()]).await?;
    subject.append(&[other.clone(), row.clone()]).await?;
    equal("rows", subject.trace(trace_id(1), ReadCtx::default()).await?, vec![row, other])
}

pub(super) async fn strict_and_lenient(subject: Subject<'_>) -> Outcome {
    let wide = |high: u128| high << 64 | 7;
    subject.append(&[span(7, 1, None, 1, "a")]).await?;
    subject.append(&[span(wide(1), 2, None, 2, "a"), span(wide(2), 3, None, 3, "a")]).await?;
    let lenient = ReadCtx { strict_trace_id: false, ..ReadCtx::default() };
    for (id, strict_rows) in [(7, 1), (wide(1), 1), (wide(3), 0)] {
        equal("strict rows", subject.trace(trace_id(id), ReadCtx::default()).await?.len(), strict_rows)?;
        equal("lenient rows", subject.trace(trace_id(id), lenient.clone()).await?.len(), 3)?;
    }
    let query = super::rows::query(&[]);
    equal("strict hits", subject.hits(query.clone()).await?.len(), 3)?;
    let answer = subject.store.search(query, lenient).await.map_err(|error| error.reason)?;
    equal("lenient hits", answer.hits.len(), 1)
}

pub(super) async fn unknown_ids(subject: Subject<'_>) -> Outcome {
    subject.append(&[span(1, 1, None, 1, "a")]).await?;
    equal("rows", subject.trace(trace_id(99), ReadCtx::default()).await?, Vec::new())
}

pub(super) async fn names(subject: Subject<'_>) -> Outcome {
    let mut client = span(1, 2, Some(1), 1, "Front");
    client.kind = Kind::Client;
    client.name = "call".into();
    client.remote.service_name = Some("Back".into());
    subject.append(&[tagged(span(1, 1, None, 1, "Front"), "env", "prod")]).await?;
    subject.append(&[client, tagged(span(2, 1, None, 1, "other"), "env", "dev")]).await?;
    let ask = async |kind: NameKind| {
        let query = NamesQuery { kind, start_ns: DAY_NS, end_ns: DAY_NS + 3600 * SECOND_NS, limit: 100 };
        subject.store.values(query, ReadCtx::default()).await.map(|names| names.values).map_err(|e| e.reason)
    };
    let of = |service: &str| service.to_owned();
    equal("services", ask(NameKind::Services).await?, vec![of("Front"), of("other")])?;
    equal("spans", ask(NameKind::Spans { service: of("FRONT") }).await?, vec![of("Get /Items"), of("call")])?;
    equal("remotes", ask(NameKind::RemoteServices { service: of("front") }).await?, vec![of("Back")])?;
    equal("keys", ask(NameKind::TagKeys).await?, vec![of("env")])?;
    equal("values", ask(NameKind::TagValues { key: of("env") }).await?, vec![of("dev"), of("prod")])
}
