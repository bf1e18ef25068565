//! Deleting: find the traces, put a tombstone for each into the log, answer.

use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracepact_base::{ErrorKind, TraceId};

use super::append::Label;
use super::state::Shared;
use super::tombstones::{Mark, write_marks};
use super::{Census, Engine, Manifest};
use crate::admin::{DELETE_TRACES_MAX, Deleted, Deletion, Pending, StoreAdmin};
use crate::budget::Budget;
use crate::hot::HotRows;
use crate::log::Table;
use crate::part::group;
use crate::search::Reader;
use crate::{Completeness, ReadCtx, SpanQuery, StoreError};

impl StoreAdmin for Engine {
    fn delete(
        &self,
        deletion: Deletion,
        dry_run: bool,
        ctx: ReadCtx,
    ) -> BoxFuture<'_, Result<Deleted, StoreError>> {
        async move {
            let strict = ctx.strict_trace_id;
            let (budget, _cancel) = Budget::new(&ctx, &self.shared.clock);
            let shared = self.shared.clone();
            let deleted = self.reads.run(move || find(&shared, deletion, strict, &budget)).await??;
            if dry_run || deleted.traces.is_empty() {
                return Ok(deleted);
            }
            self.bury(&deleted.traces, strict).await?;
            Ok(deleted)
        }
        .boxed()
    }

    fn pending(&self) -> Pending {
        let tombstones = self.shared.state.read().tombstones.clone();
        Pending { traces: tombstones.len() as u64, oldest_ns: tombstones.oldest_ns() }
    }

    fn census(&self) -> Result<Census, StoreError> {
        Engine::census(self)
    }

    fn snapshot(&self) -> Result<(PathBuf, Manifest), StoreError> {
        Engine::snapshot(self)
    }

    fn snapshots(&self) -> Result<Vec<(PathBuf, Manifest)>, StoreError> {
        Engine::snapshots(self)
    }

    fn remove_snapshot(&self, name: &str) -> Result<(), StoreError> {
        Engine::remove_snapshot(self, name)
    }
}

impl Engine {
    /// Logs tombstones; resolves once they are durable and every query heeds them.
    async fn bury(&self, traces: &[TraceId], strict: bool) -> Result<(), StoreError> {
        let (known, max) = (self.shared.state.read().tombstones.len(), self.shared.config.tombstones_max);
        if known + traces.len() > max {
            return Err(StoreError::new(
                ErrorKind::Exhausted,
                format!(
                    "{known} deletions wait for compaction and {} more would exceed {max}: nothing of this request was \
                     deleted",
                    traces.len()
                ),
            ));
        }
        let at_ns = self.shared.clock.now_ns();
        let marks: Vec<Mark> = traces.iter().map(|id| Mark::new(*id, strict, at_ns)).collect();
        let label = Label { table: Table::Tombstones, codec: 0, received_at_ns: at_ns, rejected: Vec::new() };
        let body = write_marks(&marks);
        self.log_body(label, body.into(), HotRows::Tombstones(marks)).await.map(|_| ())
    }
}

fn find(
    shared: &Arc<Shared>,
    deletion: Deletion,
    strict: bool,
    budget: &Budget,
) -> Result<Deleted, StoreError> {
    let snapshot = shared.snapshot(budget);
    let mut reader = Reader::new(snapshot.parts(), &snapshot.seen, strict, budget);
    match deletion {
        Deletion::Traces(ids) => {
            if ids.len() > DELETE_TRACES_MAX {
                let reason =
                    format!("{} traces are more than the {DELETE_TRACES_MAX} of one deletion", ids.len());
                return Err(StoreError::new(ErrorKind::TooLarge, reason));
            }
            let mut traces = Vec::new();
            for id in ids {
                budget.check()?;
                let id = group(id, strict);
                // A trace in a damaged block is deleted as well: it may be there.
                let gone = reader.trace(id)?.is_empty() && !reader.is_damaged();
                if !gone && !traces.contains(&id) {
                    traces.push(id);
                }
            }
            Ok(Deleted { traces, more: false, completeness: reader.completeness() })
        }
        Deletion::Matching(query) => {
            let limit = query.limit.min(DELETE_TRACES_MAX);
            let answer = reader.search(&SpanQuery { limit, ..query })?;
            let more = answer.hits.len() >= limit || matches!(answer.completeness, Completeness::Cut { .. });
            let traces = answer.hits.into_iter().map(|hit| group(hit.trace_id, strict)).collect();
            Ok(Deleted { traces, more, completeness: answer.completeness })
        }
    }
}
