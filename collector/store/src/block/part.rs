//! A block as a part of the store, on behalf of one read.

use std::sync::Arc;

use tracepact_base::TraceId;

use super::Block;
use super::index::TraceEntry;
use super::terms;
use crate::budget::Budget;
use crate::hot::Placed;
use crate::part::{Candidates, Part, TraceTime};
use crate::{Predicate, StoreError};

/// A block and the budget that its reads spend.
#[derive(Debug)]
pub(crate) struct BlockPart {
    pub(crate) block: Arc<Block>,
    pub(crate) budget: Budget,
}

impl BlockPart {
    fn of_duration(&self, min_ns: u64) -> Result<impl Iterator<Item = TraceEntry>, StoreError> {
        let long = move |trace: &TraceEntry| trace.duration_max_ns.is_some_and(|max| max >= min_ns);
        Ok(self.block.traces(&self.budget)?.into_iter().filter(long))
    }
}

impl Part for BlockPart {
    fn estimate(&self, predicate: &Predicate) -> Result<Option<u64>, StoreError> {
        if let Predicate::Duration { min_ns, .. } = predicate {
            return Ok(Some(self.of_duration(*min_ns)?.count() as u64));
        }
        let Some(hash) = terms::of_predicate(predicate) else { return Ok(None) };
        let term = self.block.term(hash, &self.budget)?;
        Ok(Some(term.map_or(0, |term| u64::from(term.traces))))
    }

    fn candidates(&self, predicate: &Predicate) -> Result<Candidates, StoreError> {
        if let Predicate::Duration { min_ns, .. } = predicate {
            return Ok(Candidates::Ids(self.of_duration(*min_ns)?.map(|trace| trace.id).collect()));
        }
        let Some(hash) = terms::of_predicate(predicate) else { return Ok(Candidates::All) };
        let Some(term) = self.block.term(hash, &self.budget)? else { return Ok(Candidates::Ids(Vec::new())) };
        let places = self.block.posting(term, &self.budget)?;
        let traces = self.block.traces_at(&places, &self.budget)?;
        Ok(Candidates::Ids(traces.into_iter().map(|trace| trace.id).collect()))
    }

    fn timestamps(&self, start_ns: u64, end_ns: u64) -> Result<Vec<TraceTime>, StoreError> {
        if self.block.meta.min_ns > end_ns || self.block.meta.max_ns < start_ns {
            return Ok(Vec::new());
        }
        let within = |trace: TraceEntry| {
            let at_ns = trace.timestamp_ns.filter(|at| (start_ns..=end_ns).contains(at))?;
            Some(TraceTime { id: trace.id, at_ns, rooted: trace.rooted })
        };
        Ok(self.block.traces(&self.budget)?.into_iter().filter_map(within).collect())
    }

    fn trace(&self, id: TraceId, strict: bool, out: &mut Vec<Placed>) -> Result<(), StoreError> {
        for entry in self.block.find(id, &self.budget)? {
            if !strict || entry.id == id {
                self.block.rows(entry.first_row, entry.rows, &self.budget, out)?;
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.block.name()
    }
}
