//! `/health`, `/metrics`, `/hystrix.stream` and the fault switches.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracepact_kit::registry::Registry;
use tracepact_listener::extract::Json;
use tracepact_listener::{Overlap, Routes, Scope};

use super::Runtime;
use crate::faults;

struct Ops {
    service: &'static str,
    instance: String,
    version: String,
    prometheus: prometheus::Registry,
    registry: Registry,
    group: Option<Arc<std::sync::atomic::AtomicU64>>,
    hystrix: axum::Router,
    drain: CancellationToken,
}

/// The routes that every service has.
pub(super) fn routes(runtime: &Runtime) -> Result<Routes, Overlap> {
    let settings = runtime.telemetry.settings();
    let registry = runtime.telemetry.registry();
    let ops = Arc::new(Ops {
        service: runtime.service,
        instance: settings.instance.clone(),
        version: settings.version.clone(),
        prometheus: runtime.telemetry.prometheus().clone(),
        registry: registry.clone(),
        group: runtime.consumers.is_any().then(|| registry.rebalances(runtime.service)),
        hystrix: tracepact_kit::hystrix::routes(registry),
        drain: runtime.drain.clone(),
    });
    let routes = Routes::new("ops")
        .get("/health", Scope::Public, health)
        .get("/metrics", Scope::Public, metrics)
        .get("/hystrix.stream", Scope::Public, hystrix)
        .with_state(ops);
    match &runtime.faults {
        Some(faults) => routes.merge(faults::api::routes(faults.clone())),
        None => Ok(routes),
    }
}

/// `UP`, or `DOWN` while draining. A consuming service says whether it has joined its group.
async fn health(State(ops): State<Arc<Ops>>) -> (StatusCode, Json<serde_json::Value>) {
    let down = ops.drain.is_cancelled();
    let mut body = serde_json::json!({
        "status": if down { "DOWN" } else { "UP" },
        "service": ops.service,
        "instance": ops.instance,
        "version": ops.version,
    });
    if let Some(rebalances) = &ops.group {
        let rebalances = rebalances.load(Ordering::Relaxed);
        body["consumer"] = serde_json::json!({"joined": rebalances > 0, "rebalances": rebalances});
    }
    (if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, Json(body))
}

async fn metrics(State(ops): State<Arc<Ops>>) -> Response {
    let mut text =
        prometheus::TextEncoder::new().encode_to_string(&ops.prometheus.gather()).unwrap_or_default();
    text.push_str(&resilience(&ops.registry));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn hystrix(State(ops): State<Arc<Ops>>, request: Request) -> Response {
    match ops.hystrix.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Breakers and permits in a few lines, for whoever looks with curl; the full figures leave as OTLP metrics.
fn resilience(registry: &Registry) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    text.push_str("# HELP shop_breaker_open Whether the circuit is open.\n# TYPE shop_breaker_open gauge\n");
    for breaker in registry.breakers() {
        let open = u8::from(breaker.state() != tracepact_kit::breaker::State::Closed);
        let _ = writeln!(text, "shop_breaker_open{{breaker=\"{}\"}} {open}", breaker.name());
    }
    text.push_str("# HELP shop_bulkhead_in_use Places taken.\n# TYPE shop_bulkhead_in_use gauge\n");
    for bulkhead in registry.bulkheads() {
        let _ =
            writeln!(text, "shop_bulkhead_in_use{{bulkhead=\"{}\"}} {}", bulkhead.name(), bulkhead.in_use());
    }
    text
}
