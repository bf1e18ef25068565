//! A block as a part of the store, on behalf of one read.

use std::sync::Arc;

use roaring::RoaringBitmap;
use tracepact_base::TraceId;

use super::Block;
use super::terms;
use crate::budget::Budget;
use crate::hot::Placed;
use crate::part::{Part, Traces};
use crate::{Predicate, StoreError};

/// A block and the budget that its reads spend.
#[derive(Debug)]
pub(crate) struct BlockPart {
    pub(crate) block: Arc<Block>,
    pub(crate) budget: Budget,
}

impl Part for BlockPart {
    fn matching(&self, predicate: &Predicate) -> Result<Option<RoaringBitmap>, StoreError> {
        if let Predicate::Duration { min_ns, .. } = predicate {
            return self.block.long(*min_ns, &self.budget).map(Some);
        }
        terms::of_predicate(predicate).map(|hash| self.block.term(hash, &self.budget)).transpose()
    }

    fn count(&self) -> u32 {
        self.block.trace_count()
    }

    fn traces(&self) -> Result<Arc<Traces>, StoreError> {
        self.block.traces(&self.budget)
    }

    fn id(&self, place: u32) -> Result<TraceId, StoreError> {
        self.block.entry(place, &self.budget).map(|(id, ..)| id)
    }

    fn find(&self, id: TraceId, strict: bool) -> Result<Vec<u32>, StoreError> {
        self.block.find(id, strict, &self.budget)
    }

    fn rows(&self, place: u32, out: &mut Vec<Placed>) -> Result<(), StoreError> {
        self.block.rows(place, &self.budget, out)
    }

    fn name(&self) -> String {
        self.block.name()
    }
}
