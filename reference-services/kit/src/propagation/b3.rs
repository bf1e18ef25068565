//! B3 in both forms. Source: the B3 specification and what Brave reads and writes.

use opentelemetry::Context;
use tracepact_base::{SpanId, TraceId};

use super::Carrier;
use super::context::{Decision, RemoteSpan, decision_of, parent_of, span_of};

/// A parsed `b3` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct B3 {
    /// Trace and span, absent when the header carries only a decision.
    pub ids: Option<(TraceId, SpanId)>,
    /// The caller's parent span, when it was sent.
    pub parent_id: Option<SpanId>,
    /// The sampling decision.
    pub decision: Decision,
}

/// Parses the single-header form: `{trace}-{span}`, `{trace}-{span}-{state}`, `{trace}-{span}-{state}-{parent}`
/// or `{state}` alone; trace ids have 16 or 32 lower-case hex characters.
pub fn parse_single(value: &str) -> Option<B3> {
    if let Some(decision) = decision(value) {
        return Some(B3 { ids: None, parent_id: None, decision });
    }
    let mut parts = value.split('-');
    let trace_id = fixed(parts.next()?, &[16, 32])?.parse().ok()?;
    let span_id = fixed(parts.next()?, &[16])?.parse().ok()?;
    let mut found = B3 { ids: Some((trace_id, span_id)), parent_id: None, decision: Decision::Deferred };
    if let Some(state) = parts.next() {
        found.decision = decision(state)?;
        if let Some(parent) = parts.next() {
            found.parent_id = Some(fixed(parent, &[16])?.parse().ok()?);
        }
    }
    if parts.next().is_some() { None } else { Some(found) }
}

/// Writes the single-header form; a 64-bit trace id keeps its sixteen characters.
pub fn format_single(b3: &B3) -> String {
    let state = letter(b3.decision);
    let Some((trace_id, span_id)) = b3.ids else { return state.unwrap_or_default().to_owned() };
    let mut text = format!("{}-{span_id}", trace_id.to_zipkin_hex());
    if let Some(state) = state {
        text.push('-');
        text.push_str(state);
        if let Some(parent) = b3.parent_id {
            text.push('-');
            text.push_str(&parent.to_string());
        }
    }
    text
}

fn fixed<'a>(text: &'a str, lengths: &[usize]) -> Option<&'a str> {
    lengths.contains(&text.len()).then_some(text)
}

fn decision(text: &str) -> Option<Decision> {
    match text {
        "0" => Some(Decision::Deny),
        "1" => Some(Decision::Accept),
        "d" => Some(Decision::Debug),
        _ => None,
    }
}

fn letter(decision: Decision) -> Option<&'static str> {
    match decision {
        Decision::Deferred => None,
        Decision::Deny => Some("0"),
        Decision::Accept => Some("1"),
        Decision::Debug => Some("d"),
    }
}

fn last<'a>(carrier: &'a dyn Carrier, name: &str) -> Option<&'a str> {
    let value = carrier.values(name).pop()?;
    Some(std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']))
}

fn parse_multi(carrier: &dyn Carrier) -> (Option<RemoteSpan>, Decision) {
    let mut decision = match last(carrier, "x-b3-sampled") {
        Some("1") => Decision::Accept,
        Some("0") => Decision::Deny,
        Some(word) if word.eq_ignore_ascii_case("true") => Decision::Accept,
        Some(word) if word.eq_ignore_ascii_case("false") => Decision::Deny,
        _ => Decision::Deferred,
    };
    if last(carrier, "x-b3-flags") == Some("1") {
        decision = Decision::Debug;
    }
    let ids = || -> Option<(TraceId, SpanId)> {
        let trace_id = last(carrier, "x-b3-traceid")?.parse().ok()?;
        let span_id = last(carrier, "x-b3-spanid")?.parse().ok()?;
        Some((trace_id, span_id))
    };
    (ids().map(|(trace_id, span_id)| remote(trace_id, span_id, decision)), decision)
}

