//! Calls as numbers: a pair of services has a number, and a call is its pair's number and whether it failed.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tracepact_analysis::{Call, DependencyLink, LinkReader};
use tracepact_model::SpanChunk;
use tracepact_model::columnar::Malformed;

/// Pairs of services, numbered in the order met.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    reader: LinkReader,
    list: Vec<(u32, u32)>,
    numbers: HashMap<(u32, u32), u32, RandomState>,
    /// Of the trace at hand.
    calls: Vec<Call>,
}

impl Pairs {
    /// Appends the calls of one trace of a chunk: twice the pair's number, and one when the call failed.
    pub(crate) fn of_trace(
        &mut self,
        chunk: &SpanChunk,
        rows: impl Iterator<Item = u32> + Clone,
        out: &mut Vec<u32>,
    ) -> Result<(), Malformed> {
        self.calls.clear();
        let read = self.reader.trace(chunk, rows, &mut self.calls);
        self.number_calls(out);
        read
    }

    /// Appends calls that were found in owned rows.
    pub(crate) fn of_links(&mut self, links: &[DependencyLink], out: &mut Vec<u32>) {
        self.calls.clear();
        self.reader.calls_of(links, &mut self.calls);
        self.number_calls(out);
    }

    fn number_calls(&mut self, out: &mut Vec<u32>) {
        let Self { list, numbers, calls, .. } = self;
        for Call { caller, callee, failed } in calls.drain(..) {
            let number = *numbers.entry((caller, callee)).or_insert_with(|| {
                list.push((caller, callee));
                list.len() as u32 - 1
            });
            out.push(number << 1 | u32::from(failed));
        }
    }

    /// The services of each pair.
    pub(crate) fn names(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let names = self.reader.names();
        let name = |number: u32| names.get(number as usize).cloned().unwrap_or_default();
        self.list.iter().map(|(caller, callee)| (name(*caller), name(*callee))).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// The calls of every trace of a part, by its place.
#[derive(Debug, Clone, Default)]
pub(crate) struct TraceCalls {
    /// The services of each pair.
    pub(crate) pairs: Vec<(Arc<str>, Arc<str>)>,
    /// Of each trace: where its calls start, and how many there are.
    pub(crate) traces: Vec<(u32, u32)>,
    /// Calls as [`Pairs`] numbers them.
    pub(crate) calls: Vec<u32>,
}
