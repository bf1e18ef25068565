//! Running a router on a socket: HTTP/1.1 and HTTP/2 on one port, limits per connection, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::Tls;
use crate::drain::end_on_drain;

/// Bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ServeLimits {
    /// Most connections at once; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// The longest time a request's head may take, waiting for a connection's next request included.
    pub head_timeout: Duration,
    /// Most bytes of a request's head.
    pub head_bytes_max: usize,
    /// Most header fields of a request.
    pub headers_max: usize,
    /// Most concurrent HTTP/2 streams of a connection.
    pub streams_max: u32,
    /// How long requests may finish once draining begins.
    pub drain_timeout: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            head_timeout: Duration::from_secs(30),
            head_bytes_max: 32 << 10,
            headers_max: 100,
            streams_max: 100,
            drain_timeout: Duration::from_secs(8),
        }
    }
}

/// The address the request came from, an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddr(pub SocketAddr);

/// Serves `router` on `listener` without TLS: [`serve_with`].
pub async fn serve(
    listener: TcpListener,
    router: axum::Router,
    limits: ServeLimits,
    drain: CancellationToken,
) {
    serve_with(listener, None, router, limits, drain).await;
}

/// Serves `router` on `listener`, behind TLS when `tls` is given, until `drain` is cancelled, then stops accepting,
/// lets requests finish for at most [`ServeLimits::drain_timeout`], ends event streams at once, and returns.
pub async fn serve_with(
    listener: TcpListener,
    tls: Option<Tls>,
    router: axum::Router,
    limits: ServeLimits,
    drain: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let connections = tokio_util::task::TaskTracker::new();
    let cut = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            () = drain.cancelled() => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let (router, drain, cut, tls) = (router.clone(), drain.clone(), cut.clone(), tls.clone());
        let _ = stream.set_nodelay(true);
        connections.spawn(async move {
            let served = async {
                let Some(tls) = tls else { return connection(stream, peer, router, limits, drain).await };
                match tokio::time::timeout(limits.head_timeout, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, peer, router, limits, drain).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "a TLS handshake did not end in time"),
                }
            };
            tokio::select! {
                () = served => {}
                () = cut.cancelled() => {}
            }
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.drain_timeout, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "requests were cut off: they did not finish while draining");
        cut.cancel();
        connections.wait().await;
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<Accepted> {
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // Out of file descriptors, or a connection that was gone before it was taken.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: axum::Router,
    limits: ServeLimits,
    drain: CancellationToken,
) {
    let ending = drain.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let (router, ending) = (router.clone(), ending.clone());
        async move {
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(PeerAddr(peer));
            router.oneshot(request).await.map(|response| end_on_drain(response, ending))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max.max(8 << 10))
        .max_headers(limits.headers_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams_max)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended with an error");
    }
}
