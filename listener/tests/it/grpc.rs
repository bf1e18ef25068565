//! gRPC beside HTTP on one port: refusals are gRPC statuses.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;

use crate::server::{Server, WRITER, beyond_loopback, loopback};

/// Stands for a generated tonic service: answers OK without a message.
#[derive(Clone)]
pub(crate) struct Echo;

impl tonic::server::NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl tower::Service<Request> for Echo {
    type Response = Response;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        std::future::ready(Ok(tonic::Status::ok("").into_http()))
    }
}

async fn call(server: &Server, path: &str, token: Option<&str>, host: &str) -> (u16, String) {
    let client =
        reqwest::Client::builder().http2_prior_knowledge().resolve(host, server.addr).build().unwrap();
    let mut request = client
        .post(format!("http://{host}:{}{path}", server.addr.port()))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.body(vec![0_u8; 5]).send().await.unwrap();
    let status = response.headers().get("grpc-status").map_or("none", |v| v.to_str().unwrap()).to_owned();
    (response.status().as_u16(), status)
}

#[tokio::test]
async fn services_answer_beside_http_and_under_any_name() {
    let server = Server::start(loopback()).await;
    assert_eq!(call(&server, "/test.Echo/Say", None, "localhost").await, (200, "0".to_owned()));
    // A service in a container network is called by whatever name it has there; browsers cannot speak this.
    assert_eq!(call(&server, "/test.Echo/Say", None, "collector.test").await, (200, "0".to_owned()));
    assert_eq!(server.send("GET /health HTTP/1.1", b"").await.status, 200);
}

#[tokio::test]
async fn refusals_are_statuses() {
    let server = Server::start(beyond_loopback()).await;
    assert_eq!(call(&server, "/test.Echo/Say", None, "localhost").await, (200, "16".to_owned()));
    assert_eq!(call(&server, "/test.Echo/Say", Some(WRITER), "localhost").await, (200, "0".to_owned()));
    assert_eq!(call(&server, "/no.Service/Say", None, "localhost").await, (200, "12".to_owned()));
}

#[tokio::test]
async fn another_media_type_is_refused_in_the_terms_of_http() {
    let server = Server::start(loopback()).await;
    let other = server.send("POST /test.Echo/Say HTTP/1.1\nContent-Type: application/json", b"{}").await;
    assert_eq!(other.status, 415);
    assert_eq!(other.problem(), "TP-INVALID");
    assert!(other.body.contains("application/grpc"), "{other:?}");
}

#[tokio::test]
async fn a_page_cannot_reach_a_service() {
    let server = Server::start(loopback()).await;
    let simple = "POST /test.Echo/Say HTTP/1.1\nContent-Type: text/plain";
    assert_ne!(server.send(simple, b"x").await.header("grpc-status"), Some("0"));
    let rebound = "POST /test.Echo/Say HTTP/1.1\nContent-Type: application/grpc\nHost: rebound.example";
    assert_eq!(server.send(rebound, b"x").await.header("grpc-status"), Some("7"));
    let foreign =
        "POST /test.Echo/Say HTTP/1.1\nContent-Type: application/grpc\nOrigin: https://evil.example";
    assert_eq!(server.send(foreign, b"x").await.header("grpc-status"), Some("7"));
}