fn remote(trace_id: TraceId, span_id: SpanId, decision: Decision) -> RemoteSpan {
    RemoteSpan { trace_id, span_id, flags: u8::from(decision.is_sampled()), tracestate: Default::default() }
}

/// The B3 context of `carrier`: a well-formed `b3` header holds over `x-b3-*`; the last header of a name holds.
pub(super) fn extract(carrier: &dyn Carrier) -> (Option<RemoteSpan>, Decision) {
    if let Some(b3) = last(carrier, "b3").and_then(parse_single) {
        return (b3.ids.map(|(trace_id, span_id)| remote(trace_id, span_id, b3.decision)), b3.decision);
    }
    parse_multi(carrier)
}

fn outgoing(cx: &Context, with_parent: bool) -> Option<B3> {
    let span = span_of(cx)?;
    let decision = match decision_of(cx) {
        Decision::Debug => Decision::Debug,
        _ if span.flags & 1 == 1 => Decision::Accept,
        _ => Decision::Deny,
    };
    let parent_id = if with_parent { parent_of(cx) } else { None };
    Some(B3 { ids: Some((span.trace_id, span.span_id)), parent_id, decision })
}

/// Writes `b3` for the span of `cx`.
pub(super) fn inject_single(cx: &Context, with_parent: bool, headers: &mut Vec<(&'static str, String)>) {
    if let Some(b3) = outgoing(cx, with_parent) {
        headers.push(("b3", format_single(&b3)));
    }
}

/// Writes `x-b3-*` for the span of `cx`. Debug is sent as flags alone, since it implies "sampled".
pub(super) fn inject_multi(cx: &Context, with_parent: bool, headers: &mut Vec<(&'static str, String)>) {
    let Some(b3) = outgoing(cx, with_parent) else { return };
    let Some((trace_id, span_id)) = b3.ids else { return };
    headers.push(("x-b3-traceid", trace_id.to_zipkin_hex()));
    headers.push(("x-b3-spanid", span_id.to_string()));
    if let Some(parent) = b3.parent_id {
        headers.push(("x-b3-parentspanid", parent.to_string()));
    }
    match b3.decision {
        Decision::Debug => headers.push(("x-b3-flags", "1".to_owned())),
        other => headers.extend(letter(other).map(|state| ("x-b3-sampled", state.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_64_bit_trace_id_stays_64_bit() {
        let text = "463ac35c9f6413ad-a2fb4a1d1a96d312-1";
        assert_eq!(format_single(&parse_single(text).unwrap()), text);
    }

    #[test]
    fn a_decision_may_come_alone() {
        assert_eq!(parse_single("0"), Some(B3 { ids: None, parent_id: None, decision: Decision::Deny }));
        assert_eq!(parse_single("d").unwrap().decision, Decision::Debug);
    }

    #[test]
    fn malformed_headers_are_refused() {
        for bad in [
            "",
            "2",
            "true",
            "463ac35c9f6413ad",
            "463ac35c9f6413ad-",
            "463ac35c9f6413ad-a2fb4a1d1a96d31",
            "463AC35C9F6413AD-a2fb4a1d1a96d312-1",
            "463ac35c9f6413ad-a2fb4a1d1a96d312-x",
            "463ac35c9f6413ad-a2fb4a1d1a96d312-1-0020",
            "463ac35c9f6413ad-a2fb4a1d1a96d312-1-0020000000000001-1",
            "0000000000000000-a2fb4a1d1a96d312-1",
            "463ac35c9f6413ad463ac35c-a2fb4a1d1a96d312-1",
        ] {
            assert_eq!(parse_single(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_context_survives(trace in 1u128.., span in 1u64.., parent in proptest::option::of(1u64..), state in 0..3) {
            let decision = [Decision::Deny, Decision::Accept, Decision::Debug][state as usize];
            let b3 = B3 {
                ids: Some((TraceId::new(trace).unwrap(), SpanId::new(span).unwrap())),
                parent_id: parent.and_then(SpanId::new), decision };
            prop_assert_eq!(parse_single(&format_single(&b3)), Some(b3));
        }
    }
}
