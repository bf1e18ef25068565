//! One part of the store, as a search sees it: a generation of rows in memory, or one block.

use std::sync::Arc;

use roaring::RoaringBitmap;
use tracepact_base::TraceId;

use crate::hot::Placed;
use crate::{Predicate, StoreError};

/// What a part's rows alone say about when a trace was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceTime {
    /// Start of the first row without a parent, else the earliest start.
    pub(crate) at_ns: u64,
    /// Whether it is the start of a row without a parent: then no other part's earliest start counts.
    pub(crate) rooted: bool,
}

/// The traces of a part by their places.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    pub(crate) ids: Vec<TraceId>,
    /// `None` for a trace none of whose rows has a start.
    pub(crate) times: Vec<Option<TraceTime>>,
}

/// A part of the store. Its traces have places from 0 on.
pub(crate) trait Part: Send + Sync {
    /// Places of the traces with a row that may meet `predicate` (names lowered); `None` for all of them.
    fn matching(&self, predicate: &Predicate) -> Result<Option<RoaringBitmap>, StoreError>;

    /// Number of traces.
    fn count(&self) -> u32;

    /// All traces.
    fn traces(&self) -> Result<Arc<Traces>, StoreError>;

    /// The id of the trace at a place.
    fn id(&self, place: u32) -> Result<TraceId, StoreError>;

    /// Places of the traces with this id, or with its low half unless `strict`.
    fn find(&self, id: TraceId, strict: bool) -> Result<Vec<u32>, StoreError>;

    /// Appends the rows of the trace at a place.
    fn rows(&self, place: u32, out: &mut Vec<Placed>) -> Result<(), StoreError>;

    /// Name in messages about damage.
    fn name(&self) -> String;
}

/// What traces are grouped by: the whole id, or its low half.
pub(crate) fn group(id: TraceId, strict: bool) -> TraceId {
    if strict { id } else { TraceId::new(u128::from(id.low())).unwrap_or(id) }
}
