//! How many spans each trace has brought, so that one trace without end does not take the place of all others.
//!
//! Memory is bounded: traces that bring nothing while many others do are forgotten and counted anew.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use parking_lot::Mutex;

/// Most traces of one generation; two are kept.
const TRACES_MAX: usize = 1 << 16;

/// Spans of a trace that were kept, and whether it was said already that more were refused.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    spans: u32,
    marked: bool,
}

/// Sizes of the traces that were active lately. A trace is known by the low half of its id: both widths are one trace.
#[derive(Debug, Default)]
pub(crate) struct TraceSizes {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    current: HashMap<u64, Size, RandomState>,
    previous: HashMap<u64, Size, RandomState>,
}

impl Generations {
    fn size(&mut self, trace: u64) -> &mut Size {
        if !self.current.contains_key(&trace) {
            let known = self.previous.remove(&trace).unwrap_or_default();
            if self.current.len() >= TRACES_MAX {
                self.previous = std::mem::take(&mut self.current);
            }
            self.current.insert(trace, known);
        }
        self.current.entry(trace).or_default()
    }
}

impl TraceSizes {
    /// How many spans `trace` has.
    pub(crate) fn spans(&self, trace: u64) -> u32 {
        self.generations.lock().size(trace).spans
    }

    /// Counts spans that were kept.
    pub(crate) fn add(&self, kept: impl IntoIterator<Item = (u64, u32)>) {
        let mut generations = self.generations.lock();
        for (trace, spans) in kept {
            let size = generations.size(trace);
            size.spans = size.spans.saturating_add(spans);
        }
    }

    /// Whether nobody asked this before for `trace`.
    pub(crate) fn mark(&self, trace: u64) -> bool {
        !std::mem::replace(&mut self.generations.lock().size(trace).marked, true)
    }

    /// Takes a mark back.
    pub(crate) fn unmark(&self, trace: u64) {
        self.generations.lock().size(trace).marked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_active_trace_is_remembered_while_others_come_and_go() {
        let sizes = TraceSizes::default();
        for other in 0..10 {
            sizes.add([(7, 1)]);
            sizes.add((0..TRACES_MAX as u64 / 2).map(|n| (1_000 + other * 1_000_000 + n, 1)));
        }
        assert_eq!(sizes.spans(7), 10);
        assert!(sizes.mark(7) && !sizes.mark(7));
        sizes.unmark(7);
        assert!(sizes.mark(7));
        let generations = sizes.generations.lock();
        assert!(generations.current.len() <= TRACES_MAX && generations.previous.len() <= TRACES_MAX);
    }
}
