//! Links of traces that several parts have, until their rows change.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tracepact_analysis::DependencyLink;

use super::{Pairs, Sum, TraceCalls};

/// Most traces that are remembered; beyond, all are forgotten and computed again when asked for.
const TRACES_MAX: usize = 65_536;

/// Where the rows of a trace are: part, place, and for rows in memory their number, which grows.
pub(super) type RowsAt = Box<[(u128, u32, u32)]>;

/// The traces, by the low half of their ids.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    traces: HashMap<u64, Kept, RandomState>,
    pairs: Pairs,
    /// The calls of traces that are gone stay until all go.
    calls: Vec<u32>,
}

#[derive(Debug)]
struct Kept {
    rows_at: RowsAt,
    timestamp_ns: Option<u64>,
    start: u32,
    len: u32,
}

impl Remembered {
    /// Adds the traces that are known as they are now and whose timestamp `counts`; answers, in their order, which are
    /// not known.
    pub(super) fn add<'k>(
        &self,
        asked: impl Iterator<Item = (u64, &'k RowsAt)>,
        counts: impl Fn(u64) -> bool,
        sum: &mut Sum,
    ) -> Vec<bool> {
        let inner = self.0.lock();
        let mut found = TraceCalls { pairs: inner.pairs.names(), ..TraceCalls::default() };
        let unknown = asked.map(|(low, rows_at)| {
            let Some(kept) = inner.traces.get(&low).filter(|kept| kept.rows_at == *rows_at) else {
                return true;
            };
            if kept.timestamp_ns.is_some_and(&counts) {
                let start = found.calls.len() as u32;
                let calls = inner.calls.get(kept.start as usize..(kept.start + kept.len) as usize);
                found.calls.extend_from_slice(calls.unwrap_or_default());
                found.traces.push((start, kept.len));
            }
            false
        });
        let unknown = unknown.collect();
        drop(inner);
        sum.add(&found, |_| true);
        unknown
    }

    /// Remembers a trace.
    pub(super) fn keep(
        &self,
        low: u64,
        rows_at: RowsAt,
        timestamp_ns: Option<u64>,
        links: &[DependencyLink],
    ) {
        let mut inner = self.0.lock();
        // Calls of earlier states of the traces count as well: each has about as many as it has rows.
        if inner.traces.len() >= TRACES_MAX || inner.calls.len() >= TRACES_MAX * 64 {
            *inner = Inner::default();
        }
        let Inner { traces, pairs, calls } = &mut *inner;
        let start = calls.len() as u32;
        pairs.of_links(links, calls);
        let len = calls.len() as u32 - start;
        traces.insert(low, Kept { rows_at, timestamp_ns, start, len });
    }
}
