//! A block as a part of the store, on behalf of one read.

use std::sync::Arc;

use roaring::RoaringBitmap;
use tracepact_base::TraceId;

use super::Block;
use super::terms;
use crate::budget::Budget;
use crate::hot::Placed;
use crate::part::{Condition, Part, TraceTime, Traces};
use crate::{Predicate, SpanQuery, StoreError};

/// A block and the budget that its reads spend.
#[derive(Debug)]
pub(crate) struct BlockPart {
    pub(crate) block: Arc<Block>,
    pub(crate) budget: Budget,
}

impl Part for BlockPart {
    fn matching(&self, condition: Condition<'_>) -> Result<Option<RoaringBitmap>, StoreError> {
        let block = &self.block;
        match (condition.predicate, condition.service) {
            (Predicate::Duration { min_ns, .. }, _) => block.long(*min_ns, &self.budget).map(Some),
            (predicate, Some(service)) if is_error(predicate) && block.knows_failed_services() => {
                block.term(terms::of_failed(service), &self.budget).map(Some)
            }
            (predicate, _) => {
                terms::of_predicate(predicate).map(|hash| block.term(hash, &self.budget)).transpose()
            }
        }
    }

    fn window_ns(&self) -> Option<(u64, u64)> {
        Some((self.block.meta.min_ns, self.block.meta.max_ns))
    }

    fn time(&self, place: u32) -> Result<Option<TraceTime>, StoreError> {
        self.block.time(place, &self.budget)
    }

    fn meets(&self, place: u32, query: &SpanQuery) -> Result<bool, StoreError> {
        self.block.meets(place, query, &self.budget)
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

/// Whether it asks for failure in one of its words.
fn is_error(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::Error)
        || matches!(predicate, Predicate::AnnotationOrKey(text) if text == "error")
}
