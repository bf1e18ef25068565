//! A guarded call in one piece: bulkhead, breaker, timeout, and a fallback; what Hystrix calls a command.

use std::time::Duration;

use crate::breaker::Breaker;
use crate::bulkhead::Bulkhead;
use crate::classify::{Classify, Outcome, ResultIsOutcome};
use crate::rejection::{CallError, Rejection};

/// Guards calls with whichever parts it was given. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Command {
    breaker: Breaker,
    bulkhead: Option<Bulkhead>,
    timeout: Option<Duration>,
}

impl Command {
    /// Guards with `breaker` alone, and the timeout of its settings.
    pub fn new(breaker: Breaker) -> Self {
        let timeout = breaker.settings().timeout;
        Self { breaker, bulkhead: None, timeout }
    }

    /// Also isolates; a refusal counts as an error of the breaker.
    #[must_use]
    pub fn with_bulkhead(mut self, bulkhead: Bulkhead) -> Self {
        self.bulkhead = Some(bulkhead);
        self
    }

    /// Bounds each call; `None` for no bound.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// The breaker.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Runs `work`; `Err` counts as failure.
    ///
    /// # Errors
    /// Its own error, or why it was refused or given up.
    pub async fn run<T, E, F>(&self, work: impl FnOnce() -> F) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run_classified(&ResultIsOutcome, work).await
    }

    /// Runs `work`; `classify` says how its result counts.
    ///
    /// # Errors
    /// Its own error, or why it was refused or given up.
    pub async fn run_classified<T, E, F>(
        &self,
        classify: &impl Classify<T, E>,
        work: impl FnOnce() -> F,
    ) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let call = self.breaker.try_call()?;
        let _place = match &self.bulkhead {
            None => None,
            Some(bulkhead) => match bulkhead.enter().await {
                Ok(place) => Some(place),
                Err(rejection) => {
                    call.reject();
                    return Err(rejection.into());
                }
            },
        };
        let result = match self.timeout {
            None => work().await,
            Some(limit) => match tokio::time::timeout(limit, work()).await {
                Ok(result) => result,
                Err(_) => {
                    call.finish(Outcome::Timeout);
                    return Err(Rejection::Timeout(limit).into());
                }
            },
        };
        call.finish(classify.classify(&result));
        result.map_err(CallError::Failed)
    }

    /// [`Command::run_classified`], and `fallback` when there is no value: it gets the reason.
    ///
    /// A bad request (as `classify` judges it) gets no fallback: its error comes back as it is.
    ///
    /// # Errors
    /// The bad request's error, or what the fallback failed with.
    pub async fn run_or<T, E, F, G>(
        &self,
        classify: &impl Classify<T, E>,
        work: impl FnOnce() -> F,
        fallback: impl FnOnce(CallError<E>) -> G,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        G: Future<Output = Result<T, E>>,
    {
        let judged = std::cell::Cell::new(None);
        let remember = |result: &Result<T, E>| {
            let outcome = classify.classify(result);
            judged.set(Some(outcome));
            outcome
        };
        match self.run_classified(&remember, work).await {
            Ok(value) => Ok(value),
            Err(CallError::Failed(error)) if judged.get() == Some(Outcome::BadRequest) => Err(error),
            Err(reason) => {
                let result = fallback(reason).await;
                self.breaker.record_fallback(Some(result.is_ok()));
                result
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::window::Event;
    use crate::breaker::{BreakerSettings, State};
    use crate::bulkhead::BulkheadSettings;
    use tracepact_base::ManualClock;

    #[tokio::test(start_paused = true)]
    async fn timeouts_trip_and_the_fallback_serves() {
        let clock = ManualClock::at(1);
        let command = Command::new(Breaker::new("b", "c", BreakerSettings::default(), clock.clone()));
        let slow = || async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok::<_, ()>("slow")
        };
        for _ in 0..20 {
            let answer = command.run_or(&ResultIsOutcome, slow, |_| async { Ok("fallback") }).await;
            assert_eq!(answer, Ok("fallback"));
        }
        clock.advance_ns(500_000_000);
        let refused = command.run(slow).await.unwrap_err();
        assert!(matches!(refused, CallError::Rejected(Rejection::Open { .. })));
        assert_eq!(command.breaker().state(), State::Open);
        assert_eq!(command.breaker().total(Event::FallbackSuccess), 20);
        assert_eq!(command.breaker().total(Event::Timeout), 20);
    }

    #[tokio::test]
    async fn a_full_bulkhead_counts_as_an_error_and_a_bad_request_gets_no_fallback() {
        let clock = ManualClock::at(1);
        let bulkhead = Bulkhead::new("k", BulkheadSettings { limit: 0, ..Default::default() }, clock.clone());
        let breaker = Breaker::new("b", "c", BreakerSettings::default(), clock);
        let full = Command::new(breaker.clone()).with_bulkhead(bulkhead);
        assert!(full.run(|| async { Ok::<_, ()>(()) }).await.is_err());
        assert_eq!((breaker.total(Event::SemaphoreRejected), breaker.in_flight()), (1, 0));
        let judge = |_: &Result<u8, u8>| Outcome::BadRequest;
        let answer =
            Command::new(breaker.clone()).run_or(&judge, || async { Err(7) }, |_| async { Ok(1) }).await;
        assert_eq!(answer, Err(7));
        assert_eq!(breaker.total(Event::BadRequest), 1);
    }
}
