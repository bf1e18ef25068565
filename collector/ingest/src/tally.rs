//! Verdicts over one body, counted by sender before they are told to the counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracepact_model::SpanChunk;
use tracepact_model::columnar::row_flags;

use crate::admission::{Reason, Verdict};
use crate::origin::{Origin, Senders};
use crate::sampling::Sampled;

/// Spans of one sender by what became of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) kept: u64,
    /// Of the kept ones.
    pub(crate) truncated: u64,
    pub(crate) sampled_out: u64,
    refused: [u64; Reason::ALL.len()],
}

impl Counts {
    /// How many were refused for each reason.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.refused).filter(|(_, count)| *count > 0)
    }

    fn add(&mut self, other: &Self) {
        self.kept += other.kept;
        self.truncated += other.truncated;
        self.sampled_out += other.sampled_out;
        for (sum, count) in self.refused.iter_mut().zip(other.refused) {
            *sum += count;
        }
    }
}

/// Counts while a body is decided over: by the number of the rows' own endpoint, so that nothing is looked up for a row.
#[derive(Debug)]
pub(crate) struct Tally {
    endpoints: Vec<Counts>,
    debug: DebugCounts,
}

/// Spans outside the sample with the debug flag.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DebugCounts {
    pub(crate) kept: u64,
    pub(crate) capped: u64,
}

/// Counts by the label of the sender.
#[derive(Debug, Default)]
pub(crate) struct BySender {
    pub(crate) senders: BTreeMap<Arc<str>, Counts>,
    pub(crate) debug: DebugCounts,
}

impl Tally {
    /// Nothing counted yet of `spans`.
    pub(crate) fn of(spans: &SpanChunk) -> Self {
        Self { endpoints: vec![Counts::default(); spans.endpoints.len()], debug: DebugCounts::default() }
    }

    /// Notes what was decided over a row.
    pub(crate) fn add(&mut self, spans: &SpanChunk, row: usize, verdict: Verdict) {
        let (local, flags) = (spans.rows.local.get(row), spans.rows.flags.get(row));
        let Some(counts) = local.and_then(|local| self.endpoints.get_mut(*local as usize)) else { return };
        match verdict {
            Verdict::Kept(sampled) => {
                counts.kept += 1;
                counts.truncated += u64::from(flags.is_some_and(|flags| flags & row_flags::TRUNCATED != 0));
                self.debug.kept += u64::from(sampled == Sampled::Debug);
            }
            Verdict::SampledOut(sampled) => {
                counts.sampled_out += 1;
                self.debug.capped += u64::from(sampled == Sampled::DebugCapped);
            }
            Verdict::Refused(reason) => {
                for (count, _) in counts.refused.iter_mut().zip(Reason::ALL).filter(|(_, of)| *of == reason) {
                    *count += 1;
                }
            }
        }
    }

    /// The counts by sender: the service of an endpoint, else who sent the body.
    pub(crate) fn by_sender(&self, spans: &SpanChunk, senders: &Senders, origin: &Origin) -> BySender {
        let mut by_sender = BySender { senders: BTreeMap::new(), debug: self.debug };
        for (endpoint, counts) in spans.endpoints.iter().zip(&self.endpoints) {
            if counts.kept > 0 || counts.sampled_out > 0 || counts.refused().next().is_some() {
                let label = senders.of_service(spans.texts.get(endpoint.service), origin.peer);
                by_sender.senders.entry(label).or_default().add(counts);
            }
        }
        by_sender
    }
}
