//! Asks all sources at once, each with a deadline, and keeps the answer for a moment: many open pages ask often.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Mutex;
use tracepact_base::SharedClock;
use tracepact_join::{Gathered, SightingSource, Sightings, SourceError, Summary, SummarySource};

/// How long one source may take, in milliseconds; then what it covers is unknown.
pub const SOURCE_TIMEOUT_MS: u64 = 3_000;

/// How long an answer serves everyone who asks.
const FRESH_NS: u64 = 500_000_000;

async fn within<T>(answer: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    match tokio::time::timeout(Duration::from_millis(SOURCE_TIMEOUT_MS), answer).await {
        Ok(answer) => answer,
        Err(_) => Err(SourceError::new(format!("no answer within {SOURCE_TIMEOUT_MS} ms"))),
    }
}

pub(crate) async fn sightings(sources: &[Arc<dyn SightingSource>]) -> Vec<Gathered<Sightings>> {
    join_all(sources.iter().map(async |source| Gathered {
        source: source.name().to_owned(),
        covers: Vec::new(),
        answer: within(source.sightings()).await,
    }))
    .await
}

pub(crate) async fn summaries(sources: &[Arc<dyn SummarySource>]) -> Vec<Gathered<Vec<Summary>>> {
    join_all(sources.iter().map(async |source| Gathered {
        source: source.name().to_owned(),
        covers: source.covers().to_vec(),
        answer: within(source.summaries()).await,
    }))
    .await
}

/// The last answer, and when it was made. Callers that come while one is being made wait for that one.
pub(crate) struct Recent<T> {
    clock: SharedClock,
    kept: Mutex<Option<(u64, Arc<T>)>>,
}

impl<T> Recent<T> {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, kept: Mutex::new(None) }
    }

    pub(crate) async fn get(&self, make: impl Future<Output = T>) -> Arc<T> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.monotonic_ns();
        if let Some((at, answer)) = kept.as_ref()
            && now.saturating_sub(*at) < FRESH_NS
        {
            return answer.clone();
        }
        let answer = Arc::new(make.await);
        *kept = Some((self.clock.monotonic_ns(), answer.clone()));
        answer
    }
}
