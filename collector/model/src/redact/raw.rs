//! Redaction of bytes that no decoder could read.
//!
//! Without a decoder only text can be recognised: a key of the patterns, some bytes of framing (quotes, colons, tags and
//! lengths), and then a run of text, which is hidden. Rather too much is hidden than too little.

use std::ops::Range;

use super::Action;
use super::keys::{KeyPatterns, Pattern};
use super::values::ValuePatterns;

/// Most bytes between a key and its value.
const FRAMING_MAX: usize = 16;

/// The redacted bytes, and how many places were hidden.
pub(super) fn redact(
    bytes: &[u8],
    keys: &KeyPatterns,
    values: &ValuePatterns,
    action: &Action,
) -> (Vec<u8>, u64) {
    let mut found = values.find(bytes);
    let lower = bytes.to_ascii_lowercase();
    for pattern in keys.iter() {
        found.extend(behind(pattern, &lower, bytes));
    }
    found.sort_by_key(|range| (range.start, range.end));
    let mut out = Vec::with_capacity(bytes.len());
    let (mut from, mut hidden) = (0, 0);
    for range in found {
        if range.end <= from {
            continue;
        }
        let start = range.start.max(from);
        out.extend_from_slice(&bytes[from..start]);
        out.extend_from_slice(action.stand_in(&String::from_utf8_lossy(&bytes[start..range.end])).as_bytes());
        from = range.end;
        hidden += 1;
    }
    out.extend_from_slice(&bytes[from..]);
    (out, hidden)
}

/// Values behind the places where `pattern` stands as a key.
fn behind(pattern: &Pattern, lower: &[u8], bytes: &[u8]) -> Vec<Range<usize>> {
    let word = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(lower, pattern.text.as_bytes()) {
        let mut end = at + pattern.text.len();
        if !pattern.open_start && at > 0 && word(at - 1) {
            continue;
        }
        if pattern.open_end {
            while word(end) || bytes.get(end).is_some_and(|byte| matches!(byte, b'.' | b'-')) {
                end += 1;
            }
        } else if word(end) {
            continue;
        }
        found.extend(value_behind(bytes, end));
    }
    found
}

fn value_behind(bytes: &[u8], key_end: usize) -> Option<Range<usize>> {
    let text = |byte: u8| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b':' | b'=' | b'\\') || byte >= 0x80
    };
    let framing = bytes[key_end..].iter().take(FRAMING_MAX).take_while(|byte| !text(**byte)).count();
    let start = key_end + framing;
    if framing == 0 || start >= bytes.len() {
        return None;
    }
    // Inside quotes everything up to the closing one, else everything that is text.
    let quoted = bytes[start - 1] == b'"';
    let length = bytes[start..]
        .iter()
        .take_while(|byte| {
            if quoted { **byte != b'"' } else { byte.is_ascii_graphic() || **byte == b' ' || **byte >= 0x80 }
        })
        .count();
    (length > 0).then_some(start..start + length)
}
