//! What a verification found, as a difference that people can read: the place, what was expected, what came.

use pact_matching::Mismatch;
use pact_verifier::MismatchResult;
use serde::Serialize;
use serde_json::Value;

/// Most places shown for one interaction.
const PLACES_MAX: usize = 50;
/// Longest value shown, in characters.
const VALUE_CHARS_MAX: usize = 2_000;
/// Headers whose values are not shown.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// One place where the provider's answer is not what was agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: `status`, `header Content-Type`, `body $.price`, `metadata topic`.
    pub place: String,
    /// What was agreed; absent when nothing was to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came; absent when nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The matcher's words.
    pub reason: String,
}

impl Difference {
    /// The difference as lines: `- ` what was agreed, `+ ` what came.
    pub fn text(&self) -> String {
        let mut out = format!("{}: {}\n", self.place, self.reason);
        for (sign, value) in [('-', &self.expected), ('+', &self.actual)] {
            for line in value.iter().flat_map(|v| v.lines()) {
                out.push_str(&format!("  {sign} {line}\n"));
            }
        }
        out
    }
}

/// The differences of one failed interaction; empty when it failed in another way (no answer, a state not set up).
pub(crate) fn differences(result: &MismatchResult) -> Vec<Difference> {
    match result {
        MismatchResult::Mismatches { mismatches, .. } => {
            mismatches.iter().take(PLACES_MAX).map(difference).collect()
        }
        MismatchResult::Error(..) => Vec::new(),
    }
}

fn difference(mismatch: &Mismatch) -> Difference {
    let reason = mismatch.description();
    let bytes = |b: &Option<_>| b.as_ref().map(|b: &axum::body::Bytes| value(b));
    let (place, expected, actual) = match mismatch {
        Mismatch::MethodMismatch { expected, actual, .. } => ("method".into(), some(expected), some(actual)),
        Mismatch::PathMismatch { expected, actual, .. } => ("path".into(), some(expected), some(actual)),
        Mismatch::StatusMismatch { expected, actual, .. } => {
            ("status".into(), Some(expected.to_string()), Some(actual.to_string()))
        }
        Mismatch::QueryMismatch { parameter, expected, actual, .. } => {
            (format!("query {parameter}"), some(expected), some(actual))
        }
        Mismatch::HeaderMismatch { key, expected, actual, .. } => {
            let secret = SECRET_HEADERS.iter().any(|h| key.eq_ignore_ascii_case(h));
            let hide = |text: &str| some(text).map(|t| if secret { "***".to_owned() } else { t });
            let place = format!("header {key}");
            if secret {
                return Difference {
                    place,
                    expected: hide(expected),
                    actual: hide(actual),
                    reason: "it differs; its value is not shown".into(),
                };
            }
            (place, hide(expected), hide(actual))
        }
        Mismatch::BodyTypeMismatch { expected, actual, .. } => {
            ("content type of the body".into(), some(expected), some(actual))
        }
        Mismatch::BodyMismatch { path, expected, actual, .. } => {
            (format!("body {path}"), bytes(expected), bytes(actual))
        }
        Mismatch::MetadataMismatch { key, expected, actual, .. } => {
            (format!("metadata {key}"), some(expected), some(actual))
        }
    };
    Difference { place, expected, actual, reason: clip(&reason) }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| clip(text))
}

/// JSON is laid out, so that its lines can be compared; anything else is shown as it is.
fn value(bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => clip(&serde_json::to_string_pretty(&value).unwrap_or_default()),
        Err(_) => clip(&String::from_utf8_lossy(bytes)),
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_reads_like_one() {
        let found = difference(&Mismatch::BodyMismatch {
            path: "$.price".into(),
            expected: Some(r#"{"amount":1}"#.into()),
            actual: Some("null".into()),
            mismatch: "expected an object".into(),
        });
        let text = found.text();
        assert!(text.starts_with("body $.price"), "{text}");
        assert!(text.contains("  - {\n  -   \"amount\": 1\n  - }\n  + null\n"), "{text}");
    }

    #[test]
    fn credentials_are_not_shown() {
        let found = difference(&Mismatch::HeaderMismatch {
            key: "Authorization".into(),
            expected: "Bearer one".into(),
            actual: "Bearer two".into(),
            mismatch: "expected Bearer one but was Bearer two".into(),
        });
        let text = found.text();
        assert!(!text.contains("one") && !text.contains("two"), "{text}");
    }
}
