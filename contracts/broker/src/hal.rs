//! The Pact Broker's HAL API: what unmodified Pact clients call.
//!
//! Lenient where clients are: `Accept` may come on several lines, once or never; any content type of JSON is JSON; names
//! are decoded segment by segment after routing, so that `feat%2Fx` is one name.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use tracepact_base::time_format;
use tracepact_listener::{Limits, Routes, Scope, body};

use crate::{Broker, BrokerError};

mod accept;
mod badges;
mod branches;
mod browser;
mod can_i;
mod collections;
mod dashboard;
mod docs;
mod environments;
mod every_answer;
mod for_verification;
mod graph;
mod index;
mod integrations;
mod labels;
pub(crate) mod links;
mod matrix;
mod matrix_text;
pub(crate) mod metadata;
mod metrics;
mod pact;
mod pacticipants;
mod paging;
mod presences;
mod provider_states;
mod publish;
mod results;
mod versions;
mod webhooks;

pub use every_answer::with_pact_conventions;

use accept::Accept;
use links::Links;

/// Largest body: a publication of many contracts, base64 included.
const BODY: Limits = Limits { sent_bytes_max: 16 << 20, decompressed_bytes_max: 16 << 20 };
/// The routes for Pact clients. They begin at `/`, so they want a port of their own.
pub fn pact_routes(broker: Broker) -> Routes {
    let open = |open: bool| if open { Scope::Public } else { Scope::Read };
    let routes = Routes::new("broker").get("/", Scope::Read, index::get);
    let routes = metrics::routes(routes, open(broker.config().public_heartbeat));
    let routes = badges::routes(routes, open(broker.config().public_badges));
    let routes = browser::routes(docs::routes(routes));
    let routes = dashboard::routes(graph::routes(integrations::routes(routes)));
    let routes = provider_states::routes(can_i::routes(routes));
    let routes = labels::routes(branches::routes(routes));
    let routes = publish::routes(routes);
    let routes = pact::routes(routes);
    let routes = collections::routes(routes);
    let routes = for_verification::routes(routes);
    let routes = results::routes(routes);
    let routes = pacticipants::routes(routes);
    let routes = versions::routes(routes);
    let routes = presences::routes(environments::routes(routes));
    let routes = webhooks::routes(routes);
    matrix::routes(routes).with_state(broker)
}

/// What every answer needs to know of its request.
#[derive(Debug)]
struct Ctx {
    links: Links,
    /// The client asked for plain JSON and not for HAL.
    plain: bool,
    accept: Accept,
    /// The raw query, without `?`.
    query: String,
}

impl FromRequestParts<Broker> for Ctx {
    type Rejection = BrokerError;

    async fn from_request_parts(parts: &mut Parts, broker: &Broker) -> Result<Self, BrokerError> {
        let accept = Accept::of(&parts.headers);
        let links = Links::of(parts, broker.config());
        broker.reached_at(links.base());
        Ok(Self {
            links,
            plain: accept.plain_json(),
            accept,
            query: parts.uri.query().unwrap_or_default().to_owned(),
        })
    }
}

impl Ctx {
    fn answer(&self, status: StatusCode, body: &Value) -> Response {
        self.text(status, body.to_string())
    }

    fn ok(&self, body: &Value) -> Response {
        self.answer(StatusCode::OK, body)
    }

    /// 201 with the place of what was made.
    fn created(&self, place: &str, body: &Value) -> Response {
        let mut response = self.answer(StatusCode::CREATED, body);
        if let Ok(value) = HeaderValue::from_str(place) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        response
    }

    /// 201 with the place for something new, else 200.
    fn made(&self, new: bool, place: &str, body: &Value) -> Response {
        if new { self.created(place, body) } else { self.ok(body) }
    }

    fn text(&self, status: StatusCode, body: String) -> Response {
        let media =
            if self.plain { "application/json;charset=utf-8" } else { "application/hal+json;charset=utf-8" };
        let headers =
            [(header::CONTENT_TYPE, media), (header::VARY, "Accept"), (header::CACHE_CONTROL, "no-cache")];
        (status, headers, body).into_response()
    }
}

/// A body as sent.
struct Raw(Bytes);

impl FromRequest<Broker> for Raw {
    type Rejection = BrokerError;

    async fn from_request(request: Request, _broker: &Broker) -> Result<Self, BrokerError> {
        Ok(Self(body::read(request, BODY).await?))
    }
}

/// A JSON object; an empty body is an empty object.
struct JsonObject(Value);

impl FromRequest<Broker> for JsonObject {
    type Rejection = BrokerError;

    async fn from_request(request: Request, broker: &Broker) -> Result<Self, BrokerError> {
        let Raw(bytes) = Raw::from_request(request, broker).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Object(serde_json::Map::new())));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(map)) => Ok(Self(Value::Object(map))),
            Ok(_) => Err(BrokerError::invalid("", "the body must be a JSON object")),
            Err(error) => Err(BrokerError::invalid("", format!("the body is not valid JSON: {error}"))),
        }
    }
}

impl JsonObject {
    /// A text field; absent, null and blank are `None`.
    fn text(&self, field: &str) -> Result<Option<&str>, BrokerError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(BrokerError::invalid(field, "must be a string")),
        }
    }

    fn required(&self, field: &str) -> Result<&str, BrokerError> {
        self.text(field)?.ok_or_else(|| BrokerError::invalid(field, "can't be blank"))
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, BrokerError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(BrokerError::invalid(field, "must be true or false")),
        }
    }

    fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some()
    }

    fn texts(&self, field: &str) -> Result<Vec<String>, BrokerError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|i| {
                    i.as_str()
                        .map(str::to_owned)
                        .ok_or_else(|| BrokerError::invalid(field, "must be a list of strings"))
                })
                .collect(),
            Some(_) => Err(BrokerError::invalid(field, "must be a list of strings")),
        }
    }
}

/// An instant as the Pact Broker writes it: whole seconds, `+00:00`.
fn iso(ns: i64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let ns = u64::try_from(ns).unwrap_or(0) / SECOND * SECOND;
    time_format::to_rfc3339(ns).replace('Z', "+00:00")
}

/// `createdAt`, and `updatedAt` when something changed since.
fn stamp(body: &mut Value, created_at: i64, updated_at: i64) {
    if iso(updated_at) != iso(created_at) {
        body["updatedAt"] = iso(updated_at).into();
    }
    body["createdAt"] = iso(created_at).into();
}

fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn not_found() -> BrokerError {
    BrokerError::NotFound("The requested document was not found on this server.".into())
}
