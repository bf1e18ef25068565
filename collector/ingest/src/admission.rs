//! Which spans of a good body are kept: those whose start lies within reach of now.
//!
//! The decision is recorded with the body, so that reading the log again decides the same whatever the clock says then.

use std::collections::BTreeMap;
use std::time::Duration;

use tracepact_model::{Admission, Span};

/// Why a span of a good body is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It started longer ago than `age_max`.
    TooOld,
    /// It starts further ahead than `ahead_max`.
    TooFarAhead,
    /// It has no usable ids (OTLP).
    Malformed,
}

impl Reason {
    /// The value of the `reason` label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::TooFarAhead => "too_far_ahead",
            Self::Malformed => "malformed",
        }
    }

    /// In words, for the sender.
    const fn words(self) -> &'static str {
        match self {
            Self::TooOld => "started too long ago",
            Self::TooFarAhead => "start too far in the future",
            Self::Malformed => "are malformed",
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

/// Decides over `spans` received at `now_ns`. A fragment without a start is kept: another may bring it.
pub fn admit(spans: &[Span], now_ns: u64, age_max: Duration, ahead_max: Duration) -> (Admission, Refused) {
    let oldest = now_ns.saturating_sub(nanos(age_max));
    let newest = now_ns.saturating_add(nanos(ahead_max));
    let mut admission = Admission::default();
    let mut refused = Refused::default();
    for (position, span) in spans.iter().enumerate() {
        let reason = match span.start_ns {
            Some(start) if start < oldest => Reason::TooOld,
            Some(start) if start > newest => Reason::TooFarAhead,
            _ => continue,
        };
        refused.add(reason, 1);
        // A request has at most `spans_max` spans, far below 2^32.
        admission.rejected.push(position as u32);
    }
    (admission, refused)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tracepact_base::{SpanId, TraceId};

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const NOW_NS: u64 = 1_795_219_200_000_000_000;

    fn span(start_ns: Option<u64>) -> Span {
        Span { start_ns, ..Span::new(TraceId::new(1).unwrap(), SpanId::new(2).unwrap()) }
    }

    #[test]
    fn bounds_are_inclusive_and_a_missing_start_is_kept() {
        let day = nanos(DAY);
        let spans = [
            span(Some(NOW_NS - day)),
            span(Some(NOW_NS - day - 1)),
            span(Some(NOW_NS + day)),
            span(Some(NOW_NS + day + 1)),
            span(None),
        ];
        let (admission, refused) = admit(&spans, NOW_NS, DAY, DAY);
        assert_eq!(admission.rejected, [1, 3]);
        assert_eq!(refused.message(), "spans refused: 1 started too long ago, 1 start too far in the future");
        assert_eq!(admission.admit(spans.to_vec()).len(), 3);
    }

    #[test]
    fn nothing_refused_has_no_message() {
        assert_eq!(admit(&[span(None)], NOW_NS, DAY, DAY).1.message(), "");
    }
}
