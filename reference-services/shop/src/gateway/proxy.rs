//! The gateway's routes: check, limit, pass on.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use tracepact_base::ErrorKind;
use tracepact_kit::breaker::Breaker;
use tracepact_kit::bulkhead::Bulkhead;
use tracepact_kit::classify::Outcome;
use tracepact_kit::rejection::Rejection;
use tracepact_listener::extract::Path;
use tracepact_listener::{Limits, Problem, body};

use super::Gateway;
use super::auth::AuthError;
use crate::orders::place::is_id;
use crate::upstream::UpstreamError;

/// Most bytes of an order's body.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Most bytes of an answer of orders.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// What guards one route.
#[derive(Debug)]
pub struct Lane {
    /// Opens when orders fails on this route.
    pub breaker: Breaker,
    /// Bounds the calls on this route.
    pub bulkhead: Bulkhead,
}

/// An answer of orders, read whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    instance: usize,
}

/// `POST /orders`.
pub async fn place(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let result = async {
        gateway.admit(request.headers())?;
        let limits = Limits { sent_bytes_max: BODY_BYTES_MAX, decompressed_bytes_max: BODY_BYTES_MAX };
        let sent = body::read(request, limits).await?;
        let first = gateway.instance_for(&sent);
        gateway.pass_on(&gateway.place, http::Method::POST, "/orders", first, Some(sent)).await
    }
    .await;
    if let Ok(answer) = &result
        && let Some(id) = order_id(&answer.body)
    {
        gateway.places.lock().insert(id, answer.instance);
    }
    gateway.finish("POST /orders", result)
}

/// `GET /orders/{id}`.
pub async fn read(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let result = gateway.at_holder(&gateway.read, http::Method::GET, &id, &headers).await;
    gateway.finish("GET /orders/{id}", result)
}

/// `DELETE /orders/{id}`.
pub async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let result = gateway.at_holder(&gateway.cancel, http::Method::DELETE, &id, &headers).await;
    gateway.finish("DELETE /orders/{id}", result)
}

impl Gateway {
    /// The consumer's token and its rate.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let consumer = self.tokens.consumer(authorization).map_err(|error: AuthError| {
            Problem::new(ErrorKind::Unauthenticated, error.to_string())
                .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"shop\""))
        })?;
        tracepact_kit::spans::set_attribute("shop.consumer", consumer.clone());
        self.rate.take(&consumer).map_err(|wait| {
            Problem::new(ErrorKind::Exhausted, format!("{consumer} calls too often"))
                .with_status(StatusCode::TOO_MANY_REQUESTS)
                .with_retry_after(wait)
        })
    }

    /// The instance whose turn it is; for an order that the customer numbered always the same one, so that sending it
    /// again finds it.
    fn instance_for(&self, sent: &[u8]) -> usize {
        let Some(id) = order_id(sent) else { return self.orders.turn() };
        let known = self.places.lock().get(&id).copied();
        known.unwrap_or_else(|| {
            let sum = id.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            sum % self.orders.instances().max(1)
        })
    }

    /// Asks the instance that holds the order: the one that took it, and when that is forgotten one after the other.
    async fn at_holder(
        &self,
        lane: &Lane,
        method: http::Method,
        id: &str,
        headers: &HeaderMap,
    ) -> Result<Answer, Problem> {
        self.admit(headers)?;
        if !is_id(id) {
            return Err(Problem::invalid("that is not an order's id"));
        }
        let path = format!("/orders/{id}");
        let known = self.places.lock().get(id).copied();
        let first = known.unwrap_or_else(|| self.orders.turn());
        let mut answer = self.pass_on(lane, method.clone(), &path, first, None).await?;
        for further in 1..self.orders.instances() {
            if answer.status != StatusCode::NOT_FOUND
                || error_of(&answer.body).as_deref() != Some("order_not_found")
            {
                break;
            }
            answer = self.pass_on(lane, method.clone(), &path, first + further, None).await?;
        }
        if answer.status.is_success() {
            self.places.lock().insert(id.to_owned(), answer.instance);
        }
        Ok(answer)
    }

    async fn pass_on(
        &self,
        lane: &Lane,
        method: http::Method,
        path: &str,
        first: usize,
        sent: Option<Bytes>,
    ) -> Result<Answer, Problem> {
        let admitted = lane.breaker.try_call().map_err(rejected)?;
        let Ok(_place) = lane.bulkhead.enter().await else {
            drop(admitted);
            lane.breaker.record_rejected();
            return Err(rejected(Rejection::Full { bulkhead: lane.bulkhead.name().to_owned() }));
        };
        let answered = self
            .orders
            .send_from(first, |client, base| {
                let request = client.request(method.clone(), format!("{base}{path}"));
                match &sent {
                    Some(sent) => request.header(header::CONTENT_TYPE, "application/json").body(sent.clone()),
                    None => request,
                }
            })
            .await;
        let (result, outcome) = match answered {
            Ok(answered) => read_whole(answered.response, answered.instance).await,
            Err(error @ UpstreamError::Timeout { .. }) => {
                (Err(Problem::new(ErrorKind::Deadline, error.to_string())), Outcome::Timeout)
            }
            Err(error) => (Err(Problem::new(ErrorKind::Unavailable, error.to_string())), Outcome::Failure),
        };
        admitted.finish(outcome);
        result
    }

    fn finish(&self, route: &str, result: Result<Answer, Problem>) -> Response {
        let response = match result {
            Ok(answer) => {
                let mut response = Response::new(Body::from(answer.body));
                *response.status_mut() = answer.status;
                for name in [header::CONTENT_TYPE, header::LOCATION, header::RETRY_AFTER] {
                    if let Some(value) = answer.headers.get(&name) {
                        response.headers_mut().insert(name, value.clone());
                    }
                }
                response
            }
            Err(problem) => problem.into_response(),
        };
        self.answers.with_label_values(&[route, response.status().as_str()]).inc();
        response
    }
}

