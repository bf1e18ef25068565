//! A small server with one route of each kind, and a client that speaks HTTP by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use http::StatusCode;
use prometheus::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracepact_base::Secret;
use tracepact_listener::{
    Access, HostPattern, Limits, Problem, RequestMetrics, Routes, Scope, Scopes, ServeLimits, body, serve,
};

/// A running server.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) registry: Registry,
    pub(crate) drain: CancellationToken,
    pub(crate) done: tokio::task::JoinHandle<()>,
}

pub(crate) const ADMIN: &str = "admin-token-of-the-test";
pub(crate) const WRITER: &str = "ingest-token-of-the-test";

const SMALL: Limits = Limits { sent_bytes_max: 1024, decompressed_bytes_max: 4096 };

pub(crate) fn loopback() -> Access {
    rules("127.0.0.1")
}

pub(crate) fn beyond_loopback() -> Access {
    rules("0.0.0.0")
}

fn rules(ip: &str) -> Access {
    Access::for_listen(ip.parse().unwrap())
        .with_token(Secret::new(ADMIN), Scopes::NONE.with(Scope::Admin))
        .with_token(Secret::new(WRITER), Scopes::NONE.with(Scope::Ingest))
        .with_hosts([HostPattern::new("traces.example")])
}

fn routes() -> Routes {
    Routes::new("test")
        .post("/api/v2/spans", Scope::Ingest, async |request: Request| {
            let body = body::read(request, SMALL).await?;
            Ok::<_, Problem>((StatusCode::ACCEPTED, body.len().to_string()))
        })
        .cors_any()
        .content_type_optional()
        .accepts(&["application/json", "application/x-protobuf"])
        .get("/api/v2/services", Scope::Read, async || "[]")
        .cors_any()
        .also_under("/zipkin")
        .get("/tracepact/v1/overview", Scope::Read, async || "{}")
        .put("/pacts/{id}", Scope::Publish, async || StatusCode::CREATED)
        .post("/pacts/{id}", Scope::Publish, async || StatusCode::CREATED)
        .delete("/pacts/{id}", Scope::Admin, async || StatusCode::NO_CONTENT)
        .get("/health", Scope::Public, async || "{\"status\":\"UP\"}")
        .get("/panics", Scope::Public, async || -> &'static str { panic!("as asked") })
        .get("/slow", Scope::Public, async || {
            tokio::time::sleep(Duration::from_millis(400)).await;
            "done"
        })
        .get("/hangs", Scope::Public, async || std::future::pending::<&'static str>().await)
        .get("/events", Scope::Public, async || {
            let endless = futures::stream::unfold((), async |()| {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Ok::<_, std::io::Error>("data: x\n\n"), ()))
            });
            ([(http::header::CONTENT_TYPE, "text/event-stream")], axum::body::Body::from_stream(endless))
        })
        .grpc(Scope::Ingest, super::grpc::Echo)
}

impl Server {
    pub(crate) async fn start(access: Access) -> Self {
        Self::start_with(access, ServeLimits::default()).await
    }

    pub(crate) async fn start_with(access: Access, limits: ServeLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let registry = Registry::new();
        let metrics = Arc::new(RequestMetrics::new(&registry).unwrap());
        let router = routes().into_router_with(Arc::new(access), Some(metrics));
        let drain = CancellationToken::new();
        let done = tokio::spawn(serve(listener, router, limits, drain.clone()));
        Self { addr, registry, drain, done }
    }

    /// Sends a head (with `\n` for line ends, Host and Connection added unless named) and a body; returns the answer.
    pub(crate) async fn send(&self, head: &str, body: &[u8]) -> Answer {
        let mut text = head.replace('\n', "\r\n");
        if !head.to_ascii_lowercase().contains("\nhost:") {
            text.push_str(&format!("\r\nHost: {}", self.addr));
        }
        if !body.is_empty() {
            text.push_str(&format!("\r\nContent-Length: {}", body.len()));
        }
        text.push_str("\r\nConnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        // A refusal may close the connection before the body is taken.
        let _ = stream.write_all(body).await;
        Answer::read(&mut stream).await
    }
}

/// An answer as text.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
        assert!(read.is_ok(), "no end of the answer within 10 s");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// The problem's code, after checking that this is a whole problem.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["status"], self.status);
        assert!(!body["detail"].as_str().unwrap().is_empty());
        let code = body["code"].as_str().unwrap();
        assert_eq!(body["type"], format!("/docs/errors/{code}.md"));
        code.to_owned()
    }
}
