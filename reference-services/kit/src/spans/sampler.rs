//! Which spans are sampled.

use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceState};
use opentelemetry::{Context, KeyValue, TraceId};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::propagation::Decision;
use crate::propagation::context::decision_of;

/// Follows the caller; where the caller left it open, or there is none, a share of traces by their id.
///
/// Spans that are not sampled are still recorded in the process, so that they are counted; they never leave it.
#[derive(Debug, Clone)]
pub struct KitSampler {
    ratio: f64,
}

impl KitSampler {
    /// Samples `ratio` (0.0 to 1.0) of the traces it decides about.
    pub fn new(ratio: f64) -> Self {
        Self { ratio: ratio.clamp(0.0, 1.0) }
    }

    fn chooses(&self, trace_id: TraceId) -> bool {
        if self.ratio >= 1.0 {
            return true;
        }
        // The low 63 bits, so that every service with the same ratio chooses alike and 64-bit ids are covered.
        let low = u128::from_be_bytes(trace_id.to_bytes()) as u64 >> 1;
        (low as f64) < self.ratio * (u64::MAX >> 1) as f64
    }
}

impl ShouldSample for KitSampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        _name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let mut trace_state = TraceState::default();
        let mut sampled = None;
        if let Some(cx) = parent {
            let span = cx.span();
            let sc = span.span_context();
            if sc.is_valid() {
                trace_state = sc.trace_state().clone();
                if !sc.is_remote() {
                    sampled = Some(sc.is_sampled());
                }
            }
            if sampled.is_none() {
                sampled = match decision_of(cx) {
                    Decision::Accept | Decision::Debug => Some(true),
                    Decision::Deny => Some(false),
                    Decision::Deferred => None,
                };
            }
        }
        let decision = if sampled.unwrap_or_else(|| self.chooses(trace_id)) {
            SamplingDecision::RecordAndSample
        } else {
            SamplingDecision::RecordOnly
        };
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}
