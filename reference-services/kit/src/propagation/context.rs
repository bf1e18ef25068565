//! From headers to an `opentelemetry::Context` and back.

use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::trace::{Link, SpanContext, TraceContextExt, TraceFlags, TraceState as OtelTraceState};
use opentelemetry::{Context, KeyValue};
use tracepact_base::{SpanId, TraceId};

use super::{Baggage, Extracted, TraceState};

/// The caller's sampling decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decision {
    /// None was made: this service decides.
    #[default]
    Deferred,
    /// Do not record.
    Deny,
    /// Record.
    Accept,
    /// Record, and override every sampler on the way (B3's debug).
    Debug,
}

impl Decision {
    /// Whether spans are to be recorded.
    pub fn is_sampled(self) -> bool {
        matches!(self, Self::Accept | Self::Debug)
    }
}

/// A span of another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSpan {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// W3C flag bits; bit 0 is "sampled".
    pub flags: u8,
    /// Its `tracestate`.
    pub tracestate: TraceState,
}

/// How much of an inbound context a service follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrustInbound {
    /// Ids, sampling decision, debug and baggage (for services behind a gateway; default).
    #[default]
    All,
    /// Ids and baggage, but the caller's word on sampling only when it says "sampled"; a refusal or debug does not
    /// bind this service, which then decides by its own sampler.
    Sampled,
    /// Nothing: a new trace begins and links the foreign span; debug is ignored, baggage dropped (for gateways).
    None,
}

impl std::str::FromStr for TrustInbound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "sampled" => Ok(Self::Sampled),
            "none" => Ok(Self::None),
            other => Err(format!("trust_inbound is all, sampled or none, not {other:?}")),
        }
    }
}

/// What a new span starts from.
#[derive(Debug, Clone, Default)]
pub struct Admitted {
    /// The parent context: a remote span, or none for a new trace; the baggage; the sampling decision.
    pub parent: Context,
    /// Links to foreign spans that are not followed.
    pub links: Vec<Link>,
}

/// What is remembered beside OpenTelemetry's own span context: its `TraceState` refuses keys that the current
/// specification allows and its baggage holds fewer members, so both travel here.
#[derive(Debug, Clone)]
struct Carried {
    trace_id: TraceId,
    decision: Decision,
    tracestate: TraceState,
}

#[derive(Debug, Clone)]
struct CarriedBaggage(Baggage);

#[derive(Debug, Clone, Copy)]
struct ParentSpan {
    of: SpanId,
    parent: Option<SpanId>,
}

#[derive(Debug, Clone, Copy)]
struct LoneDecision(Decision);

/// Applies `trust` to what was extracted.
pub fn admit(found: Extracted, trust: TrustInbound) -> Admitted {
    let base = Context::new();
    match trust {
        TrustInbound::None => {
            let links = found.span.iter().map(link_to).collect();
            Admitted { parent: base, links }
        }
        TrustInbound::All => Admitted { parent: follow(base, found), links: Vec::new() },
        TrustInbound::Sampled => {
            let mut found = found;
            if found.decision != Decision::Accept {
                found.decision = Decision::Deferred;
                if let Some(span) = &mut found.span {
                    span.flags &= !1;
                }
            }
            Admitted { parent: follow(base, found), links: Vec::new() }
        }
    }
}

/// A link to a remote span.
pub fn link_to(span: &RemoteSpan) -> Link {
    Link::new(span_context(span), Vec::<KeyValue>::new(), 0)
}

fn span_context(span: &RemoteSpan) -> SpanContext {
    let state = OtelTraceState::from_key_value(
        span.tracestate.members().iter().map(|(key, value)| (key.as_str(), value.as_str())),
    )
    .unwrap_or(OtelTraceState::NONE);
    SpanContext::new(
        opentelemetry::TraceId::from(span.trace_id.as_u128()),
        opentelemetry::SpanId::from(span.span_id.as_u64()),
        TraceFlags::new(span.flags),
        true,
        state,
    )
}