async fn read_whole(response: reqwest::Response, instance: usize) -> (Result<Answer, Problem>, Outcome) {
    let (status, headers) = (response.status(), response.headers().clone());
    if response.content_length().is_some_and(|length| length > ANSWER_BYTES_MAX) {
        let problem = Problem::new(ErrorKind::Unavailable, "the answer of orders is too long");
        return (Err(problem.with_status(StatusCode::BAD_GATEWAY)), Outcome::Failure);
    }
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => {
            let problem =
                Problem::new(ErrorKind::Unavailable, format!("the answer of orders broke off: {error}"));
            return (Err(problem.with_status(StatusCode::BAD_GATEWAY)), Outcome::Failure);
        }
    };
    let outcome = judge(status, &body);
    (Ok(Answer { status, headers, body, instance }), outcome)
}

/// What an answer says about orders. One that names a failed dependency says that orders itself works: opening the
/// circuit here would only keep callers from the fallback behind it.
fn judge(status: StatusCode, body: &[u8]) -> Outcome {
    if status.is_success() {
        Outcome::Success
    } else if status.is_client_error() || error_of(body).as_deref() == Some("dependency_failed") {
        Outcome::BadRequest
    } else {
        Outcome::Failure
    }
}

fn member(body: &[u8], name: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    value.get(name)?.as_str().map(str::to_owned)
}

fn error_of(body: &[u8]) -> Option<String> {
    member(body, "error")
}

fn order_id(body: &[u8]) -> Option<String> {
    member(body, "order_id").filter(|id| is_id(id))
}

fn rejected(rejection: Rejection) -> Problem {
    let detail = rejection.to_string();
    match rejection {
        Rejection::Open { retry_after, .. } => {
            Problem::new(ErrorKind::Unavailable, detail).with_retry_after(retry_after)
        }
        _ => Problem::new(ErrorKind::Exhausted, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_dependency_behind_orders_is_not_a_failure_of_orders() {
        let own = br#"{"error":"dependency_failed","dependency":"products"}"#;
        assert_eq!(judge(StatusCode::BAD_GATEWAY, own), Outcome::BadRequest);
        assert_eq!(judge(StatusCode::BAD_GATEWAY, b"<html>"), Outcome::Failure);
        assert_eq!(judge(StatusCode::INTERNAL_SERVER_ERROR, b"{}"), Outcome::Failure);
        assert_eq!(judge(StatusCode::PAYMENT_REQUIRED, b"{}"), Outcome::BadRequest);
        assert_eq!(judge(StatusCode::CREATED, b"{}"), Outcome::Success);
    }
}
