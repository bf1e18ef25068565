//! Zipkin's parameters as a [`SpanQuery`], and its trace ids.

use tracepact_base::{IdError, TraceId};
use tracepact_store::{Predicate, Scope, SpanQuery};

use super::refusal::Refusal;
use crate::QueryConfig;
use crate::service::nanos;

/// Most conditions in one `annotationQuery`.
const CONDITIONS_MAX: usize = 100;
/// Traces in an answer when the question does not say.
const LIMIT_DEFAULT: i64 = 10;

/// The parameters of a request; of a repeated one the first counts, unknown ones are ignored, as in Zipkin.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of(query: Option<&str>) -> Self {
        Self(url::form_urlencoded::parse(query.unwrap_or("").as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::bad_request(format!("the parameter {name} is missing")))
    }

    /// A whole number; empty counts as absent.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.get(name).map(str::trim).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| Refusal::bad_request(format!("{name} is not a whole number: {text:?}"))),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// A window of time: `endTs` and `lookback` in milliseconds, both ends inclusive.
pub(crate) fn window(
    end_ms: Option<i64>,
    lookback_ms: Option<i64>,
    config: &QueryConfig,
    now_ns: u64,
) -> Result<(u64, u64), Refusal> {
    let positive = |name: &str, value: Option<i64>| match value {
        Some(value) if value <= 0 => Err(Refusal::bad_request(format!("{name} <= 0"))),
        other => Ok(other.map(|value| value as u64)),
    };
    let end_ms = positive("endTs", end_ms)?.unwrap_or(now_ns / 1_000_000);
    let lookback_ms = positive("lookback", lookback_ms)?.unwrap_or(nanos(config.lookback) / 1_000_000);
    // The whole last millisecond belongs to the window.
    let end_ns = end_ms.saturating_mul(1_000_000).saturating_add(999_999);
    Ok((end_ms.saturating_sub(lookback_ms).saturating_mul(1_000_000), end_ns))
}

/// Reads the parameters of `GET /api/v2/traces`.
pub(crate) fn span_query(
    parameters: &Parameters,
    config: &QueryConfig,
    now_ns: u64,
) -> Result<SpanQuery, Refusal> {
    let (start_ns, end_ns) =
        window(parameters.number("endTs")?, parameters.number("lookback")?, config, now_ns)?;
    let limit = parameters.number("limit")?.unwrap_or(LIMIT_DEFAULT);
    if limit <= 0 {
        return Err(Refusal::bad_request("limit <= 0"));
    }
    // Zipkin knows no bound here; an answer that this one shortened says so.
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(config.traces_max);
    let mut predicates = Vec::new();
    let name = |key: &str| parameters.text(key).map(|text| text.to_lowercase());
    predicates.extend(name("serviceName").map(Predicate::Service));
    predicates.extend(name("remoteServiceName").map(Predicate::RemoteService));
    predicates.extend(name("spanName").filter(|name| name != "all").map(Predicate::Name));
    predicates.extend(annotation_query(parameters.get("annotationQuery").unwrap_or(""))?);
    predicates.extend(duration(parameters)?);
    Ok(SpanQuery { start_ns, end_ns, predicates, scope: Scope::ServiceSpans, limit })
}

fn duration(parameters: &Parameters) -> Result<Option<Predicate>, Refusal> {
    let (min, max) = (parameters.number("minDuration")?, parameters.number("maxDuration")?);
    let to_ns = |us: i64| (us as u64).saturating_mul(1_000);
    match (min, max) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Refusal::bad_request("maxDuration is only valid with minDuration")),
        (Some(min), _) if min <= 0 => Err(Refusal::bad_request("minDuration <= 0")),
        (Some(min), Some(max)) if max < min => Err(Refusal::bad_request("maxDuration < minDuration")),
        (Some(min), max) => {
            // A span of 1.9 µs is one of 1 µs to Zipkin: the upper bound takes the whole microsecond in.
            let max_ns = max.map(|max| to_ns(max).saturating_add(999));
            Ok(Some(Predicate::Duration { min_ns: to_ns(min), max_ns }))
        }
    }
}

/// `error and http.method=GET`: parts between the word "and". With `=` a tag must equal, the last of one key counts;
/// without, an annotation or a tag key must exist, unless an equality for that key is asked for already.
pub(crate) fn annotation_query(text: &str) -> Result<Vec<Predicate>, Refusal> {
    let mut conditions: Vec<(String, Option<String>)> = Vec::new();
    let mut parts = 0;
    for part in text.split(" and ").filter(|part| !part.trim().is_empty()) {
        parts += 1;
        if parts > CONDITIONS_MAX {
            return Err(Refusal::bad_request(format!(
                "annotationQuery has more than {CONDITIONS_MAX} conditions"
            )));
        }
        let (key, value) = match part.split_once('=') {
            Some((key, value)) => (key.trim().to_owned(), Some(value.trim().to_owned())),
            None => (part.trim().to_owned(), None),
        };
        match conditions.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) if value.is_some() => *known = value,
            Some(_) => {}
            None => conditions.push((key, value)),
        }
    }
    Ok(conditions
        .into_iter()
        .map(|(key, value)| match value {
            // `key=` without a value asks for the key, as in Zipkin.
            Some(value) if !value.is_empty() => Predicate::Tag(key, value),
            _ => Predicate::AnnotationOrKey(key),
        })
        .collect())
}

/// A trace id as people paste it: with spaces around, short, or padded.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Refusal> {
    let text = text.trim();
    text.parse().map_err(|error| {
        Refusal::bad_request(match error {
            IdError::NotLowerHex => format!("{text} should be lower-hex encoded with no prefix"),
            IdError::Length { len: 0, .. } => "traceId is empty".to_owned(),
            IdError::Length { .. } => "traceId.length > 32".to_owned(),
            IdError::Zero => "traceId is all zeros".to_owned(),
        })
    })
}

/// The ids of `GET /api/v2/traceMany`.
pub(crate) fn trace_ids(text: &str, most: usize) -> Result<Vec<TraceId>, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::bad_request("traceIds parameter is empty"));
    }
    let mut ids: Vec<TraceId> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for part in text.split(',') {
        let id = trace_id(part)?;
        if !seen.insert(id) {
            return Err(Refusal::bad_request(format!("redundant traceId: {}", part.trim())));
        }
        ids.push(id);
        if ids.len() > most {
            return Err(Refusal::bad_request(format!("more than {most} traceIds")));
        }
    }
    if ids.len() == 1 {
        return Err(Refusal::bad_request("Use /api/v2/trace/{traceId} endpoint to retrieve a single trace"));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests;
