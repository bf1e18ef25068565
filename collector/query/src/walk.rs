//! Walking over every trace that matches, newest first, in pages of the store's search: what paging, sorting, histograms
//! and comparisons are made of. A walk goes on until whoever asked has enough, the window is used up, or a limit ends it,
//! and the answer says which.

use std::cmp::Reverse;
use std::ops::ControlFlow;

use futures::StreamExt;
use tracepact_base::{ErrorKind, TraceId};
use tracepact_store::{Completeness, ReadCtx, SpanQuery, StoreError, TraceHit, TraceRows};

use crate::Query;
use crate::service::worse;

/// Most traces asked for at once: each question costs the store a look at all candidates.
const PAGE_MAX: usize = 65_536;
/// How much more is asked for each time that was not enough.
const GROWTH: usize = 4;
/// Most traces of one and the same nanosecond that can be told apart by a walk.
const ALIKE_MAX: usize = 262_144;
/// Traces looked at before others get a turn.
const TURN: usize = 32;

/// A place in the order of a walk: the newest first, of one moment the greater id first.
pub(crate) type Place = (u64, TraceId);

/// What one walk may still spend.
#[derive(Debug)]
pub(crate) struct Walk<'q> {
    query: &'q Query,
    begun: tokio::time::Instant,
    rows: u64,
    /// How it ended so far.
    pub(crate) completeness: Completeness,
    /// Traces looked at.
    pub(crate) traces: u64,
    /// The last of them.
    pub(crate) last: Option<Place>,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("config", self.config()).finish_non_exhaustive()
    }
}

impl<'q> Walk<'q> {
    pub(crate) fn new(query: &'q Query) -> Self {
        let begun = tokio::time::Instant::now();
        Self { query, begun, rows: 0, completeness: Completeness::Complete, traces: 0, last: None }
    }

    /// What is left for the next read; `None` when a limit is reached, which is noted then.
    fn ctx(&mut self) -> Option<ReadCtx> {
        let ctx = self.query.config().ctx();
        let timeout = ctx.timeout.saturating_sub(self.begun.elapsed());
        let rows_max = ctx.rows_max.saturating_sub(self.rows);
        if timeout.is_zero() {
            self.cut("timeout");
            return None;
        }
        if rows_max == 0 {
            self.cut("rows_max");
            return None;
        }
        Some(ReadCtx { timeout, rows_max, ..ctx })
    }

    /// Notes that a limit ended the walk.
    pub(crate) fn cut(&mut self, limit: &str) {
        let completeness = std::mem::take(&mut self.completeness);
        self.completeness = worse(completeness, Completeness::Cut { limit: limit.to_owned() });
    }

    /// The next traces after `place`, at least one unless there is none; `true` beside them when there may be more.
    async fn page(
        &mut self,
        search: &SpanQuery,
        place: Option<Place>,
        wanted: usize,
    ) -> Result<(Vec<TraceHit>, bool), StoreError> {
        let end_ns = place.map_or(search.end_ns, |(at_ns, _)| at_ns.min(search.end_ns));
        let mut limit = wanted;
        loop {
            let Some(ctx) = self.ctx() else { return Ok((Vec::new(), false)) };
            let asked = SpanQuery { end_ns, limit, ..search.clone() };
            let Some(answer) = self.tolerate(self.query.inner.spans.search(asked, ctx).await)? else {
                return Ok((Vec::new(), false));
            };
            // A cut search may have left out newer traces than those it gives: what it gives stands, and no more.
            let ended = answer.completeness != Completeness::Complete && answer.hits.len() < limit;
            let known = std::mem::take(&mut self.completeness);
            self.completeness = worse(known, answer.completeness);
            let full = answer.hits.len() >= limit;
            // Of the oldest moment of a full page there may be more: they come with the next one.
            let oldest = answer.hits.iter().map(|hit| hit.timestamp_ns).min().filter(|_| full);
            let after = |hit: &TraceHit| place.is_none_or(|place| (hit.timestamp_ns, hit.trace_id) < place);
            let sure = |hit: &TraceHit| oldest.is_none_or(|oldest| hit.timestamp_ns > oldest);
            let mut hits: Vec<TraceHit> =
                answer.hits.into_iter().filter(|hit| after(hit) && sure(hit)).collect();
            hits.sort_by_key(|hit| Reverse((hit.timestamp_ns, hit.trace_id)));
            if !hits.is_empty() || !full || ended {
                return Ok((hits, full && !ended));
            }
            if limit >= ALIKE_MAX {
                self.cut("traces of one moment");
                return Ok((hits, false));
            }
            limit *= GROWTH;
        }
    }

    /// Time that is over and used-up rows end a walk with what it has; other errors end it without.
    fn tolerate<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind == ErrorKind::Deadline => {
                self.cut("timeout");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives every matching trace after `place` to `look`, newest first, until it breaks. `wanted` is about how many
    /// will be looked at.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn each(
        &mut self,
        search: &SpanQuery,
        mut place: Option<Place>,
        wanted: usize,
        mut look: impl FnMut(TraceHit, TraceRows) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        // One more tells whether there are more, and those of the oldest moment are not sure.
        let mut size = wanted.saturating_add(2).min(PAGE_MAX);
        loop {
            let (hits, more) = self.page(search, place, size).await?;
            size = (size * GROWTH).min(PAGE_MAX);
            let Some(last) = hits.last() else { return Ok(()) };
            place = Some((last.timestamp_ns, last.trace_id));
            if self.rows(&hits, &mut look).await?.is_break() || !more {
                return Ok(());
            }
        }
    }

    async fn rows(
        &mut self,
        hits: &[TraceHit],
        look: &mut impl FnMut(TraceHit, TraceRows) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let Some(ctx) = self.ctx() else { return Ok(ControlFlow::Break(())) };
        let (query, rows_max) = (self.query, ctx.rows_max);
        let mut stream = query.inner.spans.traces(hits.iter().map(|hit| hit.trace_id).collect(), ctx);
        let mut left = hits.iter();
        let mut read = 0u64;
        while let Some(trace) = stream.next().await {
            let Some(trace) = self.tolerate(trace)? else { return Ok(ControlFlow::Break(())) };
            // Traces come in the order asked; one that is gone meanwhile is left out.
            let Some(hit) = left.by_ref().find(|hit| hit.trace_id == trace.trace_id).copied() else { break };
            read += trace.rows.len() as u64;
            self.rows += trace.rows.len() as u64;
            self.traces += 1;
            self.last = Some((hit.timestamp_ns, hit.trace_id));
            let known = std::mem::take(&mut self.completeness);
            self.completeness = worse(known, trace.completeness.clone());
            if look(hit, trace).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if read > rows_max {
                self.cut("rows_max");
                return Ok(ControlFlow::Break(()));
            }
            if self.traces.is_multiple_of(TURN as u64) {
                tokio::task::yield_now().await;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
