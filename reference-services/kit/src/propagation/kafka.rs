//! Kafka record headers as a carrier.
//!
//! Brave writes one lower-case `b3` header without the parent id, OpenTelemetry `traceparent`, `tracestate` and
//! `baggage`. Header names in Kafka have a case: all are accepted in any. The last header of a name holds.

use opentelemetry::Context;
use rdkafka::message::{Header, Headers, OwnedHeaders};

use super::http::HEADER_NAMES;
use super::{Carrier, Format, inject};

/// Reads from a record's headers (`BorrowedHeaders`, `OwnedHeaders`); `None` for a record without any.
#[derive(Debug)]
pub struct RecordHeaders<'a, H: Headers>(pub Option<&'a H>);

impl<H: Headers> Carrier for RecordHeaders<'_, H> {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        let Some(headers) = self.0 else { return Vec::new() };
        (0..headers.count())
            .filter_map(|at| headers.try_get(at))
            .filter(|header| header.key.eq_ignore_ascii_case(name))
            .filter_map(|header| header.value)
            .collect()
    }

    fn last_wins(&self) -> bool {
        true
    }
}

/// Whether `name` carries trace context.
pub fn is_trace_header(name: &str) -> bool {
    HEADER_NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// `headers` with the context of `cx` in place of any that was there; all other headers stay in order.
pub fn inject_kafka(cx: &Context, formats: &[Format], headers: Option<OwnedHeaders>) -> OwnedHeaders {
    let mut out = OwnedHeaders::new();
    if let Some(headers) = &headers {
        for at in 0..headers.count() {
            if let Some(header) = headers.try_get(at).filter(|header| !is_trace_header(header.key)) {
                out = out.insert(Header { key: header.key, value: header.value });
            }
        }
    }
    for (name, value) in inject(cx, formats, false) {
        out = out.insert(Header { key: name, value: Some(&value) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Decision, Precedence, extract};
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> OwnedHeaders {
        pairs
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }))
    }

    #[test]
    fn single_holds_over_multi_and_the_last_header_over_the_first() {
        let record = headers(&[
            ("X-B3-TraceId", "1"),
            ("x-b3-spanid", "2"),
            ("b3", "463ac35c9f6413ad-000000000000000a-0"),
            ("b3", "463ac35c9f6413ad-000000000000000b-1"),
        ]);
        let found = extract(&RecordHeaders(Some(&record)), Precedence::W3c);
        assert_eq!(found.decision, Decision::Accept);
        assert_eq!(found.span.unwrap().span_id.as_u64(), 0xb);
    }

    #[test]
    fn multi_is_read_in_either_case() {
        for names in [["X-B3-TraceId", "X-B3-SpanId"], ["x-b3-traceid", "x-b3-spanid"]] {
            let record = headers(&[(names[0], "463ac35c9f6413ad"), (names[1], "a2fb4a1d1a96d312")]);
            let found = extract(&RecordHeaders(Some(&record)), Precedence::W3c);
            assert_eq!(found.span.unwrap().trace_id.to_string(), "463ac35c9f6413ad");
            assert_eq!(found.decision, Decision::Deferred);
        }
    }

    #[test]
    fn precedence_decides_between_families() {
        let record = headers(&[
            ("traceparent", "00-12345678901234567890123456789012-1234567890123456-01"),
            ("b3", "463ac35c9f6413ad-000000000000000a-0"),
        ]);
        let trace = |precedence| {
            extract(&RecordHeaders(Some(&record)), precedence).span.unwrap().trace_id.to_string()
        };
        assert_eq!(trace(Precedence::W3c), "12345678901234567890123456789012");
        assert_eq!(trace(Precedence::B3), "463ac35c9f6413ad");
    }
}
