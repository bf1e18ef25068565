//! Whether rows meet the conditions of a search. Indexes narrow the candidates; the answer is decided here.

use std::collections::HashMap;

use tracepact_model::{Source, Span, StatusCode, Value, trace_timestamp_ns};

use crate::{Predicate, Scope, SpanQuery};

/// Whether `text` equals `lowered` without regard to case.
pub(crate) fn same_name(text: &str, lowered: &str) -> bool {
    text.eq_ignore_ascii_case(lowered) || (!text.is_ascii() && text.to_lowercase() == lowered)
}

/// A copy of the query whose names are lower-case, as [`meets`] expects them.
pub(crate) fn lower_names(query: &SpanQuery) -> SpanQuery {
    let mut query = query.clone();
    for predicate in &mut query.predicates {
        if let Predicate::Service(name) | Predicate::RemoteService(name) | Predicate::Name(name) = predicate {
            *name = name.to_lowercase();
        }
    }
    query
}

/// Whether one row meets one condition.
pub(crate) fn meets(row: &Span, predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Service(name) => row.local.service_name.as_deref().is_some_and(|s| same_name(s, name)),
        Predicate::RemoteService(name) => {
            row.remote.service_name.as_deref().is_some_and(|s| same_name(s, name))
        }
        Predicate::Name(name) => same_name(&row.name, name),
        Predicate::Tag(key, value) => tag_equals(row, key, value),
        Predicate::AnnotationOrKey(text) => {
            row.events.iter().any(|event| *event.name == **text) || values_of(row, text).next().is_some()
        }
        Predicate::Duration { min_ns, max_ns } => row
            .duration_ns
            .is_some_and(|duration| duration >= *min_ns && max_ns.is_none_or(|max| duration <= max)),
        Predicate::Error => row.is_error(),
    }
}

fn tag_equals(row: &Span, key: &str, value: &str) -> bool {
    values_of(row, key).any(|found| match found {
        Found::Value(found) => found.text() == value,
        Found::Text(found) => found == value,
    })
}

enum Found<'s> {
    Value(&'s Value),
    Text(&'s str),
}

/// Values under `key` on the span, then its resource, then what an OTLP status reads like as Zipkin tags.
fn values_of<'s>(row: &'s Span, key: &'s str) -> impl Iterator<Item = Found<'s>> {
    let of_key = move |(found, value): &'s (std::sync::Arc<str>, Value)| (**found == *key).then_some(value);
    let attributes = row.attributes.iter().chain(&row.resource.attributes);
    attributes.filter_map(of_key).map(Found::Value).chain(status_tag(row, key).map(Found::Text))
}

/// The value of a Zipkin tag that an OTLP status becomes.
pub(crate) fn status_tag<'s>(row: &'s Span, key: &str) -> Option<&'s str> {
    match (row.source, row.status.code, key) {
        (Source::Otlp, StatusCode::Error, "error") => Some(&row.status.message),
        (Source::Otlp, StatusCode::Error, "otel.status_code") => Some("ERROR"),
        (Source::Otlp, StatusCode::Ok, "otel.status_code") => Some("OK"),
        _ => None,
    }
}

/// The trace's timestamp when it lies in the window and the rows meet the query (names lowered), else `None`.
pub(crate) fn matches(rows: &[Span], query: &SpanQuery) -> Option<u64> {
    let timestamp = trace_timestamp_ns(rows)?;
    if !(query.start_ns..=query.end_ns).contains(&timestamp) {
        return None;
    }
    meet(rows, query).then_some(timestamp)
}

/// Whether the rows meet the conditions of the query (names lowered), whatever its window says.
pub(crate) fn meet(rows: &[Span], query: &SpanQuery) -> bool {
    let of_rows = |predicate: &Predicate| {
        Ok::<_, std::convert::Infallible>(rows.iter().map(|row| meets(row, predicate)).collect())
    };
    let Ok(met) = scoped(query, rows.len(), of_rows);
    met
}

/// Whether `count` rows meet the query's conditions together, given of each condition which rows meet it.
pub(crate) fn scoped<E>(
    query: &SpanQuery,
    count: usize,
    mut rows_of: impl FnMut(&Predicate) -> Result<Vec<bool>, E>,
) -> Result<bool, E> {
    // Rows that count for every condition; in the narrowest scope they are fewer after each.
    let mut rows = vec![true; count];
    let service = query.predicates.iter().find(|p| matches!(p, Predicate::Service(_)));
    if let (Scope::ServiceSpans, Some(service)) = (query.scope, service) {
        rows = rows_of(service)?;
    }
    if !rows.contains(&true) {
        return Ok(false);
    }
    for predicate in &query.predicates {
        if query.scope == Scope::ServiceSpans && Some(predicate) == service {
            continue;
        }
        let met: Vec<bool> = rows.iter().zip(rows_of(predicate)?).map(|(row, met)| *row && met).collect();
        if !met.contains(&true) {
            return Ok(false);
        }
        if query.scope == Scope::SameSpan {
            rows = met;
        }
    }
    Ok(true)
}

/// Rows in order of arrival, each exact duplicate once.
pub(crate) fn collapse(rows: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut kept: Vec<Span> = Vec::new();
    let mut seen: HashMap<_, Vec<usize>> = HashMap::new();
    for row in rows {
        let same = seen.entry((row.trace_id, row.span_id, row.start_ns, row.duration_ns)).or_default();
        if !same.iter().any(|i| kept[*i] == row) {
            same.push(kept.len());
            kept.push(row);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(service: &str, tag: &str, duration: u64) -> Span {
        let mut span = Span::new("1".parse().unwrap(), "2".parse().unwrap());
        span.local.service_name = Some(service.into());
        span.attributes = vec![(tag.into(), Value::Int(1))];
        span.duration_ns = Some(duration);
        span.start_ns = Some(10);
        span
    }

    #[test]
    fn scopes_differ_in_which_rows_count_together() {
        let rows = [row("Front", "a", 5), row("front", "b", 9), row("back", "c", 1)];
        let ask = |scope, predicates: &[Predicate]| {
            let query =
                SpanQuery { start_ns: 0, end_ns: 10, predicates: predicates.to_vec(), scope, limit: 1 };
            matches(&rows, &lower_names(&query)).is_some()
        };
        let service = Predicate::Service("FRONT".into());
        let tag = |key: &str| Predicate::Tag(key.into(), "1".into());
        let (a_b, a_c) = ([service.clone(), tag("a"), tag("b")], [service.clone(), tag("a"), tag("c")]);
        assert!(ask(Scope::ServiceSpans, &a_b) && !ask(Scope::SameSpan, &a_b) && ask(Scope::Trace, &a_b));
        assert!(!ask(Scope::ServiceSpans, &a_c) && ask(Scope::Trace, &a_c));
        assert!(ask(
            Scope::SameSpan,
            &[service, tag("a"), Predicate::Duration { min_ns: 5, max_ns: Some(5) }]
        ));
    }

    #[test]
    fn duplicates_collapse_and_order_stays() {
        let rows = collapse([row("a", "x", 1), row("b", "x", 1), row("a", "x", 1), row("a", "y", 1)]);
        assert_eq!(rows, [row("a", "x", 1), row("b", "x", 1), row("a", "y", 1)]);
    }
}