fn follow(base: Context, found: Extracted) -> Context {
    let mut cx = base;
    if let Some(span) = found.span {
        cx = cx.with_remote_span_context(span_context(&span)).with_value(Carried {
            trace_id: span.trace_id,
            decision: found.decision,
            tracestate: span.tracestate,
        });
    } else if found.decision != Decision::Deferred {
        cx = cx.with_value(LoneDecision(found.decision));
    }
    with_baggage(cx, found.baggage)
}

/// `cx` with `baggage` in place of its own; also visible through OpenTelemetry's `BaggageExt`, as far as it fits there.
pub fn with_baggage(cx: Context, baggage: Baggage) -> Context {
    if baggage.members().is_empty() {
        return cx;
    }
    let visible = baggage.members().iter().map(|member| {
        KeyValueMetadata::new(member.key.clone(), member.value.clone(), member.properties.clone())
    });
    cx.with_baggage(visible.collect::<Vec<_>>()).with_value(CarriedBaggage(baggage))
}

/// The baggage of `cx`: what arrived, and what was added through OpenTelemetry's `BaggageExt`.
pub fn baggage_of(cx: &Context) -> Baggage {
    let mut baggage = cx.get::<CarriedBaggage>().map(|carried| carried.0.clone()).unwrap_or_default();
    let mut added: Vec<_> = cx.baggage().iter().collect();
    added.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
    for (key, (value, _)) in added {
        if baggage.get(key.as_str()) != Some(value.as_str()) {
            baggage.insert(key.as_str(), value.as_str());
        }
    }
    baggage
}

/// Ids and flags of the active span of `cx`.
pub(super) struct ActiveSpan {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) flags: u8,
}

pub(super) fn span_of(cx: &Context) -> Option<ActiveSpan> {
    let span = cx.span();
    let sc = span.span_context();
    Some(ActiveSpan {
        trace_id: TraceId::new(u128::from_be_bytes(sc.trace_id().to_bytes()))?,
        span_id: SpanId::new(u64::from_be_bytes(sc.span_id().to_bytes()))?,
        flags: sc.trace_flags().to_u8(),
    })
}

fn carried(cx: &Context) -> Option<&Carried> {
    let trace_id = span_of(cx)?.trace_id;
    cx.get::<Carried>().filter(|carried| carried.trace_id == trace_id)
}

/// The `tracestate` that goes out with the span of `cx`.
pub(super) fn tracestate_of(cx: &Context) -> TraceState {
    if let Some(carried) = carried(cx) {
        return carried.tracestate.clone();
    }
    let header = cx.span().span_context().trace_state().header();
    TraceState::parse([header.as_str()]).unwrap_or_default()
}

/// The decision that came with the trace of `cx`.
pub(crate) fn decision_of(cx: &Context) -> Decision {
    match (carried(cx), cx.get::<LoneDecision>()) {
        (Some(carried), _) => carried.decision,
        (None, Some(lone)) => lone.0,
        (None, None) => Decision::Deferred,
    }
}

/// Remembers the parent of the span of `cx`, for the headers that carry it.
pub(crate) fn with_parent_span(cx: Context, parent: &Context) -> Context {
    match span_of(&cx) {
        Some(span) => {
            let parent = span_of(parent).filter(|p| p.trace_id == span.trace_id).map(|p| p.span_id);
            cx.with_value(ParentSpan { of: span.span_id, parent })
        }
        None => cx,
    }
}

pub(super) fn parent_of(cx: &Context) -> Option<SpanId> {
    let span = span_of(cx)?;
    cx.get::<ParentSpan>().filter(|known| known.of == span.span_id).and_then(|known| known.parent)
}

/// The trace and span ids of `cx`, when it has a valid span.
pub fn ids_of(cx: &Context) -> Option<(TraceId, SpanId)> {
    span_of(cx).map(|span| (span.trace_id, span.span_id))
}
