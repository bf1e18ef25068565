//! Brokers on free ports, until the test ends.

use std::sync::Arc;

use serde_json::{Value, json};
use tracepact_base::{Secret, SharedClock, SystemClock};
use tracepact_broker::{Broker, BrokerConfig, native_routes, pact_routes, with_pact_conventions};
use tracepact_listener::{Access, Scope, Scopes};
use tracepact_verify::{Peer, PeerCredentials};

const ADMIN: &str = "the-admin-token";

pub(crate) struct Server {
    pub(crate) peer: Peer,
    _dir: Option<tempfile::TempDir>,
}

/// Serves a router on a free port of this machine; its address.
pub(crate) async fn listen(router: impl FnOnce(&str) -> axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = router(&url);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

pub(crate) async fn broker() -> Server {
    broker_at(SystemClock::shared()).await
}

pub(crate) async fn broker_at(clock: SharedClock) -> Server {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let config = BrokerConfig::new(dir.path().join("contracts.db"));
    let broker = Broker::open(config, clock).await.unwrap();
    serve(broker, Some(dir)).await
}

pub(crate) async fn serve(broker: Broker, dir: Option<tempfile::TempDir>) -> Server {
    let routes = pact_routes(broker.clone()).merge(native_routes(broker.clone())).unwrap();
    let access = Access::for_listen([127, 0, 0, 1].into())
        .with_token(Secret::new(ADMIN), Scopes::NONE.with(Scope::Admin));
    let router = with_pact_conventions(routes.into_router(Arc::new(access)), &broker);
    let url = listen(|_| router).await;
    let peer = Peer::new(&url, PeerCredentials::Token(Secret::new(ADMIN))).unwrap();
    Server { peer, _dir: dir }
}

impl Server {
    pub(crate) async fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.peer.get(path, path).await.unwrap()).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.peer.post(path, &body, path).await.unwrap()
    }

    /// A link of this server as a path.
    pub(crate) fn path<'l>(&self, link: &'l Value) -> &'l str {
        link["href"].as_str().unwrap().strip_prefix(self.peer.url()).unwrap()
    }

    /// Publishes a pact whose answer has `body`.
    pub(crate) async fn publish(&self, consumer: &str, version: &str, branch: &str, body: &str) {
        use base64::Engine;
        let content = format!(
            r#"{{"consumer":{{"name":"{consumer}"}},"provider":{{"name":"products"}},"interactions":[{{"description":"an item","request":{{"method":"GET","path":"/item"}},"response":{{"status":200,"body":{body}}}}}],"metadata":{{"pactSpecification":{{"version":"2.0.0"}}}}}}"#
        );
        let publication = json!({
            "pacticipantName": consumer, "pacticipantVersionNumber": version, "branch": branch, "tags": ["dev"],
            "contracts": [{
                "consumerName": consumer, "providerName": "products", "specification": "pact",
                "contentType": "application/json",
                "content": base64::engine::general_purpose::STANDARD.encode(content),
            }],
        });
        self.post("/contracts/publish", publication).await;
    }

    /// A result of `products` for what a consumer's latest version has.
    pub(crate) async fn verify(&self, consumer: &str, version: &str, success: bool) {
        let pact = self.get(&format!("/pacts/provider/products/consumer/{consumer}/latest")).await;
        let id = &pact["interactions"][0]["_id"];
        let body = json!({
            "success": success, "providerApplicationVersion": version,
            "testResults": [{ "interactionId": id, "success": success }],
        });
        let path = self.path(&pact["_links"]["pb:publish-verification-results"]).to_owned();
        self.post(&path, body).await;
    }
}
