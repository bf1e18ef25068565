//! `services`, `spans`, `remoteServices`, `autocompleteKeys`, `autocompleteValues`: sorted JSON arrays of texts.

use std::sync::atomic::Ordering;

use axum::extract::{RawQuery, State};
use http::{HeaderValue, Response, header};
use tracepact_store::{Completeness, NameKind, Names};

use super::request::Parameters;
use super::{Answer, json};
use crate::Query;

/// Names may be cached once there are more than this many.
const CACHED_ABOVE: usize = 3;
const CACHE: HeaderValue = HeaderValue::from_static("max-age=300, must-revalidate");

pub(super) async fn services(State(query): State<Query>) -> Answer {
    let names = if query.config().search_enabled {
        lower(query.names(NameKind::Services).await?)
    } else {
        Names::default()
    };
    query.inner.services_known.store(names.values.len(), Ordering::Relaxed);
    Ok(answer(&names, names.values.len()))
}

pub(super) async fn spans(State(query): State<Query>, RawQuery(raw): RawQuery) -> Answer {
    of_service(&query, raw, |service| NameKind::Spans { service }).await
}

pub(super) async fn remote_services(State(query): State<Query>, RawQuery(raw): RawQuery) -> Answer {
    of_service(&query, raw, |service| NameKind::RemoteServices { service }).await
}

async fn of_service(query: &Query, raw: Option<String>, kind: impl Fn(String) -> NameKind) -> Answer {
    let parameters = Parameters::of(raw.as_deref());
    let service = parameters.required("serviceName")?.trim().to_lowercase();
    let names = if service.is_empty() || !query.config().search_enabled {
        Names::default()
    } else {
        lower(query.names(kind(service)).await?)
    };
    Ok(answer(&names, query.inner.services_known.load(Ordering::Relaxed)))
}

pub(super) async fn autocomplete_keys(State(query): State<Query>) -> Answer {
    let config = query.config();
    let names = match (config.search_enabled, config.autocomplete_keys.clone()) {
        (false, _) => Names::default(),
        // Where Zipkin would offer nothing, every key that was seen is offered.
        (true, keys) if keys.is_empty() => query.names(NameKind::TagKeys).await?,
        (true, mut values) => {
            values.sort();
            Names { values, completeness: Completeness::Complete }
        }
    };
    // Configured keys do not change; seen ones do, and a first look must not hide later ones.
    let fixed = !config.autocomplete_keys.is_empty();
    Ok(answer(&names, if fixed { usize::MAX } else { names.values.len() }))
}

pub(super) async fn autocomplete_values(State(query): State<Query>, RawQuery(raw): RawQuery) -> Answer {
    let parameters = Parameters::of(raw.as_deref());
    let key = parameters.required("key")?.to_owned();
    let keys = &query.config().autocomplete_keys;
    let offered = keys.is_empty() || keys.contains(&key);
    let names = if query.config().search_enabled && offered {
        query.names(NameKind::TagValues { key }).await?
    } else {
        Names::default()
    };
    Ok(answer(&names, names.values.len()))
}

/// Names of services and operations are lower case to Zipkin's readers.
fn lower(mut names: Names) -> Names {
    for name in &mut names.values {
        *name = name.to_lowercase();
    }
    names.values.sort();
    names.values.dedup();
    names
}

fn answer(names: &Names, services_known: usize) -> Response<axum::body::Body> {
    let body = serde_json::Value::from(names.values.clone()).to_string();
    let mut response = json(body, &names.completeness);
    if services_known > CACHED_ABOVE {
        response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    }
    response
}
