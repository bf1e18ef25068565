//! One trace with everything that is computed of it: what all answers about a trace are written from.

use std::sync::Arc;

use tracepact_analysis::{
    Header, RepeatedCall, Segment, Tree, clock_skew, critical_path, header_at, intervals, linked_trace_ids,
    merge, repeated_calls, self_times_ns,
};
use tracepact_base::{ErrorKind, TraceId};
use tracepact_listener::Problem;
use tracepact_store::{StoreError, TraceRows};

use crate::Query;
use crate::native::answer::problem;
use crate::service::{cut_text, worse};

/// Most traces that consumers link to and that are shown with theirs.
const LINKED_MAX: usize = 4;
/// Traces of more rows are computed on the blocking pool.
const INLINE_ROWS_MAX: usize = 2_000;

/// A trace and what it means. Lists are by [`Tree::nodes`].
#[derive(Debug)]
pub(super) struct Analysed {
    pub(super) trace_id: TraceId,
    /// Why not everything is there.
    pub(super) cuts: Vec<String>,
    pub(super) tree: Tree,
    pub(super) header: Header,
    /// How far each span has to be moved to be on its caller's clock.
    pub(super) moves_ns: Vec<i64>,
    pub(super) self_times_ns: Vec<Option<u64>>,
    pub(super) path: Vec<Segment>,
    pub(super) repeated: Vec<RepeatedCall>,
}

impl Analysed {
    fn of(trace: &TraceRows, cuts: Vec<String>) -> Self {
        let tree = Tree::build(merge(&trace.rows));
        let moves_ns = clock_skew(&tree);
        let intervals = intervals(&tree, &moves_ns);
        let header = header_at(&tree, &intervals);
        Self {
            trace_id: trace.trace_id,
            cuts,
            header,
            self_times_ns: self_times_ns(&tree, &intervals),
            path: critical_path(&tree, &intervals),
            repeated: repeated_calls(&tree, &intervals),
            tree,
            moves_ns,
        }
    }

    /// Time on the critical path of each node, in nanoseconds.
    pub(super) fn critical_ns(&self) -> Vec<u64> {
        let mut times = vec![0u64; self.tree.nodes.len()];
        for segment in &self.path {
            times[segment.node] = times[segment.node].saturating_add(segment.interval.length_ns());
        }
        times
    }
}

/// Reads an id as people paste it.
pub(super) fn trace_id(text: &str) -> Result<TraceId, Problem> {
    text.trim().parse().map_err(|error: tracepact_base::IdError| {
        Problem::invalid(format!("{text:?} is not a trace id: {error}"))
    })
}

/// Finds a trace, with the traces its consumers are linked to, and computes.
pub(super) async fn analysed(query: &Query, id: TraceId) -> Result<Arc<Analysed>, Problem> {
    let found = query.traces(vec![id]).await.map_err(problem)?;
    let trace = found.traces.into_iter().find(|trace| !trace.rows.is_empty());
    let mut trace = trace.ok_or_else(|| Problem::not_found(format!("no span of trace {id} is stored")))?;
    trace.completeness = worse(found.completeness, trace.completeness);
    let mut cuts = add_linked(query, &mut trace).await.map_err(problem)?;
    cuts.extend(cut_text(&trace.completeness));
    if trace.rows.len() <= INLINE_ROWS_MAX {
        return Ok(Arc::new(Analysed::of(&trace, cuts)));
    }
    let computed = tokio::task::spawn_blocking(move || Arc::new(Analysed::of(&trace, cuts))).await;
    computed.map_err(|_| Problem::new(ErrorKind::Internal, "the trace could not be computed"))
}

/// Adds the rows of the traces that consumers without a parent link to: there is who sent their message.
async fn add_linked(query: &Query, trace: &mut TraceRows) -> Result<Vec<String>, StoreError> {
    let mut linked = linked_trace_ids(&trace.rows);
    let mut cuts = Vec::new();
    if linked.len() > LINKED_MAX {
        cuts.push(format!("{LINKED_MAX} of {} linked traces are shown", linked.len()));
        linked.truncate(LINKED_MAX);
    }
    if !linked.is_empty() {
        let found = query.traces(linked).await?;
        let completeness = std::mem::take(&mut trace.completeness);
        trace.completeness = worse(completeness, found.completeness);
        trace.rows.extend(found.traces.into_iter().flat_map(|linked| linked.rows));
    }
    Ok(cuts)
}
