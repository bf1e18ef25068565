//! The addresses the server listens on: bound at once, printed, written for programs that start it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::config::validate::Part;

/// The addresses in use; absent where the part does not run.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) otlp_grpc: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) otlp_http: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broker: Option<SocketAddr>,
}

/// Bound sockets.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) http: TcpListener,
    pub(crate) otlp_grpc: Option<TcpListener>,
    pub(crate) otlp_http: Option<TcpListener>,
    pub(crate) broker: Option<TcpListener>,
    pub(crate) addresses: Addresses,
}

impl Bound {
    /// Binds what the configured parts need.
    pub(crate) async fn all(config: &Config) -> anyhow::Result<Self> {
        let collector = config.runs(Part::Collector);
        let (http, http_addr) = bind("http_addr", config.http_addr).await?;
        let (otlp_grpc, otlp_grpc_addr) = bind_if(collector, "otlp_grpc_addr", config.otlp_grpc_addr).await?;
        let (otlp_http, otlp_http_addr) = bind_if(collector, "otlp_http_addr", config.otlp_http_addr).await?;
        let (broker, broker_addr) =
            bind_if(config.runs(Part::Broker), "broker_addr", config.broker_addr).await?;
        let addresses = Addresses {
            http: http_addr,
            otlp_grpc: otlp_grpc_addr,
            otlp_http: otlp_http_addr,
            broker: broker_addr,
        };
        Ok(Self { http, otlp_grpc, otlp_http, broker, addresses })
    }
}

async fn bind_if(
    wanted: bool,
    key: &str,
    addr: SocketAddr,
) -> anyhow::Result<(Option<TcpListener>, Option<SocketAddr>)> {
    if !wanted {
        return Ok((None, None));
    }
    bind(key, addr).await.map(|(listener, addr)| (Some(listener), Some(addr)))
}

async fn bind(key: &str, addr: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let flag = format!("--{}", key.replace('_', "-"));
    let listener = TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{addr} is in use by another program: stop that one, or choose another address with {flag} (port 0 picks a free one)"
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("{addr} may not be listened on by this user: choose a port above 1023 with {flag}")
        }
        std::io::ErrorKind::AddrNotAvailable => {
            anyhow::anyhow!("{addr} is no address of this machine: choose another one with {flag}")
        }
        _ => anyhow::anyhow!("{addr} cannot be listened on: {error}; choose another address with {flag}"),
    })?;
    let bound = listener.local_addr().with_context(|| format!("{addr} has no local address"))?;
    Ok((listener, bound))
}

impl Addresses {
    /// Lines for people: listener, what is there, where.
    pub(super) fn lines(&self) -> Vec<(&'static str, &'static str, SocketAddr)> {
        let mut lines = vec![("http", "dashboard and API", self.http)];
        lines.extend(self.otlp_grpc.map(|addr| ("otlp_grpc", "OTLP over gRPC", addr)));
        lines.extend(self.otlp_http.map(|addr| ("otlp_http", "OTLP over HTTP", addr)));
        lines.extend(self.broker.map(|addr| ("broker", "contract broker", addr)));
        lines
    }

    /// Writes them as JSON; a reader sees the whole file or none.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string(self)?;
        let partial = file.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&partial, format!("{text}\n"))
            .and_then(|()| std::fs::rename(&partial, file))
            .with_context(|| format!("the address file {} cannot be written", file.display()))
    }
}
