//! Which spans of a good body are kept: those whose start lies within reach of now, whose trace is not too large, and
//! which sampling keeps.
//!
//! The decision is recorded with the body, so that reading the log again decides the same whatever the clock, the
//! settings or the sizes of traces say then.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use foldhash::fast::RandomState;
use tracepact_model::columnar::row_flags;
use tracepact_model::{Admission, SpanChunk};

use crate::sampling::{Sampled, Sampler};

/// Why a span of a good body is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It started longer ago than `age_max`.
    TooOld,
    /// It starts further ahead than `ahead_max`.
    TooFarAhead,
    /// It has no usable ids (OTLP).
    Malformed,
    /// Its trace has as many spans as a trace may have.
    TraceTooLarge,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TooOld, Self::TooFarAhead, Self::Malformed, Self::TraceTooLarge];

    /// The value of the `reason` label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::TooFarAhead => "too_far_ahead",
            Self::Malformed => "malformed",
            Self::TraceTooLarge => "trace_too_large",
        }
    }

    /// In words, for the sender.
    const fn words(self) -> &'static str {
        match self {
            Self::TooOld => "started too long ago",
            Self::TooFarAhead => "start too far in the future",
            Self::Malformed => "are malformed",
            Self::TraceTooLarge => "belong to a trace that has as many spans as a trace may have",
        }
    }
}

/// How many spans were refused and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refused {
    /// Spans by reason.
    pub counts: BTreeMap<Reason, u64>,
    /// What was wrong with the first malformed one.
    pub example: Option<String>,
}

impl Refused {
    /// All refused spans.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    pub(crate) fn add(&mut self, reason: Reason, count: u64) {
        if count > 0 {
            *self.counts.entry(reason).or_default() += count;
        }
    }

    /// One sentence for the sender; empty when nothing was refused.
    pub fn message(&self) -> String {
        let mut parts: Vec<String> =
            self.counts.iter().map(|(reason, count)| format!("{count} {}", reason.words())).collect();
        if let Some(example) = &self.example {
            parts.push(format!("for example: {example}"));
        }
        if parts.is_empty() { String::new() } else { format!("spans refused: {}", parts.join(", ")) }
    }
}

/// Within which bounds spans are kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// When they were received, nanoseconds since 1970.
    pub now_ns: u64,
    /// A span that started longer ago is refused.
    pub age_max: Duration,
    /// A span that starts further in the future is refused.
    pub ahead_max: Duration,
    /// Most spans of one trace.
    pub spans_per_trace_max: u32,
}

/// What was decided over one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is kept.
    Kept(Sampled),
    /// Sampling leaves it out.
    SampledOut(Sampled),
    /// It is refused.
    Refused(Reason),
}

/// What was decided over a body.
#[derive(Debug, Default)]
pub struct Decision {
    /// What the log records.
    pub admission: Admission,
    /// What the sender hears.
    pub refused: Refused,
    /// Kept spans of each trace, known by the low half of its id, for the next decision.
    pub kept: Vec<(u64, u32)>,
    /// Spans that sampling left out.
    pub sampled_out: u64,
    /// The first span of each trace that was refused for the size of its trace.
    pub cut: Vec<usize>,
}

/// Decides over the rows of a body in their order. `size` answers how many spans of a trace (by the low half of its id) are
/// kept already. A fragment without a start is kept: another may bring it. `seen` hears of every row's verdict.
pub fn admit(
    spans: &SpanChunk,
    bounds: &Bounds,
    sampler: &Sampler,
    monotonic_ns: u64,
    mut size: impl FnMut(u64) -> u32,
    mut seen: impl FnMut(usize, Verdict),
) -> Decision {
    let oldest = bounds.now_ns.saturating_sub(nanos(bounds.age_max));
    let newest = bounds.now_ns.saturating_add(nanos(bounds.ahead_max));
    let mut decision = Decision::default();
    let mut traces = Traces::default();
    let rows = &spans.rows;
    let starts_and_flags = rows.start_ns.iter().zip(&rows.flags);
    for (position, (trace_low, (start_ns, flags))) in rows.trace_low.iter().zip(starts_and_flags).enumerate()
    {
        let debug = flags & row_flags::DEBUG != 0;
        let verdict = match *start_ns {
            // 0 is not said.
            start if start > 0 && start < oldest => Verdict::Refused(Reason::TooOld),
            start if start > newest => Verdict::Refused(Reason::TooFarAhead),
            _ => match sampler.decide(*trace_low, debug, monotonic_ns) {
                sampled @ (Sampled::Out | Sampled::DebugCapped) => Verdict::SampledOut(sampled),
                sampled => {
                    let trace = traces.of(*trace_low, &mut size);
                    if trace.before.saturating_add(trace.kept) < bounds.spans_per_trace_max {
                        trace.kept += 1;
                        Verdict::Kept(sampled)
                    } else {
                        if !std::mem::replace(&mut trace.cut, true) {
                            decision.cut.push(position);
                        }
                        Verdict::Refused(Reason::TraceTooLarge)
                    }
                }
            },
        };
        seen(position, verdict);
        match verdict {
            Verdict::Kept(_) => continue,
            Verdict::SampledOut(_) => decision.sampled_out += 1,
            Verdict::Refused(reason) => decision.refused.add(reason, 1),
        }
        // A request has at most `spans_max` spans, far below 2^32.
        decision.admission.rejected.push(position as u32);
    }
    decision.kept =
        traces.list.iter().filter(|trace| trace.kept > 0).map(|trace| (trace.low, trace.kept)).collect();
    decision
}

