//! Writing YAML: block style, every text quoted that anything could take for something else.

use super::yaml::{is_ambiguous, is_json_number};
use crate::Json;

/// Longest key that stands on one line with its value (YAML allows 1024).
const SIMPLE_KEY_MAX: usize = 256;

/// `value` as a YAML document.
pub(super) fn emit(value: &Json) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                pad(indent, out);
                let shown = text(key);
                if shown.len() > SIMPLE_KEY_MAX {
                    out.push_str("? ");
                    out.push_str(&shown);
                    out.push('\n');
                    pad(indent, out);
                    out.push(':');
                } else {
                    out.push_str(&shown);
                    out.push(':');
                }
                after_colon(value, indent + 2, out);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                if is_inline(item) {
                    pad(indent, out);
                    out.push_str("- ");
                    out.push_str(&inline(item));
                    out.push('\n');
                    continue;
                }
                // The first line of the item follows its dash.
                let at = out.len();
                block(item, indent + 2, out);
                out.replace_range(at + indent..at + indent + 2, "- ");
            }
        }
        other => {
            pad(indent, out);
            out.push_str(&inline(other));
            out.push('\n');
        }
    }
}

fn after_colon(value: &Json, indent: usize, out: &mut String) {
    if is_inline(value) {
        out.push(' ');
        out.push_str(&inline(value));
        out.push('\n');
    } else {
        out.push('\n');
        block(value, indent, out);
    }
}

fn is_inline(value: &Json) -> bool {
    match value {
        Json::Object(fields) => fields.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => true,
    }
}

fn inline(value: &Json) -> String {
    match value {
        Json::Object(_) => "{}".into(),
        Json::Array(_) => "[]".into(),
        Json::String(s) => text(s),
        other => other.write(false),
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A string: plain where nothing can be mistaken, else in double quotes.
fn text(s: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '$' | '.' | '-');
    let is_plain = s.len() <= 200
        && s.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/' | '$'))
        && s.chars().all(|c| harmless(c) || c == ' ')
        && !s.ends_with(' ')
        && !s.contains("  ")
        && !is_ambiguous(s)
        && !is_json_number(s);
    if is_plain {
        return s.to_owned();
    }
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // What YAML does not print, and what some readers take for the end of a line.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{85}') =>
            {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
