//! Isolation: at most so many calls at once, and at most so many waiting for their turn.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{BoxError, Layer, Service};
use tracepact_base::SharedClock;

use crate::breaker::window::{Event, MaxWindow, Window};
use crate::rejection::Rejection;

/// A bulkhead's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkheadSettings {
    /// Calls at once.
    pub limit: usize,
    /// Calls waiting; 0 refuses at once.
    pub waiting_max: usize,
    /// Longest wait.
    pub wait_max: Duration,
}

impl Default for BulkheadSettings {
    /// Hystrix's pool: 10 at once, none waiting.
    fn default() -> Self {
        Self { limit: 10, waiting_max: 0, wait_max: Duration::from_secs(1) }
    }
}

/// A named bulkhead. Cheap to clone; clones are the same bulkhead.
#[derive(Debug, Clone)]
pub struct Bulkhead {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    settings: BulkheadSettings,
    semaphore: Arc<Semaphore>,
    in_use: AtomicU64,
    waiting: AtomicU64,
    rejected: AtomicU64,
    started: AtomicU64,
    in_use_max: MaxWindow<10>,
    /// Started calls as `Success`, refused ones as `SemaphoreRejected`.
    rolling: Window<10>,
    largest: AtomicU64,
    clock: SharedClock,
}

/// A place in a bulkhead, freed when dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
    inner: Arc<Inner>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inner.in_use.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Waiting<'a>(&'a AtomicU64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Bulkhead {
    /// An empty bulkhead called `name`.
    pub fn new(name: &str, settings: BulkheadSettings, clock: SharedClock) -> Self {
        let now = clock.monotonic_ns();
        Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                semaphore: Arc::new(Semaphore::new(settings.limit.min(Semaphore::MAX_PERMITS))),
                settings,
                in_use: AtomicU64::new(0),
                waiting: AtomicU64::new(0),
                rejected: AtomicU64::new(0),
                started: AtomicU64::new(0),
                in_use_max: MaxWindow::new(1_000_000_000, now),
                rolling: Window::new(1_000_000_000, now),
                largest: AtomicU64::new(0),
                clock,
            }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Its bounds.
    pub fn settings(&self) -> &BulkheadSettings {
        &self.inner.settings
    }

    /// Takes a place, waiting for one within the bounds.
    ///
    /// # Errors
    /// [`Rejection::Full`] when too many wait already or none came free in time.
    pub async fn enter(&self) -> Result<Place, Rejection> {
        let inner = &self.inner;
        if let Ok(permit) = inner.semaphore.clone().try_acquire_owned() {
            return Ok(self.admitted(permit));
        }
        let most = inner.settings.waiting_max as u64;
        let queued = inner.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
            (waiting < most).then_some(waiting + 1)
        });
        if queued.is_err() {
            return Err(self.refuse());
        }
        let _waiting = Waiting(&inner.waiting);
        match tokio::time::timeout(inner.settings.wait_max, inner.semaphore.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(self.admitted(permit)),
            _ => Err(self.refuse()),
        }
    }

    fn admitted(&self, permit: OwnedSemaphorePermit) -> Place {
        let inner = &self.inner;
        let in_use = inner.in_use.fetch_add(1, Ordering::Relaxed) + 1;
        inner.started.fetch_add(1, Ordering::Relaxed);
        let now = inner.clock.monotonic_ns();
        inner.in_use_max.record(now, in_use);
        inner.rolling.add(now, Event::Success);
        inner.largest.fetch_max(in_use, Ordering::Relaxed);
        Place { _permit: permit, inner: inner.clone() }
    }

    fn refuse(&self) -> Rejection {
        self.inner.rejected.fetch_add(1, Ordering::Relaxed);
        self.inner.rolling.add(self.inner.clock.monotonic_ns(), Event::SemaphoreRejected);
        Rejection::Full { bulkhead: self.inner.name.clone() }
    }

    /// Runs `work` inside.
    ///
    /// # Errors
    /// [`Rejection::Full`]; `work` is then never polled.
    pub async fn call<F: Future>(&self, work: F) -> Result<F::Output, Rejection> {
        let _place = self.enter().await?;
        Ok(work.await)
    }

    /// Places taken now.
    pub fn in_use(&self) -> u64 {
        self.inner.in_use.load(Ordering::Relaxed)
    }

    /// Calls at once that are allowed.
    pub fn limit(&self) -> u64 {
        self.inner.settings.limit as u64
    }

    /// Calls waiting now.
    pub fn waiting(&self) -> u64 {
        self.inner.waiting.load(Ordering::Relaxed)
    }

    /// Calls refused since it was made.
    pub fn rejected_total(&self) -> u64 {
        self.inner.rejected.load(Ordering::Relaxed)
    }

    /// Calls let in since it was made.
    pub fn started_total(&self) -> u64 {
        self.inner.started.load(Ordering::Relaxed)
    }

    /// Most places taken at once in the last ten complete seconds.
    pub fn rolling_in_use_max(&self) -> u64 {
        self.inner.in_use_max.max(self.inner.clock.monotonic_ns())
    }

    /// Calls let in during the last ten complete seconds.
    pub fn rolling_started(&self) -> u64 {
        self.inner.rolling.sum(self.inner.clock.monotonic_ns(), Event::Success)
    }

    /// Calls refused during the last ten complete seconds.
    pub fn rolling_rejected(&self) -> u64 {
        self.inner.rolling.sum(self.inner.clock.monotonic_ns(), Event::SemaphoreRejected)
    }

    /// Most places ever taken at once.
    pub fn largest(&self) -> u64 {
        self.inner.largest.load(Ordering::Relaxed)
    }
}

