//! Links of the traces in memory, computed anew for those that got rows since somebody asked last.

use tracepact_base::ErrorKind;

use super::{Generation, Inner};
use crate::StoreError;
use crate::links::{Pairs, TraceCalls};

/// Rows that are looked at before appends get their turn.
const ROWS_AT_ONCE: usize = 8_192;

/// What was computed of a generation.
#[derive(Debug, Default)]
pub(super) struct HotLinks {
    pairs: Pairs,
    of_traces: TraceCalls,
    /// Rows that it knows.
    rows: usize,
    /// Calls that no trace has any more.
    outdated: usize,
}

impl Generation {
    /// Gives the calls of its traces, as they are now, to `read`.
    pub(crate) fn links(&self, read: impl FnOnce(&TraceCalls)) -> Result<(), StoreError> {
        let mut links = self.links.lock();
        while !links.catch_up(&self.inner.read())? {}
        if links.of_traces.pairs.len() < links.pairs.len() {
            links.of_traces.pairs = links.pairs.names();
        }
        read(&links.of_traces);
        Ok(())
    }
}

impl HotLinks {
    /// Looks at some of the rows that it does not know; whether it knows all then.
    fn catch_up(&mut self, inner: &Inner) -> Result<bool, StoreError> {
        let trace_of = inner.traces().trace_of();
        let end = trace_of.len().min(self.rows + ROWS_AT_ONCE);
        let mut changed = trace_of.get(self.rows..end).unwrap_or_default().to_vec();
        changed.sort_unstable();
        changed.dedup();
        let TraceCalls { traces, calls, .. } = &mut self.of_traces;
        traces.resize(inner.traces().all().len().max(traces.len()), (0, 0));
        for trace in changed {
            let start = calls.len() as u32;
            let rows = inner.traces().rows(trace);
            let read = self.pairs.of_trace(inner.chunk(), rows, calls);
            read.map_err(|error| StoreError::new(ErrorKind::Corrupt, format!("rows in memory: {error}")))?;
            if let Some(known) = traces.get_mut(trace as usize) {
                self.outdated += known.1 as usize;
                *known = (start, calls.len() as u32 - start);
            }
        }
        self.rows = end;
        if self.outdated > calls.len() / 2 && self.outdated > ROWS_AT_ONCE {
            let mut kept = Vec::with_capacity(calls.len() - self.outdated);
            for (start, len) in traces.iter_mut() {
                let of_trace = calls.get(*start as usize..(*start + *len) as usize).unwrap_or_default();
                *start = kept.len() as u32;
                kept.extend_from_slice(of_trace);
            }
            *calls = kept;
            self.outdated = 0;
        }
        Ok(end >= trace_of.len())
    }
}
