//! Names and autocomplete.

use super::rows::{DAY_NS, SECOND_NS, failed_otlp, query, span, tagged};
use super::{Outcome, Subject, equal, expect};
use crate::{Completeness, NameKind, Names, NamesQuery, Predicate, ReadCtx, SpanQuery};

async fn ask(subject: Subject<'_>, kind: NameKind, limit: usize) -> Result<Names, String> {
    let query = NamesQuery { kind, start_ns: DAY_NS, end_ns: DAY_NS + 3_600 * SECOND_NS, limit };
    subject.store.values(query, ReadCtx::default()).await.map_err(|error| error.reason)
}

/// Names compare without case, beyond ASCII too; tags and annotations with it.
pub(super) async fn case(subject: Subject<'_>) -> Outcome {
    let mut row = tagged(span(1, 1, None, 1, "Ärger-Dienst"), "Key", "Value");
    row.name = "GET /Straße".into();
    row.remote.service_name = Some("DB-Ü".into());
    subject.append(&[row]).await?;
    let service = |name: &str| Predicate::Service(name.to_owned());
    for (predicate, found) in [
        (service("ärger-DIENST"), true),
        (service("arger-dienst"), false),
        (Predicate::Name("get /straße".into()), true),
        (Predicate::RemoteService("db-ü".into()), true),
        (Predicate::Tag("Key".into(), "Value".into()), true),
        (Predicate::Tag("key".into(), "Value".into()), false),
        (Predicate::Tag("Key".into(), "value".into()), false),
        (Predicate::AnnotationOrKey("key".into()), false),
    ] {
        let hits = subject.hits(query(std::slice::from_ref(&predicate))).await?;
        equal(&format!("{predicate:?}"), !hits.is_empty(), found)?;
    }
    let of_service = NameKind::Spans { service: "ÄRGER-dienst".to_owned() };
    equal("spans", ask(subject, of_service, 10).await?.values, vec!["GET /Straße".to_owned()])?;
    equal("services", ask(subject, NameKind::Services, 10).await?.values, vec!["Ärger-Dienst".to_owned()])
}

/// Every tag key can be completed, span's and resource's; values are distinct and sorted; a full answer says so.
pub(super) async fn autocomplete(subject: Subject<'_>) -> Outcome {
    for (trace, env) in [(1, "prod"), (2, "dev"), (3, "prod"), (4, "stage")] {
        subject.append(&[tagged(span(trace, 1, None, 1, "a"), "env", env)]).await?;
    }
    subject.append(&[failed_otlp(span(5, 1, None, 1, "b"))]).await?;
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let values = |key: &str| NameKind::TagValues { key: key.to_owned() };
    let found = ask(subject, values("env"), 10).await?;
    equal(
        "values",
        found,
        Names { values: texts(&["dev", "prod", "stage"]), completeness: Completeness::Complete },
    )?;
    equal("typed values as text", ask(subject, values("retries"), 10).await?.values, texts(&["3"]))?;
    equal("a resource's", ask(subject, values("zone"), 10).await?.values, texts(&["a"]))?;
    equal("an unknown key", ask(subject, values("ENV"), 10).await?.values, Vec::new())?;
    let keys = ask(subject, NameKind::TagKeys, 10).await?.values;
    equal("keys", keys, texts(&["env", "ratio", "retries", "service.name", "zone"]))?;
    let cut = ask(subject, values("env"), 2).await?;
    equal("the first", cut.values, texts(&["dev", "prod"]))?;
    expect(matches!(cut.completeness, Completeness::Cut { .. }), "a list with names left out does not say so")
}

/// Names of services that do not appear within the window are left out when nothing near was within it.
pub(super) async fn windows(subject: Subject<'_>) -> Outcome {
    subject.append(&[span(1, 1, None, 1, "today")]).await?;
    let tomorrow = NamesQuery {
        kind: NameKind::Services,
        start_ns: DAY_NS + 86_400 * SECOND_NS,
        end_ns: DAY_NS + 2 * 86_400 * SECOND_NS,
        limit: 10,
    };
    let names = subject.store.values(tomorrow, ReadCtx::default()).await.map_err(|error| error.reason)?;
    equal("tomorrow", names.values, Vec::new())?;
    equal("today", ask(subject, NameKind::Services, 10).await?.values, vec!["today".to_owned()])
}

/// A trace that went on over midnight is one trace, wherever its rows are kept.
pub(super) async fn over_midnight(subject: Subject<'_>) -> Outcome {
    let night = 86_400;
    subject.append(&[span(1, 1, None, night - 1, "a")]).await?;
    subject.append(&[tagged(span(1, 2, Some(1), night + 1, "b"), "k", "v")]).await?;
    let day = |from: u64| SpanQuery {
        start_ns: DAY_NS + from * SECOND_NS,
        end_ns: DAY_NS + (from + night - 1) * SECOND_NS,
        ..query(&[Predicate::Tag("k".into(), "v".into())])
    };
    equal("the root's day", subject.hits(day(0)).await?, vec![1])?;
    equal("the child's day", subject.hits(day(night)).await?, Vec::new())?;
    equal("rows", subject.trace(super::rows::trace_id(1), ReadCtx::default()).await?.len(), 2)
}
