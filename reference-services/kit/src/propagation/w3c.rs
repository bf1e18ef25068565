//! `traceparent` by the rules of W3C Trace Context, level 1.

use opentelemetry::Context;
use tracepact_base::{SpanId, TraceId};

use super::context::{Decision, RemoteSpan, span_of, tracestate_of};
use super::{Carrier, TraceState};

/// Flag bits that are sent on: sampled, and level 2's random-trace-id bit. All others are sent as zero.
pub const KNOWN_FLAGS: u8 = 0b11;

/// A parsed `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace_id: TraceId,
    /// The caller's span.
    pub span_id: SpanId,
    /// The known flag bits; bit 0 is "sampled".
    pub flags: u8,
}

/// Parses one header value. Version `ff` and anything malformed is `None`; an unknown higher version is read by
/// its version-00 prefix, as the specification demands.
pub fn parse_traceparent(value: &str) -> Option<TraceParent> {
    let bytes = value.as_bytes();
    if bytes.len() < 55 || !value.is_ascii() {
        return None;
    }
    if bytes[2] != b'-' || bytes[35] != b'-' || bytes[52] != b'-' {
        return None;
    }
    let version = hex_byte(&bytes[0..2])?;
    match version {
        0xff => return None,
        0 if bytes.len() != 55 => return None,
        _ if bytes.len() > 55 && bytes[55] != b'-' => return None,
        _ => {}
    }
    let trace_id = value[3..35].parse().ok()?;
    let span_id = value[36..52].parse().ok()?;
    let flags = hex_byte(&bytes[53..55])?;
    Some(TraceParent { trace_id, span_id, flags: flags & KNOWN_FLAGS })
}

/// Writes a version-00 value.
pub fn format_traceparent(parent: &TraceParent) -> String {
    format!("00-{}-{}-{:02x}", parent.trace_id.to_w3c_hex(), parent.span_id, parent.flags & KNOWN_FLAGS)
}

fn hex_byte(text: &[u8]) -> Option<u8> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    Some(digit(text[0])? << 4 | digit(text[1])?)
}

/// The W3C context of `carrier`, if it has a valid one. Several `traceparent` headers are malformed over HTTP; in
/// Kafka the last holds. A malformed `tracestate` is dropped and the `traceparent` kept.
pub(super) fn extract(carrier: &dyn Carrier) -> Option<(RemoteSpan, Decision)> {
    let values = carrier.values("traceparent");
    let value = match values.as_slice() {
        [one] => *one,
        [.., last] if carrier.last_wins() => *last,
        _ => return None,
    };
    let parent = parse_traceparent(std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']))?;
    let mut lines = carrier.values("tracestate");
    if carrier.last_wins() {
        lines = lines.pop().into_iter().collect();
    }
    let lines: Option<Vec<&str>> = lines.into_iter().map(|line| std::str::from_utf8(line).ok()).collect();
    let tracestate = lines.and_then(TraceState::parse).unwrap_or_default();
    let decision = if parent.flags & 1 == 1 { Decision::Accept } else { Decision::Deny };
    Some((
        RemoteSpan { trace_id: parent.trace_id, span_id: parent.span_id, flags: parent.flags, tracestate },
        decision,
    ))
}

/// Writes `traceparent` and `tracestate` for the span of `cx`.
pub(super) fn inject(cx: &Context, headers: &mut Vec<(&'static str, String)>) {
    let Some(span) = span_of(cx) else { return };
    headers.push((
        "traceparent",
        format_traceparent(&TraceParent {
            trace_id: span.trace_id,
            span_id: span.span_id,
            flags: span.flags,
        }),
    ));
    if let Some(value) = tracestate_of(cx).header() {
        headers.push(("tracestate", value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALID: &str = "00-12345678901234567890123456789012-1234567890123456-01";

    #[test]
    fn a_valid_header_is_read_and_written_back() {
        assert_eq!(format_traceparent(&parse_traceparent(VALID).unwrap()), VALID);
    }

    #[test]
    fn malformed_headers_are_refused() {
        for bad in [
            "",
            "00-12345678901234567890123456789012-1234567890123456-0",
            "00-12345678901234567890123456789012-1234567890123456-01-",
            "00-12345678901234567890123456789012-1234567890123456-01.",
            "ff-12345678901234567890123456789012-1234567890123456-01",
            "0x-12345678901234567890123456789012-1234567890123456-01",
            "00-00000000000000000000000000000000-1234567890123456-01",
            "00-12345678901234567890123456789012-0000000000000000-01",
            "00-1234567890123456789012345678901A-1234567890123456-01",
            "00-12345678901234567890123456789012-123456789012345F-01",
            "00-12345678901234567890123456789012-1234567890123456-0G",
            "00_12345678901234567890123456789012_1234567890123456_01",
            "cc-12345678901234567890123456789012-1234567890123456-01x",
            "00-1234567890123456789012345678901\u{e9}-1234567890123456-01",
        ] {
            assert_eq!(parse_traceparent(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_higher_version_is_read_by_its_prefix() {
        for more in ["", "-", "-what-the-future-brings"] {
            let text = format!("cc-12345678901234567890123456789012-1234567890123456-01{more}");
            assert_eq!(parse_traceparent(&text), parse_traceparent(VALID), "{text}");
        }
    }

    #[test]
    fn unknown_flags_are_sent_as_zero() {
        let parent = parse_traceparent("00-12345678901234567890123456789012-1234567890123456-ff").unwrap();
        assert!(format_traceparent(&parent).ends_with("-03"));
    }

    proptest! {
        #[test]
        fn every_id_pair_survives(trace in 1u128.., span in 1u64.., flags in 0u8..4) {
            let parent = TraceParent {
                trace_id: TraceId::new(trace).unwrap(), span_id: SpanId::new(span).unwrap(), flags };
            prop_assert_eq!(parse_traceparent(&format_traceparent(&parent)), Some(parent));
        }

        #[test]
        fn any_text_is_refused_or_well_formed(text in "[0-9a-fA-F-]{50,60}") {
            if let Some(parent) = parse_traceparent(&text) {
                prop_assert!(text.contains(&parent.span_id.to_string()));
                prop_assert!(!text[..52].bytes().any(|b| b.is_ascii_uppercase()));
            }
        }
    }
}
