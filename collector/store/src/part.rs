//! One part of the store, as a search sees it: the hot generations, or one block.

use tracepact_base::TraceId;

use crate::hot::Placed;
use crate::{Predicate, StoreError};

/// Which traces of a part may meet a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Candidates {
    /// The part has no index for this condition.
    All,
    /// These, and no others; some of them may turn out not to.
    Ids(Vec<TraceId>),
}

/// What a part's rows alone say about when a trace was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceTime {
    pub(crate) id: TraceId,
    /// Start of the first row without a parent, else the earliest start.
    pub(crate) at_ns: u64,
    /// Whether it is the start of a row without a parent: then no other part's earliest start counts.
    pub(crate) rooted: bool,
}

/// A part of the store.
pub(crate) trait Part: Send + Sync {
    /// How many traces [`Part::candidates`] would give, without giving them; `None` for all.
    fn estimate(&self, predicate: &Predicate) -> Result<Option<u64>, StoreError>;

    /// Traces with a row that may meet `predicate` (names lowered).
    fn candidates(&self, predicate: &Predicate) -> Result<Candidates, StoreError>;

    /// Traces with a timestamp of this part's rows alone within the window. The trace's own timestamp is one of
    /// those that its parts give, so what no part gives does not match.
    fn timestamps(&self, start_ns: u64, end_ns: u64) -> Result<Vec<TraceTime>, StoreError>;

    /// Appends the rows of a trace; of every trace with the same low half unless `strict`.
    fn trace(&self, id: TraceId, strict: bool, out: &mut Vec<Placed>) -> Result<(), StoreError>;

    /// Name in messages about damage.
    fn name(&self) -> String;
}

/// What traces are grouped by: the whole id, or its low half.
pub(crate) fn group(id: TraceId, strict: bool) -> TraceId {
    if strict { id } else { TraceId::new(u128::from(id.low())).unwrap_or(id) }
}
