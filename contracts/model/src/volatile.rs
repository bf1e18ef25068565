//! Values that change from one publication to the next although nobody changed the contract: random ids, current times.
//!
//! Results belong to content, so such a value makes every build a new contract that has to be verified again. They are
//! found by comparing with the contents published before: a value whose both forms look made up (a UUID, an instant, a
//! long token), or one that was different in three publications in a row.

use std::collections::HashMap;

use crate::diff::{FieldChange, diff};
use crate::{Json, Pact};

/// A value that is not the same in two publications, for no reason of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolatileValue {
    /// The interaction's description.
    pub interaction: String,
    /// Where, for example `$.response.body.id`.
    pub path: String,
    /// JSON before.
    pub before: String,
    /// JSON now.
    pub after: String,
}

/// Most values that are named.
const NAMED_MAX: usize = 20;
/// Shortest text that is taken for a token.
const TOKEN_CHARS_MIN: usize = 16;
/// Instants from 2001 to 2096, in seconds since 1970.
const EPOCH_S: std::ops::Range<u64> = 1_000_000_000..4_000_000_000;

/// The volatile values of `new` against `old`, the content published before it; `older` is the one before that.
pub fn volatile_values(older: Option<&Pact>, old: &Pact, new: &Pact) -> Vec<VolatileValue> {
    let before_that = older.map(|older| diff(older, old)).unwrap_or_default();
    // (interaction, path) → (value before, value after) of what changed the time before.
    let mut changed = HashMap::new();
    for interaction in &before_that.changed {
        for field in &interaction.fields {
            if let (Some(before), Some(after)) = (&field.before, &field.after) {
                changed.insert((interaction.description.as_str(), field.path.as_str()), (before, after));
            }
        }
    }
    // Three publications, three values.
    let changed_before = |description: &str, field: &FieldChange| {
        changed.get(&(description, field.path.as_str())).is_some_and(|(before, after)| {
            Some(*after) == field.before.as_ref() && Some(*before) != field.after.as_ref()
        })
    };
    let mut found = Vec::new();
    for interaction in diff(old, new).changed {
        for field in interaction.fields {
            let (Some(before), Some(after)) = (&field.before, &field.after) else { continue };
            let (Ok(was), Ok(is)) = (Json::parse(before.as_bytes()), Json::parse(after.as_bytes())) else {
                continue;
            };
            let made_up = shape(&was).is_some_and(|s| Some(s) == shape(&is));
            let kind = |value: &Json| {
                matches!(value, Json::String(_)) as u8 + 2 * matches!(value, Json::Number(_)) as u8
            };
            // From made-up to fixed is what should happen.
            let alike = shape(&was) == shape(&is) && kind(&was) == kind(&is) && kind(&was) > 0;
            let restless = alike && changed_before(&interaction.description, &field);
            if (made_up || restless) && found.len() < NAMED_MAX {
                found.push(VolatileValue {
                    interaction: interaction.description.clone(),
                    path: field.path.clone(),
                    before: before.clone(),
                    after: after.clone(),
                });
            }
        }
    }
    found
}

/// What a made-up value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Uuid,
    Instant,
    Token,
}

fn shape(value: &Json) -> Option<Shape> {
    match value {
        Json::Number(text) => {
            let number: u64 = text.parse().ok()?;
            let seconds =
                [1, 1_000, 1_000_000, 1_000_000_000].iter().any(|unit| EPOCH_S.contains(&(number / unit)));
            seconds.then_some(Shape::Instant)
        }
        Json::String(text) => {
            if is_uuid(text) {
                Some(Shape::Uuid)
            } else if is_instant(text) {
                Some(Shape::Instant)
            } else {
                is_token(text).then_some(Shape::Token)
            }
        }
        _ => None,
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.chars().all(|c| c.is_ascii_hexdigit()))
}

/// A date with a time of day (ISO 8601), or an HTTP date.
fn is_instant(text: &str) -> bool {
    let digits = |at: std::ops::Range<usize>| {
        text.as_bytes().get(at).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let iso = digits(0..4)
        && digits(5..7)
        && digits(8..10)
        && digits(11..13)
        && text.as_bytes().get(4) == Some(&b'-')
        && text.contains(':');
    iso || (text.ends_with(" GMT") && text.matches(':').count() == 2)
}

/// One long word of letters *and* digits.
fn is_token(text: &str) -> bool {
    text.len() >= TOKEN_CHARS_MIN
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.=+".contains(c))
        && text.chars().filter(char::is_ascii_digit).count() >= 3
        && text.chars().filter(char::is_ascii_alphabetic).count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pact(body: &str) -> Pact {
        let text = format!(
            r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{{"description":"x","request":{{"path":"/x"}},"response":{{"status":200,"body":{body}}}}}]}}"#
        );
        Pact::parse(text.as_bytes()).unwrap()
    }

    fn paths(older: Option<&str>, old: &str, new: &str) -> Vec<String> {
        let older = older.map(pact);
        volatile_values(older.as_ref(), &pact(old), &pact(new)).into_iter().map(|v| v.path).collect()
    }

    #[test]
    fn made_up_values_are_known_by_their_look() {
        let old = r#"{"id":"3f0e8a52-1b44-4a8e-9d7e-0a1b2c3d4e5f","at":"2026-01-02T03:04:05Z","ms":1767322800123,"name":"Ann","n":1}"#;
        let new = r#"{"id":"7d1c9b63-2c55-4b9f-8e8f-1b2c3d4e5f60","at":"2026-01-02T03:05:06Z","ms":1767322800999,"name":"Bob","n":2}"#;
        assert_eq!(paths(None, old, new), ["$.response.body.id", "$.response.body.at", "$.response.body.ms"]);
    }

    #[test]
    fn a_value_that_never_rests_is_one_too() {
        assert_eq!(paths(Some(r#"{"n":17}"#), r#"{"n":4}"#, r#"{"n":99}"#), ["$.response.body.n"]);
        // Changed once, or back: somebody may have meant it.
        assert!(paths(Some(r#"{"n":4}"#), r#"{"n":4}"#, r#"{"n":99}"#).is_empty());
        assert!(paths(Some(r#"{"n":17}"#), r#"{"n":4}"#, r#"{"n":17}"#).is_empty());
        assert!(paths(Some(r#"{"n":1}"#), r#"{"n":"a"}"#, r#"{"n":2}"#).is_empty());
    }
}
