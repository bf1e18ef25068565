//! Calls of many traces added up: first by number within a part, then by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracepact_analysis::DependencyLink;

use super::{TraceCalls, sorted};

/// Links so far.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    by_name: BTreeMap<(Arc<str>, Arc<str>), (u64, u64)>,
    /// Of the part at hand: calls that went well and that failed, by number.
    counts: Vec<u64>,
}

impl Sum {
    /// Adds the calls of the traces of a part that count.
    pub(crate) fn add(&mut self, part: &TraceCalls, count: impl Fn(u32) -> bool) {
        self.counts.clear();
        self.counts.resize(part.pairs.len() * 2, 0);
        for (place, (start, len)) in (0u32..).zip(&part.traces) {
            if count(place) {
                let calls = part.calls.get(*start as usize..(*start + *len) as usize);
                for call in calls.unwrap_or_default() {
                    if let Some(count) = self.counts.get_mut(*call as usize) {
                        *count += 1;
                    }
                }
            }
        }
        let counts = self.counts.as_chunks::<2>().0;
        for ((caller, callee), [good, failed]) in part.pairs.iter().zip(counts) {
            if good + failed > 0 {
                let sum = self.by_name.entry((caller.clone(), callee.clone())).or_default();
                *sum = (sum.0 + good + failed, sum.1 + failed);
            }
        }
    }

    /// All links, sorted by name.
    pub(crate) fn into_links(self) -> Vec<DependencyLink> {
        sorted(self.by_name)
    }
}
