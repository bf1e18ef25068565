//! What a broker's answer says in words: its notices, and why it refuses.

use serde_json::Value;

/// The reason inside an error body: a problem's detail, the broker's `errors`, or the text itself.
pub(super) fn reason(text: &str) -> String {
    let Ok(body) = serde_json::from_str::<Value>(text) else { return clip(text) };
    if let Some(detail) = body.get("detail").and_then(Value::as_str) {
        return detail.to_owned();
    }
    let told = notices(&body);
    if !told.is_empty() {
        return told.join("; ");
    }
    match body.get("errors").or_else(|| body.get("error")) {
        Some(Value::String(error)) => clip(error),
        Some(errors) => clip(&errors.to_string()),
        None => clip(text),
    }
}

pub(super) fn notices(body: &Value) -> Vec<String> {
    let list = body.get("notices").and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(|n| n.get("text").and_then(Value::as_str)).map(str::to_owned).collect()
}

fn clip(text: &str) -> String {
    text.chars().take(600).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_in_every_error_body() {
        assert_eq!(reason(r#"{"detail":"no such version"}"#), "no such version");
        assert_eq!(reason(r#"{"notices":[{"text":"changed content"}]}"#), "changed content");
        assert_eq!(reason(r#"{"errors":{"name":["is missing"]}}"#), r#"{"name":["is missing"]}"#);
        assert_eq!(reason(r#"{"error":"no version 1"}"#), "no version 1");
        assert_eq!(reason("plain"), "plain");
    }
}
