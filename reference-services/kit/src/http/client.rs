//! CLIENT spans around reqwest.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use opentelemetry::trace::{FutureExt as _, SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use reqwest::{IntoUrl, Request, Response};
use serde::Serialize;
use tower::Service;

use super::known_method;
use crate::propagation::http::inject_http;
use crate::spans::{Tracing, end, fail};

/// A `reqwest::Client` that continues the trace of the current task. Cheap to clone.
///
/// The span ends when the response's head is there; reading the body is not part of it.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    tracing: Tracing,
    peer: Option<String>,
}

impl Client {
    /// Sends through `inner`, with the tracing that is current now.
    pub fn new(inner: reqwest::Client) -> Self {
        Self::with_tracing(inner, Tracing::current())
    }

    /// Sends through `inner` with spans of `tracing`.
    pub fn with_tracing(inner: reqwest::Client, tracing: Tracing) -> Self {
        Self { inner, tracing, peer: None }
    }

    /// A client whose spans name `service` as the one that is called (`peer.service`).
    #[must_use]
    pub fn for_service(&self, service: impl Into<String>) -> Self {
        Self { peer: Some(service.into()), ..self.clone() }
    }

    /// Begins a request.
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        RequestBuilder { client: self.clone(), inner: self.inner.request(method, url) }
    }

    /// Begins a GET.
    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Begins a POST.
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Begins a PUT.
    pub fn put(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// Begins a DELETE.
    pub fn delete(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }

    /// Sends a request within a CLIENT span below the current one. An answer of 400 or more marks the span as
    /// failed, and is an answer all the same.
    ///
    /// # Errors
    /// When no answer came; see `reqwest::Error`.
    pub async fn execute(&self, mut request: Request) -> Result<Response, reqwest::Error> {
        let method = known_method(request.method());
        let url = request.url();
        let mut shown = url.clone();
        // Credentials and queries may be secrets.
        let _no_password_possible = shown.set_password(None);
        let _no_user_possible = shown.set_username("");
        shown.set_query(None);
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.path", url.path().to_owned()),
            KeyValue::new("url.full", shown.to_string()),
        ];
        if let Some(host) = url.host_str() {
            attributes.push(KeyValue::new("server.address", host.to_owned()));
        }
        if let Some(port) = url.port_or_known_default() {
            attributes.push(KeyValue::new("server.port", i64::from(port)));
        }
        if let Some(peer) = &self.peer {
            attributes.push(KeyValue::new("peer.service", peer.clone()));
        }
        let name = if method == "_OTHER" { "HTTP" } else { method };
        let cx = self.tracing.start(&Context::current(), SpanKind::Client, name, attributes, Vec::new());
        inject_http(&cx, &self.tracing.rules().http, request.headers_mut());
        let mut guard = Cancelled(Some(cx.clone()));
        let result = self.inner.execute(request).with_context(cx.clone()).await;
        guard.0 = None;
        match &result {
            Ok(response) => {
                let status = response.status();
                cx.span()
                    .set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
                if status.as_u16() >= 400 {
                    fail(&cx, status.as_str(), "");
                }
            }
            Err(error) => {
                let kind = if error.is_timeout() {
                    "timeout"
                } else if error.is_connect() {
                    "connect"
                } else {
                    "request"
                };
                fail(&cx, kind, describe(error));
            }
        }
        end(&cx);
        result
    }
}

/// The innermost cause says what happened; reqwest's own text is the address, which the span has already.
fn describe(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Ends the span of a request whose future is dropped, for example by a timeout around it.
struct Cancelled(Option<Context>);

impl Drop for Cancelled {
    fn drop(&mut self) {
        if let Some(cx) = self.0.take() {
            fail(&cx, "cancelled", "the caller stopped waiting for the answer");
            end(&cx);
        }
    }
}

impl Service<Request> for Client {
    type Response = Response;
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, reqwest::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut TaskContext<'_>) -> Poll<Result<(), reqwest::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let client = self.clone();
        Box::pin(async move { client.execute(request).await })
    }
}

/// A request being built; the parts of `reqwest::RequestBuilder` that services need.
#[derive(Debug)]
#[must_use]
pub struct RequestBuilder {
    client: Client,
    inner: reqwest::RequestBuilder,
}

impl RequestBuilder {
    fn map(self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        Self { client: self.client, inner: change(self.inner) }
    }

    /// Names the called service on the span (`peer.service`).
    pub fn peer_service(mut self, service: impl Into<String>) -> Self {
        self.client.peer = Some(service.into());
        self
    }

    /// Adds a header; one that is malformed fails at [`RequestBuilder::send`].
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K>,
        <HeaderName as TryFrom<K>>::Error: Into<http::Error>,
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.map(|inner| inner.header(name, value))
    }

    /// `Authorization: Bearer …`.
    pub fn bearer_auth(self, token: impl std::fmt::Display) -> Self {
        self.map(|inner| inner.bearer_auth(token))
    }

    /// A JSON body.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        self.map(|inner| inner.json(body))
    }

    /// Query parameters.
    pub fn query(self, query: &(impl Serialize + ?Sized)) -> Self {
        self.map(|inner| inner.query(query))
    }

    /// A body.
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.map(|inner| inner.body(body))
    }

    /// The longest time until the whole answer is read.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.map(|inner| inner.timeout(timeout))
    }

    /// Sends the request; see [`Client::execute`].
    ///
    /// # Errors
    /// When the request is malformed or no answer came.
    pub async fn send(self) -> Result<Response, reqwest::Error> {
        let request = self.inner.build()?;
        self.client.execute(request).await
    }
}
