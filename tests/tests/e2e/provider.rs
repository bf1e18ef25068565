//! The smallest provider there is: one item under one name.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

/// `catalog`, serving `GET /item/1` with this name; it ends when this is dropped.
pub(crate) struct Catalog {
    /// Its port on loopback.
    pub(crate) port: u16,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Catalog {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Catalog {
    pub(crate) async fn start(name: &'static str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = Router::new()
            .route("/item/1", get(move || async move { Json(json!({ "id": 1, "name": name })) }));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { port, serving }
    }
}
