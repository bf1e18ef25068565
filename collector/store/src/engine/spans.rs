//! Spans in and out.

use std::hash::BuildHasher;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use tracepact_analysis::RedCounts;
use tracepact_base::TraceId;
use tracepact_model::{SpanBatch, decode_chunk};

use super::Engine;
use super::append::Label;
use super::names::names;
use crate::budget::Budget;
use crate::hot::HotRows;
use crate::links::links;
use crate::log::Table;
use crate::part::group;
use crate::red::Counted;
use crate::search::Reader;
use crate::{
    Durable, LinksAnswer, Names, NamesQuery, ReadCtx, Scanned, SearchAnswer, SpanQuery, SpanStore,
    StoreError, TraceRows,
};

/// Traces that one task reads before it hands them on.
const TRACES_PER_TASK: usize = 64;

impl SpanStore for Engine {
    fn append(&self, batch: SpanBatch) -> BoxFuture<'_, Result<Durable, StoreError>> {
        // Everything of the body counts, and so it does when the log is read again.
        let rejected = &batch.admission.rejected;
        let limits = self.shared.config.decode_limits.for_replay();
        let whole = (!rejected.is_empty()).then(|| decode_chunk(batch.codec, &batch.body, &limits));
        let counts = match whole {
            Some(Ok(whole)) => RedCounts::of(&whole.chunk, rejected),
            _ => RedCounts::of(&batch.spans, &[]),
        };
        self.append_counted(batch, counts)
    }

    fn append_counted(
        &self,
        batch: SpanBatch,
        counts: RedCounts,
    ) -> BoxFuture<'_, Result<Durable, StoreError>> {
        async move {
            if batch.spans.is_empty() && !batch.admission.rejected.is_empty() {
                return self.count_only(counts, batch.received_at_ns).await.map(|lsn| Durable { lsn });
            }
            let label = Label {
                table: Table::Spans,
                codec: batch.codec as u8,
                received_at_ns: batch.received_at_ns,
                rejected: batch.admission.rejected,
            };
            let counted = Counted { body: Some(self.shared.bodies.hash_one(&batch.body[..])), counts };
            let rows = HotRows::Spans(Box::new(batch.spans), batch.received_at_ns, Box::new(counted));
            self.log_body(label, batch.body, rows).await.map(|lsn| Durable { lsn })
        }
        .boxed()
    }

    fn traces(&self, ids: Vec<TraceId>, ctx: ReadCtx) -> BoxStream<'_, Result<TraceRows, StoreError>> {
        self.stream(ids, ctx)
    }

    fn search(&self, query: SpanQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<SearchAnswer, StoreError>> {
        async move {
            let (budget, _cancel) = Budget::new(&ctx, &self.shared.clock);
            let shared = self.shared.clone();
            let strict = ctx.strict_trace_id;
            self.reads
                .run(move || {
                    let snapshot = shared.snapshot(&budget);
                    let answer =
                        Reader::new(snapshot.parts(), &snapshot.seen, strict, &budget).search(&query);
                    snapshot.trim_tables();
                    answer
                })
                .await?
        }
        .boxed()
    }

    fn scan(&self, start_ns: u64, end_ns: u64, ctx: ReadCtx) -> BoxStream<'_, Result<Scanned, StoreError>> {
        let shared = self.shared.clone();
        let list_ctx = ctx.clone();
        let listed = async move {
            let (budget, cancel) = Budget::new(&list_ctx, &shared.clock);
            let strict = list_ctx.strict_trace_id;
            let ids = self
                .reads
                .run(move || {
                    let snapshot = shared.snapshot(&budget);
                    let mut reader = Reader::new(snapshot.parts(), &snapshot.seen, strict, &budget);
                    let ids = reader.ordered(start_ns, end_ns)?;
                    snapshot.trim_tables();
                    Ok((ids, reader.completeness()))
                })
                .await?;
            drop(cancel);
            ids
        };
        stream::once(listed)
            .flat_map(move |listed| match listed {
                Ok((ids, ended)) => self
                    .stream(ids, ctx.clone())
                    // A part's timestamp may lie in the window while the trace's own does not.
                    .filter(move |trace| futures::future::ready(in_window(trace, start_ns, end_ns)))
                    .map(|trace| trace.map(Scanned::Trace))
                    .chain(stream::iter([Ok(Scanned::End(ended))]))
                    .boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }

    fn links(
        &self,
        start_ns: u64,
        end_ns: u64,
        ctx: ReadCtx,
    ) -> BoxFuture<'_, Result<LinksAnswer, StoreError>> {
        async move {
            let (budget, _cancel) = Budget::new(&ctx, &self.shared.clock);
            let shared = self.shared.clone();
            let window = start_ns..=end_ns;
            self.reads.run(move || links(&shared.snapshot(&budget), &shared.links, window, &budget)).await?
        }
        .boxed()
    }

    fn values(&self, query: NamesQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<Names, StoreError>> {
        async move {
            let (budget, _cancel) = Budget::new(&ctx, &self.shared.clock);
            let shared = self.shared.clone();
            self.reads.run(move || names(&shared.snapshot(&budget), &query, &budget)).await?
        }
        .boxed()
    }
}

fn in_window(trace: &Result<TraceRows, StoreError>, start_ns: u64, end_ns: u64) -> bool {
    trace.as_ref().map_or(true, |trace| {
        tracepact_model::trace_timestamp_ns(&trace.rows).is_some_and(|at| (start_ns..=end_ns).contains(&at))
    })
}

impl Engine {
    /// The traces with these ids, some at a time, on the reading threads.
    fn stream(&self, ids: Vec<TraceId>, ctx: ReadCtx) -> BoxStream<'_, Result<TraceRows, StoreError>> {
        let (budget, cancel) = Budget::new(&ctx, &self.shared.clock);
        let cancel = Arc::new(cancel);
        let strict = ctx.strict_trace_id;
        let tasks: Vec<Vec<TraceId>> = ids.chunks(TRACES_PER_TASK).map(<[TraceId]>::to_vec).collect();
        stream::iter(tasks)
            .then(move |ids| {
                let (budget, cancel) = (budget.clone(), cancel.clone());
                let shared = self.shared.clone();
                async move {
                    let read = self
                        .reads
                        .run(move || {
                            let snapshot = shared.snapshot(&budget);
                            ids.into_iter().map(|id| read_trace(&snapshot, id, strict, &budget)).collect::<Vec<_>>()
                        })
                        .await;
                    drop(cancel);
                    match read {
                        Ok(traces) => traces,
                        Err(error) => vec![Err(error)],
                    }
                }
            })
            .flat_map(stream::iter)
            .filter(|trace| {
                let empty = matches!(trace, Ok(trace) if trace.rows.is_empty() && trace.completeness == Default::default());
                futures::future::ready(!empty)
            })
            .boxed()
    }
}

fn read_trace(
    snapshot: &super::state::Snapshot,
    id: TraceId,
    strict: bool,
    budget: &Budget,
) -> Result<TraceRows, StoreError> {
    budget.check()?;
    let mut reader = Reader::new(snapshot.parts(), &snapshot.seen, strict, budget);
    let rows = reader.trace(group(id, strict))?;
    Ok(TraceRows { trace_id: id, rows, completeness: reader.completeness() })
}