/// Isolates a service. Its error is boxed; a refusal downcasts to [`Rejection`].
#[derive(Debug, Clone)]
pub struct BulkheadLayer {
    bulkhead: Bulkhead,
}

impl BulkheadLayer {
    /// Calls go through `bulkhead`.
    pub fn new(bulkhead: Bulkhead) -> Self {
        Self { bulkhead }
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = BulkheadService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService { inner, bulkhead: self.bulkhead.clone() }
    }
}

/// What [`BulkheadLayer`] makes.
#[derive(Debug, Clone)]
pub struct BulkheadService<S> {
    inner: S,
    bulkhead: Bulkhead,
}

impl<S, R> Service<R> for BulkheadService<S>
where
    S: Service<R> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let bulkhead = self.bulkhead.clone();
        Box::pin(async move {
            let _place = bulkhead.enter().await?;
            inner.call(request).await.map_err(Into::into)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracepact_base::ManualClock;

    fn bulkhead(limit: usize, waiting_max: usize) -> Bulkhead {
        let settings = BulkheadSettings { limit, waiting_max, wait_max: Duration::from_millis(50) };
        Bulkhead::new("b", settings, ManualClock::at(1))
    }

    #[tokio::test]
    async fn beyond_limit_and_queue_calls_are_refused_and_counted() {
        let bulkhead = bulkhead(1, 1);
        let place = bulkhead.enter().await.unwrap();
        let waiter = tokio::spawn({
            let bulkhead = bulkhead.clone();
            async move { bulkhead.enter().await.map(drop) }
        });
        while bulkhead.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(bulkhead.enter().await.unwrap_err(), Rejection::Full { bulkhead: "b".to_owned() });
        drop(place);
        waiter.await.unwrap().unwrap();
        assert_eq!((bulkhead.in_use(), bulkhead.waiting(), bulkhead.rejected_total()), (0, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_in_time() {
        let bulkhead = bulkhead(1, 5);
        let _place = bulkhead.enter().await.unwrap();
        assert!(bulkhead.enter().await.is_err());
        assert_eq!(bulkhead.waiting(), 0);
    }
}
