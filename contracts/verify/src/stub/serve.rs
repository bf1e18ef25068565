//! The stub's HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use pact_models::bodies::OptionalBody;
use pact_models::content_types::ContentType;
use pact_models::query_strings::parse_query_string;
use pact_models::v4::http_parts::HttpRequest;
use parking_lot::Mutex;
use serde_json::json;
use tokio::net::TcpListener;

use super::contracts::{ContractState, Contracts};
use super::faults::{Fault, Faults};
use super::matching::{Answered, answer};
use super::{PROVIDER_STATE_HEADER, STATE_HEADER, messages};
use crate::Error;

/// Largest request body.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// How long a request that hangs is held.
const HANG: Duration = Duration::from_secs(60);
/// Where messages are published on demand.
const MESSAGES_PATH: &str = "/_tracepact/messages";

/// How a stub behaves.
#[derive(Debug)]
pub struct StubOptions {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Latency and faults.
    pub faults: Faults,
    /// Kafka that messages are published to on demand.
    pub kafka: Option<String>,
}

/// A running stub.
#[derive(Debug)]
pub struct Stub {
    listener: TcpListener,
    state: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    contracts: Contracts,
    faults: Mutex<Faults>,
    kafka: Option<String>,
}

impl Stub {
    /// Opens the port. Requests are answered once [`Stub::run`] is called.
    ///
    /// # Errors
    /// When there is nothing to answer from, or the port is taken.
    pub async fn open(contracts: Contracts, options: StubOptions) -> Result<Self, Error> {
        if contracts.list.is_empty() {
            return Err(Error::Usage("name a contract file or a proposal to stub".into()));
        }
        let taken = |e: std::io::Error| Error::Usage(format!("{} cannot be opened: {e}", options.listen));
        let listener = TcpListener::bind(options.listen).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let state = Shared { contracts, faults: Mutex::new(options.faults), kafka: options.kafka };
        Ok(Self { listener, state: Arc::new(state), address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The line to print at the start: the address, and how far each contract is.
    pub fn start_line(&self) -> String {
        format!("stub on http://{} answers from {}", self.address, self.state.contracts.describe())
    }

    /// The contracts behind it.
    pub fn contracts(&self) -> &Contracts {
        &self.state.contracts
    }

    /// Answers until `stop` ends.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let app = Router::new().fallback(handle).with_state(self.state);
        axum::serve(self.listener, app)
            .with_graceful_shutdown(stop)
            .await
            .map_err(|e| Error::Usage(format!("the stub ended: {e}")))
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let weakest = shared.contracts.weakest();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        let reason = format!("the body is longer than {BODY_BYTES_MAX} bytes or broke off");
        return problem(StatusCode::PAYLOAD_TOO_LARGE, &reason, weakest, None);
    };
    let decided = shared.faults.lock().decide(&parts.headers);
    let (latency, fault) = match decided {
        Ok(decided) => decided,
        Err(reason) => return problem(StatusCode::BAD_REQUEST, &reason, weakest, None),
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if let Some(fault) = fault {
        return broken(fault, weakest).await;
    }
    if parts.uri.path() == MESSAGES_PATH && parts.method == axum::http::Method::POST {
        return publish(&shared, &body).await;
    }
    let states: Vec<String> = parts
        .headers
        .get_all(PROVIDER_STATE_HEADER)
        .iter()
        .filter_map(|v| std::str::from_utf8(v.as_bytes()).ok())
        .map(|v| v.trim().to_owned())
        .collect();
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    let wanted = HttpRequest {
        method: method.clone(),
        path: path.clone(),
        query: parts.uri.query().and_then(parse_query_string),
        headers: Some(headers(&parts.headers)),
        body: body_of(&parts.headers, body),
        ..HttpRequest::default()
    };
    // In a task of its own: a panic in the matching of a strange contract ends this request only.
    let task = tokio::spawn({
        let shared = shared.clone();
        async move { answer(&shared.contracts, &wanted, &states).await }
    });
    match task.await {
        Ok(Ok(answered)) => show(answered),
        Ok(Err(closest)) => {
            let reason = format!("no interaction of the contracts is {method} {path} as it was sent");
            let closest = closest.map(|c| {
                json!({ "consumer": c.consumer, "interaction": c.interaction, "mismatches": c.mismatches })
            });
            problem(StatusCode::NOT_FOUND, &reason, weakest, closest)
        }
        Err(_) => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, "a contract could not be matched", weakest, None)
        }
    }
}

fn show(answered: Answered) -> Response<Body> {
    let response = answered.response;
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::OK);
    let mut out = Response::new(Body::empty());
    *out.status_mut() = status;
    for (name, values) in response.headers.unwrap_or_default() {
        // The length and the connection are the server's own business.
        let is_own = ["content-length", "transfer-encoding", "connection"]
            .iter()
            .any(|n| name.eq_ignore_ascii_case(n));
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        for value in values {
            if let (false, Ok(value)) = (is_own, HeaderValue::from_bytes(value.as_bytes())) {
                out.headers_mut().append(name.clone(), value);
            }
        }
    }
    if let OptionalBody::Present(bytes, content_type, _) = response.body {
        if let (false, Some(kind)) = (out.headers().contains_key(header::CONTENT_TYPE), content_type)
            && let Ok(value) = HeaderValue::from_str(&kind.to_string())
        {
            out.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        *out.body_mut() = Body::from(bytes);
    }
    with_state(out, answered.state)
}

fn with_state(mut response: Response<Body>, state: ContractState) -> Response<Body> {
    response.headers_mut().insert(STATE_HEADER, HeaderValue::from_static(state.name()));
    response
}

fn problem(
    status: StatusCode,
    detail: &str,
    state: ContractState,
    closest: Option<serde_json::Value>,
) -> Response<Body> {
    let body = json!({
        "title": "the stub has no answer", "status": status.as_u16(), "detail": detail, "closest": closest,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    with_state(response, state)
}

async fn broken(fault: Fault, state: ContractState) -> Response<Body> {
    match fault {
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            problem(status, "a fault, as it was ordered", state, None)
        }
        Fault::Hang => {
            tokio::time::sleep(HANG).await;
            problem(StatusCode::GATEWAY_TIMEOUT, "a fault, as it was ordered", state, None)
        }
        Fault::Reset => {
            // A body that breaks off: the server can only end the connection.
            let piece = Ok(Bytes::from_static(b"{"));
            let end =
                Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "a fault, as it was ordered"));
            let body = Body::from_stream(futures::stream::iter([piece, end]));
            with_state(Response::new(body), state)
        }
    }
}

