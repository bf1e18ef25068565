//! The text form of typed values: how Zipkin's readers see them and how tag filters compare them.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;

use crate::Value;

impl Value {
    /// The value as a Zipkin tag: texts as they are, numbers in decimal, bytes in base64, lists and maps as JSON
    /// (the rule of OpenTelemetry's "Mapping to AnyValue string" for non-OTLP exporters).
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::String(text) => Cow::Borrowed(text),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Double(number) => Cow::Owned(double(*number)),
            Self::Bytes(bytes) => Cow::Owned(base64::prelude::BASE64_STANDARD.encode(bytes)),
            Self::Array(_) | Self::Map(_) => {
                let mut out = String::new();
                write_json(self, &mut out);
                Cow::Owned(out)
            }
            Self::Empty => Cow::Borrowed(""),
        }
    }

    /// The value as JSON: nested values keep their types, bytes become base64, numbers that JSON lacks become text.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_json(self, &mut out);
        out
    }
}

fn double(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        let mut out = String::new();
        let _ = write!(out, "{number:?}");
        out
    }
}

pub(crate) fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            // Line separators end a string in old JavaScript; Zipkin's writer escapes them too.
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Attributes as one JSON object.
pub(crate) fn write_json_object(attributes: &crate::span::Attributes, out: &mut String) {
    out.push('{');
    for (i, (key, value)) in attributes.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_json_text(key, out);
        out.push(':');
        write_json(value, out);
    }
    out.push('}');
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_json_text(text, out),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Double(number) if number.is_finite() => out.push_str(&double(*number)),
        Value::Double(number) => write_json_text(&double(*number), out),
        Value::Bytes(_) => write_json_text(&value.text(), out),
        Value::Array(values) => {
            out.push('[');
            for (i, item) in values.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Map(entries) => write_json_object(entries, out),
        Value::Empty => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        assert_eq!(Value::Int(-3).text(), "-3");
        assert_eq!(Value::Double(1.0).text(), "1.0");
        assert_eq!(Value::Double(f64::INFINITY).text(), "Infinity");
        assert_eq!(Value::Bytes([1u8, 2].as_slice().into()).text(), "AQI=");
        let list = Value::Array(vec![Value::String("a\"\n".into()), Value::Int(1), Value::Empty]);
        assert_eq!(list.text(), r#"["a\"\n",1,null]"#);
        let map = Value::Map(vec![("k".into(), Value::Bool(true)), ("n".into(), Value::Double(f64::NAN))]);
        assert_eq!(map.text(), r#"{"k":true,"n":"NaN"}"#);
    }
}
