//! A second answer for a service that has none, as a tower layer.

use std::pin::Pin;
use std::task::{Context, Poll};

use tower::{BoxError, Layer, Service};

/// Answers with `fallback` when the service (breaker, bulkhead and timeout below included) fails.
#[derive(Debug, Clone)]
pub struct FallbackLayer<F> {
    fallback: F,
}

impl<F> FallbackLayer<F> {
    /// `fallback` gets the error and answers or passes it on.
    pub fn new(fallback: F) -> Self {
        Self { fallback }
    }
}

impl<S, F: Clone> Layer<S> for FallbackLayer<F> {
    type Service = FallbackService<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        FallbackService { inner, fallback: self.fallback.clone() }
    }
}

/// What [`FallbackLayer`] makes.
#[derive(Debug, Clone)]
pub struct FallbackService<S, F> {
    inner: S,
    fallback: F,
}

impl<S, F, G, R> Service<R> for FallbackService<S, F>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    F: Fn(BoxError) -> G + Clone + Send + 'static,
    G: Future<Output = Result<S::Response, BoxError>> + Send,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let work = self.inner.call(request);
        let fallback = self.fallback.clone();
        Box::pin(async move {
            let second = match work.await {
                Ok(answer) => return Ok(answer),
                Err(error) => fallback(error.into()),
            };
            second.await
        })
    }
}
