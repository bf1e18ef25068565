//! Trying again: jittered backoff, and a budget so that retries cannot multiply an outage.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rand::Rng as _;
use tower::{Layer, Service};

/// How a call is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrySettings {
    /// Tries in all, the first included.
    pub attempts_max: u32,
    /// The upper end of the first wait; it doubles from try to try.
    pub backoff: Duration,
    /// The upper end of every wait.
    pub backoff_max: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { attempts_max: 3, backoff: Duration::from_millis(50), backoff_max: Duration::from_secs(1) }
    }
}

impl RetrySettings {
    /// The wait before try `attempt` (1 is the first retry): anywhere from zero to the doubled bound ("full jitter").
    pub fn wait(&self, attempt: u32) -> Duration {
        let bound = self
            .backoff
            .saturating_mul(1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX))
            .min(self.backoff_max);
        Duration::from_micros(rand::rng().random_range(0..=bound.as_micros() as u64))
    }
}

/// A token bucket shared by calls to one callee: every call pays in a share of a retry, every retry takes one out.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    inner: Arc<BudgetInner>,
}

#[derive(Debug)]
struct BudgetInner {
    /// Thousandths of a retry.
    balance: AtomicI64,
    deposit: i64,
    most: i64,
    refused: AtomicU64,
}

impl RetryBudget {
    /// Retries may be `percent` of the calls, plus `reserve` at any time.
    pub fn new(percent: u32, reserve: u32) -> Self {
        let most = i64::from(reserve.max(1)) * 1000;
        Self {
            inner: Arc::new(BudgetInner {
                balance: AtomicI64::new(most),
                deposit: i64::from(percent) * 10,
                most,
                refused: AtomicU64::new(0),
            }),
        }
    }

    fn deposit(&self) {
        let inner = &self.inner;
        let _unchanged_when_full =
            inner.balance.fetch_update(Ordering::AcqRel, Ordering::Acquire, |balance| {
                (balance < inner.most).then(|| (balance + inner.deposit).min(inner.most))
            });
    }

    fn withdraw(&self) -> bool {
        let taken = self.inner.balance.fetch_update(Ordering::AcqRel, Ordering::Acquire, |balance| {
            (balance >= 1000).then(|| balance - 1000)
        });
        if taken.is_err() {
            self.inner.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// Retries that were not made because the budget was empty.
    pub fn refused_total(&self) -> u64 {
        self.inner.refused.load(Ordering::Relaxed)
    }
}

impl Default for RetryBudget {
    /// A fifth of the calls, plus ten.
    fn default() -> Self {
        Self::new(20, 10)
    }
}

/// Runs `work` until it succeeds, `again` says no to its error, or tries or budget are used up; the last result counts.
///
/// # Errors
/// The last try's error.
pub async fn retry<T, E, F>(
    settings: &RetrySettings,
    budget: &RetryBudget,
    mut work: impl FnMut() -> F,
    again: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    budget.deposit();
    let mut attempt = 1;
    loop {
        match work().await {
            Ok(value) => return Ok(value),
            Err(error) if attempt < settings.attempts_max && again(&error) && budget.withdraw() => {
                tokio::time::sleep(settings.wait(attempt)).await;
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Tries a service's calls again. Requests must be cloneable.
#[derive(Debug, Clone)]
pub struct RetryLayer<A> {
    settings: RetrySettings,
    budget: RetryBudget,
    again: A,
}

impl<A> RetryLayer<A> {
    /// `again` says which errors are worth another try.
    pub fn new(settings: RetrySettings, budget: RetryBudget, again: A) -> Self {
        Self { settings, budget, again }
    }
}

impl<S, A: Clone> Layer<S> for RetryLayer<A> {
    type Service = RetryService<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService { inner, layer: self.clone() }
    }
}

/// What [`RetryLayer`] makes.
#[derive(Debug, Clone)]
pub struct RetryService<S, A> {
    inner: S,
    layer: RetryLayer<A>,
}

impl<S, A, R> Service<R> for RetryService<S, A>
where
    S: Service<R> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Send,
    A: Fn(&S::Error) -> bool + Clone + Send + Sync + 'static,
    R: Clone + Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let spare = self.inner.clone();
        let mut ready = Some(std::mem::replace(&mut self.inner, spare.clone()));
        let layer = self.layer.clone();
        Box::pin(async move {
            let work = || {
                let first = ready.take();
                let (spare, request) = (spare.clone(), request.clone());
                async move {
                    match first {
                        Some(mut ready) => ready.call(request).await,
                        None => tower::ServiceExt::oneshot(spare, request).await,
                    }
                }
            };
            retry(&layer.settings, &layer.budget, work, layer.again).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tries(settings: &RetrySettings, budget: &RetryBudget) -> u32 {
        let count = std::cell::Cell::new(0);
        let result: Result<(), ()> = retry(
            settings,
            budget,
            || {
                count.set(count.get() + 1);
                async { Err(()) }
            },
            |()| true,
        )
        .await;
        assert!(result.is_err());
        count.get()
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_not_multiplied_beyond_the_budget() {
        let (settings, budget) = (RetrySettings::default(), RetryBudget::new(20, 10));
        let mut all = 0;
        for _ in 0..1000 {
            all += tries(&settings, &budget).await;
        }
        assert!((1200..=1210).contains(&all), "1000 calls, 20 % and 10 more: {all}");
        assert!(budget.refused_total() > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn errors_not_worth_it_are_not_tried_again() {
        let budget = RetryBudget::default();
        let mut count = 0;
        let result: Result<(), u8> = retry(
            &RetrySettings::default(),
            &budget,
            || {
                count += 1;
                async { Err(4) }
            },
            |e| *e == 5,
        )
        .await;
        assert_eq!((result, count), (Err(4), 1));
    }
}
