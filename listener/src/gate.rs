//! What stands around every handler: access, CORS, body timeouts, security headers, metrics, problems for the rest.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use tracepact_base::ErrorKind;

use crate::metrics::RequestMetrics;
use crate::timed_body::TimedBody;
use crate::{Access, Problem, RouteSpec};

/// Headers a web page may send to the routes that any page may call: media type, a token, and what reporters add.
const CORS_REQUEST_HEADERS: &str = "content-type, content-encoding, authorization, b3, x-b3-traceid, x-b3-spanid, x-b3-sampled, traceparent, tracestate";

/// The longest pause between two pieces of a request body.
const BODY_IDLE_MAX: Duration = Duration::from_secs(10);
/// The longest time a whole request body may take.
const BODY_TOTAL_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Gate {
    spec: RouteSpec,
    access: Arc<Access>,
    metrics: Option<Arc<RequestMetrics>>,
}

impl Gate {
    pub(crate) fn new(spec: RouteSpec, access: Arc<Access>, metrics: Option<Arc<RequestMetrics>>) -> Self {
        Self { spec, access, metrics }
    }
}

/// Runs before and after the handler of one route.
pub(crate) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let method = request.method().clone();
    // Who speaks something else to a gRPC route is told in HTTP's terms.
    let grpc = gate.spec.grpc && speaks_grpc(request.headers());
    let (parts, body) = request.into_parts();
    let cors = gate.spec.cors_any && gate.access.cors().allow(&parts.headers);
    let origin = parts.headers.get(header::ORIGIN).filter(|_| cors).cloned();
    let mut response = match gate.access.authorize(&gate.spec, &parts).await {
        Ok(caller) => {
            let body = if gate.spec.grpc {
                body
            } else {
                axum::body::Body::new(TimedBody::new(body, BODY_IDLE_MAX, BODY_TOTAL_MAX))
            };
            let mut request = Request::from_parts(parts, body);
            request.extensions_mut().insert(caller.credential);
            caller.scope(next.run(request)).await
        }
        Err(problem) if grpc => problem.into_grpc_response(),
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    if cors {
        gate.access.cors().grant(origin.as_ref(), headers);
    } else {
        headers.entry("cross-origin-resource-policy").or_insert(HeaderValue::from_static("same-origin"));
    }
    if let Some(metrics) = &gate.metrics {
        metrics.observe(gate.spec.metric_route(), &method, response.status(), started.elapsed());
    }
    response
}

fn speaks_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Adds what a path answers besides its own methods: preflights where any page may call, 405 with Allow elsewhere.
pub(crate) fn complete(
    router: MethodRouter,
    specs: Vec<RouteSpec>,
    access: Arc<Access>,
    metrics: Option<Arc<RequestMetrics>>,
) -> MethodRouter {
    let mut methods: Vec<String> = Vec::new();
    for spec in &specs {
        methods.push(spec.method.to_string());
        if spec.method == Method::GET {
            methods.push("HEAD".to_owned());
        }
    }
    let cors: Vec<Method> = specs.iter().filter(|s| s.cors_any).map(|s| s.method.clone()).collect();
    if !cors.is_empty() {
        methods.push("OPTIONS".to_owned());
    }
    let allow = methods.join(", ");
    let template = specs.first().map(|s| s.metric_route().to_owned()).unwrap_or_default();
    let grpc = specs.iter().any(|s| s.grpc);
    let preflight_methods = cors.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    router.fallback(move |request: Request| {
        let page = request.headers().get(header::ORIGIN);
        let asks = request.method() == Method::OPTIONS && !cors.is_empty();
        let response = if asks && access.cors().allow(request.headers()) {
            let mut response = preflight(&allow, &preflight_methods);
            access.cors().grant(page, response.headers_mut());
            response
        } else if grpc && speaks_grpc(request.headers()) {
            method_not_allowed(request.method(), &allow).into_grpc_response()
        } else {
            method_not_allowed(request.method(), &allow).into_response()
        };
        if let Some(metrics) = &metrics {
            metrics.observe(&template, request.method(), response.status(), Duration::ZERO);
        }
        std::future::ready(response)
    })
}

fn method_not_allowed(method: &Method, allow: &str) -> Problem {
    let problem = Problem::invalid(format!("{method} is not possible here; {allow} is"))
        .with_status(StatusCode::METHOD_NOT_ALLOWED);
    match HeaderValue::from_str(allow) {
        Ok(value) => problem.with_header(header::ALLOW, value),
        Err(_) => problem,
    }
}

fn preflight(allow: &str, methods: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(CORS_REQUEST_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    for (name, value) in [(header::ACCESS_CONTROL_ALLOW_METHODS, methods), (header::ALLOW, allow)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Adds what holds for every request: unknown paths, TRACE, panics, headers against content sniffing.
pub(crate) fn finish(app: axum::Router, metrics: Option<Arc<RequestMetrics>>) -> axum::Router {
    let unmatched = metrics;
    app.fallback(move |request: Request| {
        let problem =
            Problem::not_found(format!("there is no {}", request.uri().path())).with("route", "unknown");
        let response = if speaks_grpc(request.headers()) {
            problem.into_grpc_response()
        } else {
            problem.into_response()
        };
        if let Some(metrics) = &unmatched {
            metrics.observe("unmatched", request.method(), response.status(), Duration::ZERO);
        }
        std::future::ready(response)
    })
    .layer(axum::middleware::from_fn(every_request))
    .layer(CatchPanicLayer::custom(panicked))
}

async fn every_request(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::TRACE || request.method() == Method::CONNECT {
        method_not_allowed(request.method(), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS").into_response()
    } else {
        next.run(request).await
    };
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn panicked(payload: Box<dyn std::any::Any + Send>) -> Response {
    let what = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = what, "a request handler panicked; the process goes on");
    Problem::new(ErrorKind::Internal, "an unexpected error; it is in the log").into_response()
}
