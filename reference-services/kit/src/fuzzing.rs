//! Entry points for fuzzing: every parser of bytes from the network. Not part of the public interface.

use crate::propagation::{Baggage, Carrier, Precedence, TraceState, admit, b3, extract, inject, w3c};
use crate::propagation::{Format, TrustInbound};

/// Lines of `data` as header values.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// `traceparent`.
pub fn fuzz_traceparent(data: &[u8]) {
    if let Some(parent) = w3c::parse_traceparent(&text(data)) {
        assert_eq!(w3c::parse_traceparent(&w3c::format_traceparent(&parent)), Some(parent));
    }
}

/// `tracestate`, several lines.
pub fn fuzz_tracestate(data: &[u8]) {
    let text = text(data);
    if let Some(state) = TraceState::parse(text.lines()) {
        let header = state.header().unwrap_or_default();
        assert!(header.len() <= 512);
        let again = TraceState::parse([header.as_str()]).map(|state| state.header().unwrap_or_default());
        assert_eq!(again, Some(header));
    }
}

/// `b3`.
pub fn fuzz_b3(data: &[u8]) {
    if let Some(found) = b3::parse_single(&text(data)) {
        assert_eq!(b3::parse_single(&b3::format_single(&found)).map(|again| again.ids), Some(found.ids));
    }
}

/// `baggage`, several lines.
pub fn fuzz_baggage(data: &[u8]) {
    let baggage = Baggage::parse(data.split(|byte| *byte == b'\n').collect());
    assert!(baggage.members().len() <= 180);
    if let Some(header) = baggage.header() {
        assert!(header.len() <= 8192);
        let again = Baggage::parse(vec![header.as_bytes()]);
        assert_eq!(again.header(), Some(header));
    }
}

struct Lines<'a> {
    lines: Vec<(&'a [u8], &'a [u8])>,
    last_wins: bool,
}

impl Carrier for Lines<'_> {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = self.lines.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| *value).collect()
    }

    fn last_wins(&self) -> bool {
        self.last_wins
    }
}

/// A whole set of headers (`name:value` lines): extracted, admitted and written again, which must read the same.
pub fn fuzz_headers(data: &[u8]) {
    let lines = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.iter().position(|b| *b == b':').map(|at| (&line[..at], &line[at + 1..])))
        .collect();
    let carrier = Lines { lines, last_wins: data.len().is_multiple_of(2) };
    for precedence in [Precedence::W3c, Precedence::B3] {
        let found = extract(&carrier, precedence);
        let admitted = admit(found.clone(), TrustInbound::All);
        let sent = inject(&admitted.parent, &[Format::W3c, Format::B3Single, Format::B3Multi], true);
        let lines = sent.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let again = extract(&Lines { lines, last_wins: false }, precedence);
        assert_eq!(
            again.span.map(|s| (s.trace_id, s.span_id)),
            found.span.clone().map(|s| (s.trace_id, s.span_id))
        );
        assert!(admit(found, TrustInbound::None).links.len() <= 1);
    }
}
