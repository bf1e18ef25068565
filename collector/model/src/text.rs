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

/// Appends `text` as a JSON string: what needs no escape in pieces as long as possible.
pub(crate) fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (escape, length) = match byte {
            b'"' => ("\\\"", 1),
            b'\\' => ("\\\\", 1),
            b'\n' => ("\\n", 1),
            b'\r' => ("\\r", 1),
            b'\t' => ("\\t", 1),
            0x8 => ("\\b", 1),
            0xc => ("\\f", 1),
            0..0x20 => ("", 1),
            // Line separators end a string in old JavaScript; Zipkin's writer escapes them too.
            0xe2 if bytes[at..].starts_with("\u{2028}".as_bytes()) => ("\\u2028", 3),
            0xe2 if bytes[at..].starts_with("\u{2029}".as_bytes()) => ("\\u2029", 3),
            _ => continue,
        };
        out.push_str(&text[from..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        from = at + length;
    }
    out.push_str(&text[from..]);
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
    use proptest::prelude::*;

    use super::*;

    /// Character by character.
    fn escaped(text: &str) -> String {
        let escape = |character: char| match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            special if special < ' ' || matches!(special, '\u{2028}' | '\u{2029}') => {
                format!("\\u{:04x}", u32::from(special))
            }
            other => other.to_string(),
        };
        format!("\"{}\"", text.chars().map(escape).collect::<String>())
    }

    proptest! {
        #[test]
        fn texts_are_escaped_character_by_character(
            texts in proptest::collection::vec(
                prop_oneof![any::<String>(), "[\"\\\\\n\r\t\u{0}-\u{1f}\u{2027}-\u{202a}\u{7f}é]{0,4}"], 0..5,
            ),
        ) {
            let text = texts.concat();
            let mut out = String::new();
            write_json_text(&text, &mut out);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text.as_str());
            prop_assert_eq!(out, escaped(&text));
        }
    }

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
