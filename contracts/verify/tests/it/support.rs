//! A broker and a provider on real ports.

use std::sync::Arc;

use axum::Router;
use serde_json::Value;
use tracepact_base::{Secret, SystemClock};
use tracepact_broker::{Broker, BrokerConfig, native_routes, pact_routes};
use tracepact_contract_model::ContractFile;
use tracepact_listener::{Access, Scope, Scopes};
use tracepact_verify::BrokerClient;
use tracepact_verify::proposals::NewProposal;

pub(crate) const ADMIN: &str = "the-admin-token";

/// A broker that ends with the test.
pub(crate) struct TestBroker {
    pub(crate) client: BrokerClient,
    _dir: tempfile::TempDir,
}

impl TestBroker {
    pub(crate) async fn start() -> Self {
        crypto();
        let dir = tempfile::tempdir().unwrap();
        let broker =
            Broker::open(BrokerConfig::new(dir.path().join("c.db")), SystemClock::shared()).await.unwrap();
        let routes = pact_routes(broker.clone()).merge(native_routes(broker)).unwrap();
        let access = Access::for_listen([127, 0, 0, 1].into())
            .with_token(Secret::new(ADMIN), Scopes::NONE.with(Scope::Admin));
        let url = serve(routes.into_router(Arc::new(access))).await;
        let client = BrokerClient::new(&url, Some(Secret::new(ADMIN))).unwrap();
        Self { client, _dir: dir }
    }

    /// Registers a proposal on branch `feat`; its id.
    pub(crate) async fn propose(&self, contract: &ContractFile) -> String {
        let new = NewProposal {
            pact: &contract.pact,
            consumer_branch: "feat",
            title: None,
            team: None,
            author: None,
            pull_request_url: None,
            draft: false,
        };
        self.client.propose(&new).await.unwrap()["id"].as_str().unwrap().to_owned()
    }
}

/// Serves `router` on a free loopback port; its address.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

pub(crate) fn crypto() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A contract of `orders` with `products` that reads item 1, and what else stands at two spaces in `more`.
pub(crate) fn contract(more: &str) -> ContractFile {
    let text = format!(
        "contract: 1\nconsumer: orders\nprovider: products\ninteractions:\n  - description: an item is read\n    \
         states: [item 1 exists]\n    request: {{method: GET, path: /items/1}}\n    response:\n      status: 200\n      \
         headers: {{Content-Type: application/json}}\n      body: {{id: 1, name: tea, price: 9.50}}\n      \
         match: {{body: {{$.id: integer, $.name: type, $.price: number}}}}\n{more}"
    );
    ContractFile::from_yaml(&text).unwrap()
}

/// A provider that answers `body` for item 1.
pub(crate) fn products(body: Value) -> Router {
    Router::new().route("/items/1", axum::routing::get(move || async move { axum::Json(body) }))
}
