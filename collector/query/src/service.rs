//! The one service behind every reading API.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::StreamExt;
use tokio::sync::Semaphore;
use tracepact_base::{ErrorKind, SharedClock, TraceId};
use tracepact_model::Span;
use tracepact_resilience::board::Boards;
use tracepact_store::{
    Completeness, EventStore, NameKind, Names, NamesQuery, ReadCtx, RedStore, SeriesStore, SpanQuery,
    SpanStore, StoreError, TraceRows,
};

use crate::{QueryConfig, Seen};

/// What the store gets beyond its deadline to end by itself.
const GRACE: std::time::Duration = std::time::Duration::from_millis(500);

/// Answers questions. Cheap to clone.
#[derive(Clone)]
pub struct Query {
    pub(crate) inner: Arc<Inner>,
}

/// What is read.
#[derive(Clone)]
pub struct Sources {
    /// Spans.
    pub spans: Arc<dyn SpanStore>,
    /// Measurements.
    pub series: Arc<dyn SeriesStore>,
    /// Rate, errors and durations.
    pub red: Arc<dyn RedStore>,
    /// The event feed.
    pub events: Arc<dyn EventStore>,
    /// What is true now of breakers, bulkheads, consumers and flows.
    pub boards: Arc<Boards>,
    /// Which services were seen in spans; see [`crate::SeeingStore`].
    pub seen: Arc<Seen>,
}

pub(crate) struct Inner {
    pub(crate) spans: Arc<dyn SpanStore>,
    pub(crate) series: Arc<dyn SeriesStore>,
    pub(crate) red: Arc<dyn RedStore>,
    pub(crate) events: Arc<dyn EventStore>,
    pub(crate) boards: Arc<Boards>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) clock: SharedClock,
    pub(crate) config: QueryConfig,
    /// How many services there were when somebody asked last: Zipkin's cache headers depend on it.
    pub(crate) services_known: AtomicUsize,
    pub(crate) listeners: Arc<Semaphore>,
}

/// Traces found, newest first as the store gives them, and how the search ended.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) traces: Vec<TraceRows>,
    pub(crate) completeness: Completeness,
}

impl Query {
    /// A service over these sources.
    pub fn new(sources: Sources, clock: SharedClock, config: QueryConfig) -> Self {
        let Sources { spans, series, red, events, boards, seen } = sources;
        let listeners = Arc::new(Semaphore::new(config.listeners_max));
        let services_known = AtomicUsize::new(0);
        Self {
            inner: Arc::new(Inner {
                spans,
                series,
                red,
                events,
                boards,
                seen,
                clock,
                config,
                services_known,
                listeners,
            }),
        }
    }

    pub(crate) fn config(&self) -> &QueryConfig {
        &self.inner.config
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.inner.clock.now_ns()
    }

    /// Names of `kind` seen within the lookback.
    ///
    /// # Errors
    /// The store's.
    pub async fn names(&self, kind: NameKind) -> Result<Names, StoreError> {
        let now_ns = self.now_ns();
        let query = NamesQuery {
            kind,
            start_ns: now_ns.saturating_sub(nanos(self.config().lookback)),
            // Senders' clocks may run ahead; what was acknowledged is found all the same.
            end_ns: u64::MAX,
            limit: self.config().names_max,
        };
        self.bounded(self.inner.spans.values(query, self.config().ctx())).await
    }

    /// Traces that match, with their rows.
    pub(crate) async fn search(&self, query: SpanQuery) -> Result<Found, StoreError> {
        let ctx = self.config().ctx();
        let begun = tokio::time::Instant::now();
        let search = async {
            let answer = self.inner.spans.search(query, ctx.clone()).await?;
            let ids: Vec<TraceId> = answer.hits.iter().map(|hit| hit.trace_id).collect();
            let left = ctx.timeout.saturating_sub(begun.elapsed());
            let mut found = self.rows(ids, ReadCtx { timeout: left, ..ctx }).await?;
            found.completeness = worse(answer.completeness, found.completeness);
            Ok(found)
        };
        self.bounded(search).await
    }

    /// The rows of these traces, in the order asked; unknown ones are left out.
    pub(crate) async fn traces(&self, ids: Vec<TraceId>) -> Result<Found, StoreError> {
        self.bounded(self.rows(ids, self.config().ctx())).await
    }

    async fn rows(&self, ids: Vec<TraceId>, ctx: ReadCtx) -> Result<Found, StoreError> {
        let mut found = Found::default();
        if ids.is_empty() {
            return Ok(found);
        }
        let mut stream = self.inner.spans.traces(ids, ctx);
        let mut bytes = 0;
        while let Some(rows) = stream.next().await {
            let rows = rows?;
            bytes += rows.rows.iter().map(weight).sum::<usize>();
            let first = found.traces.is_empty();
            if bytes > self.config().answer_bytes_max && !first {
                found.completeness = Completeness::Cut { limit: "answer_bytes_max".to_owned() };
                break;
            }
            found.completeness = worse(found.completeness, rows.completeness.clone());
            found.traces.push(rows);
        }
        Ok(found)
    }

    /// `work`, or a deadline error. The store ends by itself in time, with what it has by then; this holds whatever it
    /// does.
    pub(crate) async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let timeout = self.config().timeout;
        match tokio::time::timeout(timeout + GRACE, work).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::new(
                ErrorKind::Deadline,
                format!("the answer was not ready within {} ms: ask for less", timeout.as_millis()),
            )),
        }
    }
}

pub(crate) fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A rough size of a row in an answer.
fn weight(span: &Span) -> usize {
    let attributes: usize = span.attributes.iter().map(|(key, _)| key.len() + 48).sum();
    320 + span.name.len() + attributes + span.events.len() * 96 + span.links.len() * 64
}

/// Of two endings the one that says more is missing.
pub(crate) fn worse(a: Completeness, b: Completeness) -> Completeness {
    match (a, b) {
        (Completeness::Complete, other) | (other, Completeness::Complete) => other,
        (Completeness::Damaged { mut blocks }, Completeness::Damaged { blocks: more }) => {
            blocks.extend(more);
            blocks.sort();
            blocks.dedup();
            Completeness::Damaged { blocks }
        }
        (damaged @ Completeness::Damaged { .. }, _) | (_, damaged @ Completeness::Damaged { .. }) => damaged,
        (cut, Completeness::Cut { .. }) => cut,
    }
}

/// What is missing, in words; `None` for nothing.
pub(crate) fn cut_text(completeness: &Completeness) -> Option<String> {
    match completeness {
        Completeness::Complete => None,
        Completeness::Cut { limit } => Some(format!("ended early by {limit}")),
        Completeness::Damaged { blocks } => {
            Some(format!("these blocks could not be read: {}", blocks.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_outweighs_cuts_and_cuts_outweigh_nothing() {
        let cut = || Completeness::Cut { limit: "rows_max".to_owned() };
        let damaged = |name: &str| Completeness::Damaged { blocks: vec![name.to_owned()] };
        assert_eq!(worse(Completeness::Complete, cut()), cut());
        assert_eq!(worse(cut(), damaged("a")), damaged("a"));
        let both = worse(damaged("b"), damaged("a"));
        assert_eq!(cut_text(&both).unwrap(), "these blocks could not be read: a, b");
        assert_eq!(cut_text(&Completeness::Complete), None);
    }
}
