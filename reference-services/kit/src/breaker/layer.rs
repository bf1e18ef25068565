//! The breaker as a tower layer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower::{BoxError, Layer, Service};

use super::Breaker;
use crate::classify::{Classify, ResultIsOutcome};

/// Guards a service with a breaker. Its error is boxed; a refusal downcasts to [`crate::Rejection`].
#[derive(Debug)]
pub struct BreakerLayer<C = ResultIsOutcome> {
    breaker: Breaker,
    classify: Arc<C>,
}

impl BreakerLayer {
    /// `Err` counts as failure.
    pub fn new(breaker: Breaker) -> Self {
        Self::with_classify(breaker, ResultIsOutcome)
    }
}

impl<C> BreakerLayer<C> {
    /// `classify` says what counts as failure.
    pub fn with_classify(breaker: Breaker, classify: C) -> Self {
        Self { breaker, classify: Arc::new(classify) }
    }
}

impl<C> Clone for BreakerLayer<C> {
    fn clone(&self) -> Self {
        Self { breaker: self.breaker.clone(), classify: self.classify.clone() }
    }
}

impl<S, C> Layer<S> for BreakerLayer<C> {
    type Service = BreakerService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService { inner, layer: self.clone() }
    }
}

/// What [`BreakerLayer`] makes.
#[derive(Debug)]
pub struct BreakerService<S, C = ResultIsOutcome> {
    inner: S,
    layer: BreakerLayer<C>,
}

impl<S: Clone, C> Clone for BreakerService<S, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, C, R> Service<R> for BreakerService<S, C>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError> + Send,
    S::Response: Send + 'static,
    C: Classify<S::Response, S::Error> + Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let admitted = match self.layer.breaker.try_call() {
            Ok(call) => call,
            Err(rejection) => return Box::pin(std::future::ready(Err(rejection.into()))),
        };
        let work = self.inner.call(request);
        let classify = self.layer.classify.clone();
        Box::pin(async move {
            let result = work.await;
            admitted.finish(classify.classify(&result));
            result.map_err(Into::into)
        })
    }
}
