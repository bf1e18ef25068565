//! Request faults in front of a service's own routes.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::Faults;

/// Paths that stay as they are, so that a service can be watched and its faults switched off.
const SPARED: [&str; 4] = ["/faults", "/health", "/metrics", "/hystrix.stream"];

/// Makes a request wait, fail or take the process down, as the switches say.
pub async fn strike(State(faults): State<Arc<Faults>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if SPARED.contains(&path) {
        return next.run(request).await;
    }
    let strike = faults.on_request(request.method().as_str(), path);
    if strike.crash {
        crash(path);
    }
    if let Some(wait) = strike.wait {
        tokio::time::sleep(wait).await;
    }
    match strike.status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => (status, "injected by a fault switch").into_response(),
        None => next.run(request).await,
    }
}

/// Ends the process as a crash would: nothing is flushed, committed or answered.
pub fn crash(at: &str) -> ! {
    tracing::error!(at, "a fault switch ends this process");
    std::process::abort()
}
