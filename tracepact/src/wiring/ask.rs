//! Asks a room's own routes within the process, as any client would over HTTP: what the broker answers is its published
//! API, and nothing else of it is needed here.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use tracepact_listener::{Access, Limits, Routes, body};

/// A room's routes, reachable without a socket.
#[derive(Clone)]
pub(crate) struct InProcess {
    router: axum::Router,
}

impl InProcess {
    pub(crate) fn new(routes: Routes) -> Self {
        let access = Access::for_listen(std::net::Ipv4Addr::LOCALHOST.into());
        Self { router: routes.into_router(Arc::new(access)) }
    }

    /// The answer to `GET path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let request = Request::get(path).header("host", "localhost").body(Body::empty());
        let request = request.map_err(|error| error.to_string())?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let (parts, answer) = response.into_parts();
        let bytes =
            body::read_parts(&parts.headers, answer, Limits::INGEST).await.map_err(|p| p.to_string())?;
        if !status.is_success() {
            return Err(format!("{path} answered {status}"));
        }
        serde_json::from_slice(&bytes).map_err(|error| format!("{path} answered something else: {error}"))
    }
}