async fn publish(shared: &Shared, body: &[u8]) -> Response<Body> {
    let weakest = shared.contracts.weakest();
    let refuse = |status, reason: &str| problem(status, reason, weakest, None);
    let Some(kafka) = &shared.kafka else {
        return refuse(StatusCode::CONFLICT, "the stub was started without --kafka");
    };
    let Ok(wanted) = serde_json::from_slice::<serde_json::Value>(body) else {
        return refuse(StatusCode::BAD_REQUEST, r#"send {"description": "…"} as JSON"#);
    };
    let description = wanted.get("description").and_then(serde_json::Value::as_str);
    match messages::publish(&shared.contracts, kafka, description).await {
        Ok(published) => {
            let list: Vec<_> = published.iter().map(messages::Published::json).collect();
            with_state(Response::new(Body::from(json!({ "published": list }).to_string())), weakest)
        }
        Err(error) => refuse(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

fn headers(map: &HeaderMap) -> std::collections::HashMap<String, Vec<String>> {
    let mut out = std::collections::HashMap::<String, Vec<String>>::new();
    for (name, value) in map {
        out.entry(name.as_str().to_owned())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    out
}

fn body_of(headers: &HeaderMap, body: Bytes) -> OptionalBody {
    if body.is_empty() {
        return OptionalBody::Missing;
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| ContentType::parse(v).ok());
    OptionalBody::Present(body, kind, None)
}
