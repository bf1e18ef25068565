//! How many spans each trace has brought, so that one trace without end does not take the place of all others.
//!
//! Memory is bounded: traces that bring nothing while many others do are forgotten and counted anew.

use std::collections::HashMap;

use parking_lot::Mutex;
use tracepact_base::TraceId;

/// Most traces of one generation; two are kept.
const TRACES_MAX: usize = 1 << 16;

/// Spans of a trace that were kept, and whether it was said already that more were refused.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    spans: u32,
    marked: bool,
}

/// Sizes of the traces that were active lately.
#[derive(Debug, Default)]
pub(crate) struct TraceSizes {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    current: HashMap<u64, Size>,
    previous: HashMap<u64, Size>,
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
    /// How many spans `trace` has; both widths of an id are one trace.
    pub(crate) fn spans(&self, trace: TraceId) -> u32 {
        self.generations.lock().size(trace.low()).spans
    }

    /// Counts spans that were kept.
    pub(crate) fn add(&self, kept: impl IntoIterator<Item = (TraceId, u32)>) {
        let mut generations = self.generations.lock();
        for (trace, spans) in kept {
            let size = generations.size(trace.low());
            size.spans = size.spans.saturating_add(spans);
        }
    }

    /// Whether nobody asked this before for `trace`.
    pub(crate) fn mark(&self, trace: TraceId) -> bool {
        !std::mem::replace(&mut self.generations.lock().size(trace.low()).marked, true)
    }

    /// Takes a mark back.
    pub(crate) fn unmark(&self, trace: TraceId) {
        self.generations.lock().size(trace.low()).marked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> TraceId {
        TraceId::new(number).unwrap()
    }

    #[test]
    fn an_active_trace_is_remembered_while_others_come_and_go() {
        let sizes = TraceSizes::default();
        for other in 0..10 {
            sizes.add([(id(7), 1)]);
            sizes.add((0..TRACES_MAX as u128 / 2).map(|n| (id(1_000 + other * 1_000_000 + n), 1)));
        }
        assert_eq!(sizes.spans(id(7 | 1 << 64)), 10);
        assert!(sizes.mark(id(7)) && !sizes.mark(id(7)));
        sizes.unmark(id(7));
        assert!(sizes.mark(id(7)));
        let generations = sizes.generations.lock();
        assert!(generations.current.len() <= TRACES_MAX && generations.previous.len() <= TRACES_MAX);
    }
}
