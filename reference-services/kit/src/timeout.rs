//! A bound on the time of a call, as a function and as a tower layer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tower::{BoxError, Layer, Service};

use crate::rejection::Rejection;

/// Waits for `work` at most `limit`, then drops it.
///
/// # Errors
/// [`Rejection::Timeout`].
pub async fn timeout<F: Future>(limit: Duration, work: F) -> Result<F::Output, Rejection> {
    tokio::time::timeout(limit, work).await.map_err(|_| Rejection::Timeout(limit))
}

/// Bounds every call of a service. Its error is boxed; a timeout downcasts to [`Rejection`].
#[derive(Debug, Clone, Copy)]
pub struct TimeoutLayer {
    limit: Duration,
}

impl TimeoutLayer {
    /// Each call may take `limit`.
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = TimeoutService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TimeoutService { inner, limit: self.limit }
    }
}

/// What [`TimeoutLayer`] makes.
#[derive(Debug, Clone)]
pub struct TimeoutService<S> {
    inner: S,
    limit: Duration,
}

impl<S, R> Service<R> for TimeoutService<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let work = self.inner.call(request);
        let limit = self.limit;
        Box::pin(async move { timeout(limit, work).await?.map_err(Into::into) })
    }
}