/// The traces of one body.
#[derive(Default)]
struct Traces {
    list: Vec<Trace>,
    by_low: HashMap<u64, usize, RandomState>,
    last: Option<usize>,
}

struct Trace {
    low: u64,
    before: u32,
    kept: u32,
    cut: bool,
}

impl Traces {
    fn of(&mut self, low: u64, size: &mut impl FnMut(u64) -> u32) -> &mut Trace {
        // Spans of a trace mostly stand together.
        let index = match self.last.filter(|last| self.list[*last].low == low) {
            Some(last) => last,
            None => *self.by_low.entry(low).or_insert_with(|| {
                self.list.push(Trace { low, before: size(low), kept: 0, cut: false });
                self.list.len() - 1
            }),
        };
        self.last = Some(index);
        &mut self.list[index]
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tracepact_base::{SpanId, TraceId};
    use tracepact_model::Span;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const NOW_NS: u64 = 1_795_219_200_000_000_000;
    const BOUNDS: Bounds =
        Bounds { now_ns: NOW_NS, age_max: DAY, ahead_max: DAY, spans_per_trace_max: u32::MAX };

    fn span(trace: u128, start_ns: Option<u64>) -> Span {
        Span { start_ns, ..Span::new(TraceId::new(trace).unwrap(), SpanId::new(2).unwrap()) }
    }

    fn decide(spans: &[Span], bounds: &Bounds, rate: f64, size: impl FnMut(u64) -> u32) -> Decision {
        admit(&spans.into(), bounds, &Sampler::new(rate, 1), 0, size, |_, _| {})
    }

    #[test]
    fn bounds_are_inclusive_and_a_missing_start_is_kept() {
        let day = nanos(DAY);
        let starts =
            [Some(NOW_NS - day), Some(NOW_NS - day - 1), Some(NOW_NS + day), Some(NOW_NS + day + 1), None];
        let spans = starts.map(|start| span(1, start));
        let decision = decide(&spans, &BOUNDS, 1.0, |_| 0);
        assert_eq!(decision.admission.rejected, [1, 3]);
        assert_eq!(
            decision.refused.message(),
            "spans refused: 1 started too long ago, 1 start too far in the future"
        );
        assert_eq!(decision.admission.admit(spans.to_vec()).len(), 3);
        assert_eq!(decision.kept, [(1, 3)]);
    }

    #[test]
    fn nothing_refused_has_no_message() {
        assert_eq!(decide(&[span(1, None)], &BOUNDS, 1.0, |_| 0).refused.message(), "");
    }

    #[test]
    fn a_trace_takes_so_many_spans_and_others_are_not_touched() {
        let bounds = Bounds { spans_per_trace_max: 5, ..BOUNDS };
        let wide = 1 | 9 << 64;
        let spans = [1, 2, wide, 1, 1, 2].map(|trace| span(trace, None));
        let decision = decide(&spans, &bounds, 1.0, |trace| if trace == 1 { 3 } else { 0 });
        assert_eq!(decision.admission.rejected, [3, 4]);
        assert_eq!(decision.cut, [3]);
        assert_eq!(decision.kept, [(1, 2), (2, 2)]);
        assert_eq!(decision.refused.counts[&Reason::TraceTooLarge], 2);
    }

    #[test]
    fn what_sampling_leaves_out_is_recorded_and_not_refused() {
        let mut debug = span(2, None);
        debug.flags.debug = true;
        let spans = SpanChunk::from(vec![span(1, None), debug.clone(), debug]);
        let mut verdicts = Vec::new();
        let decision =
            admit(&spans, &BOUNDS, &Sampler::new(0.0, 1), 0, |_| 0, |_, verdict| verdicts.push(verdict));
        assert_eq!(decision.admission.rejected, [0, 2]);
        assert_eq!((decision.sampled_out, decision.refused.total()), (2, 0));
        assert_eq!(
            verdicts,
            [
                Verdict::SampledOut(Sampled::Out),
                Verdict::Kept(Sampled::Debug),
                Verdict::SampledOut(Sampled::DebugCapped)
            ]
        );
    }
}
