//! SERVER spans for a tower service, in particular an axum router.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use axum::extract::MatchedPath;
use http::{Request, Response};
use opentelemetry::trace::{FutureExt as _, SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use tower::{Layer, Service};

use super::known_method;
use super::traceresponse::{TRACERESPONSE, traceresponse};
use crate::propagation::http::HttpHeaders;
use crate::spans::{Tracing, end, fail};

/// A layer that continues (or begins) the trace of each request, with the tracing that is current when the layer
/// is made. Put it on the router with `Router::layer`, so that the matched route is known.
pub fn server_layer() -> ServerLayer {
    ServerLayer::new(Tracing::current())
}

/// Adds a SERVER span around each request.
#[derive(Debug, Clone)]
pub struct ServerLayer {
    tracing: Tracing,
    traceresponse: bool,
}

impl ServerLayer {
    /// Spans of `tracing`.
    pub fn new(tracing: Tracing) -> Self {
        Self { tracing, traceresponse: false }
    }

    /// Also answers with a `traceresponse` header, so that the caller can name the trace.
    #[must_use]
    pub fn with_traceresponse(mut self) -> Self {
        self.traceresponse = true;
        self
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerService { inner, layer: self.clone() }
    }
}

/// What [`ServerLayer`] makes.
#[derive(Debug, Clone)]
pub struct ServerService<S> {
    inner: S,
    layer: ServerLayer,
}

impl<S, B, R> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: std::fmt::Display,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let tracing = &self.layer.tracing;
        let admitted = tracing.admit(&HttpHeaders(request.headers()));
        let (name, attributes) = describe(&request);
        let cx = tracing.start(&admitted.parent, SpanKind::Server, name, attributes, admitted.links);
        let with_traceresponse = self.layer.traceresponse;
        let inner = {
            let _active = cx.clone().attach();
            self.inner.call(request)
        };
        let guard = Unfinished(Some(cx.clone()));
        Box::pin(async move {
            let mut guard = guard;
            let mut result = inner.with_context(cx.clone()).await;
            guard.0 = None;
            match &mut result {
                Ok(response) => {
                    let status = response.status();
                    cx.span().set_attribute(KeyValue::new(
                        "http.response.status_code",
                        i64::from(status.as_u16()),
                    ));
                    if status.is_server_error() {
                        fail(&cx, status.as_str(), "");
                    }
                    if with_traceresponse && let Some(value) = traceresponse(&cx) {
                        response.headers_mut().insert(TRACERESPONSE, value);
                    }
                }
                Err(error) => fail(&cx, "service_error", error.to_string()),
            }
            end(&cx);
            result
        })
    }
}

/// Says so on the span when the caller went away before the answer.
struct Unfinished(Option<Context>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(cx) = self.0.take() {
            fail(&cx, "cancelled", "the caller went away before the answer");
            end(&cx);
        }
    }
}

fn describe<B>(request: &Request<B>) -> (String, Vec<KeyValue>) {
    let method = known_method(request.method());
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.path", request.uri().path().to_owned()),
        KeyValue::new("url.scheme", request.uri().scheme_str().unwrap_or("http").to_owned()),
    ];
    if method == "_OTHER" {
        attributes.push(KeyValue::new("http.request.method_original", request.method().to_string()));
    }
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok()));
    if let Some(authority) = authority.and_then(|text| text.parse::<http::uri::Authority>().ok()) {
        attributes.push(KeyValue::new("server.address", authority.host().to_owned()));
        if let Some(port) = authority.port_u16() {
            attributes.push(KeyValue::new("server.port", i64::from(port)));
        }
    }
    let word = if method == "_OTHER" { "HTTP" } else { method };
    match request.extensions().get::<MatchedPath>() {
        Some(route) => {
            attributes.push(KeyValue::new("http.route", route.as_str().to_owned()));
            (format!("{word} {}", route.as_str()), attributes)
        }
        None => (word.to_owned(), attributes),
    }
}
