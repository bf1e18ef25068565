//! The difference between two pacts in words of interactions: added, removed, and which fields of which changed.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::canonical::without_id;
use crate::pact::identity;
use crate::redact::{REDACTED, is_secret_header};
use crate::{Json, Pact};

/// How one pact differs from another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PactDiff {
    /// Descriptions of interactions only the new one has.
    pub added: Vec<String>,
    /// Descriptions of interactions only the old one has.
    pub removed: Vec<String>,
    /// Interactions that both have (same kind, description and provider states) with different content.
    pub changed: Vec<ChangedInteraction>,
}

/// One interaction whose content changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedInteraction {
    /// Its description.
    pub description: String,
    /// The fields that differ.
    pub fields: Vec<FieldChange>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Where, for example `$.response.body.name`.
    pub path: String,
    /// JSON before; `None` when it was not there. Secrets in headers are hidden.
    pub before: Option<String>,
    /// JSON after; `None` when it is gone. Secrets in headers are hidden.
    pub after: Option<String>,
}

/// Most field changes listed for one interaction; a rewritten body says enough with these.
const FIELDS_MAX: usize = 50;
/// Longest value shown, in characters.
const VALUE_CHARS_MAX: usize = 200;

impl PactDiff {
    /// Whether the two mean the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// A text for people, one line per fact.
    pub fn text(&self) -> String {
        if self.is_empty() {
            return "No difference.\n".into();
        }
        let mut out = String::new();
        for description in &self.removed {
            let _ = writeln!(out, "- interaction {description:?}");
        }
        for description in &self.added {
            let _ = writeln!(out, "+ interaction {description:?}");
        }
        for interaction in &self.changed {
            let _ = writeln!(out, "~ interaction {:?}", interaction.description);
            for field in &interaction.fields {
                if let Some(before) = &field.before {
                    let _ = writeln!(out, "    - {} = {before}", field.path);
                }
                if let Some(after) = &field.after {
                    let _ = writeln!(out, "    + {} = {after}", field.path);
                }
            }
        }
        out
    }
}

/// What changed from `old` to `new`.
pub fn diff(old: &Pact, new: &Pact) -> PactDiff {
    // Written once each: a pact may have thousands of interactions, and every publication is compared.
    let mut before: Vec<Option<Written<'_>>> =
        old.interaction_documents().map(|d| Some(Written::of(d))).collect();
    let mut by_text: HashMap<String, Vec<usize>> = HashMap::new();
    let mut by_identity: HashMap<Identity, Vec<usize>> = HashMap::new();
    for (at, written) in before.iter().enumerate().rev() {
        let Some(written) = written else { continue };
        by_text.entry(written.text.clone()).or_default().push(at);
        by_identity.entry(identity(written.document)).or_default().push(at);
    }
    let mut take = |places: Option<&mut Vec<usize>>| {
        let places = places?;
        // A place may have been taken under its other key.
        while let Some(at) = places.pop() {
            if let Some(written) = before[at].take() {
                return Some(written.document);
            }
        }
        None
    };
    let mut result = PactDiff::default();
    let mut others = Vec::new();
    for document in new.interaction_documents() {
        if take(by_text.get_mut(&Written::of(document).text)).is_none() {
            others.push(document);
        }
    }
    for document in others {
        match take(by_identity.get_mut(&identity(document))) {
            Some(old) => {
                let mut fields = Vec::new();
                compare(
                    "$",
                    Some(&without_id(old)),
                    Some(&without_id(document)),
                    Place::Anywhere,
                    &mut fields,
                );
                fields.truncate(FIELDS_MAX);
                result.changed.push(ChangedInteraction { description: description(document), fields });
            }
            None => result.added.push(description(document)),
        }
    }
    result.removed = before.into_iter().flatten().map(|written| description(written.document)).collect();
    result
}

/// Kind, description and states of an interaction.
type Identity = (String, String, String);

/// An interaction and its canonical text.
struct Written<'a> {
    document: &'a Json,
    text: String,
}

impl<'a> Written<'a> {
    fn of(document: &'a Json) -> Self {
        Self { document, text: without_id(document).write(true) }
    }
}

fn description(interaction: &Json) -> String {
    interaction.get("description").and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// Where a value stands, as far as secrets are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// Directly in `headers` or `metadata`: keys are names of headers.
    Headers,
    /// Below a header that carries a secret.
    Secret,
}

impl Place {
    fn below(self, key: &str) -> Self {
        match self {
            Self::Secret => Self::Secret,
            Self::Headers if is_secret_header(key) => Self::Secret,
            _ if key == "headers" || key == "metadata" => Self::Headers,
            _ => Self::Anywhere,
        }
    }
}

fn compare(
    path: &str,
    before: Option<&Json>,
    after: Option<&Json>,
    place: Place,
    out: &mut Vec<FieldChange>,
) {
    if out.len() >= FIELDS_MAX {
        return;
    }
    match (before, after) {
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            for (key, value) in old {
                let other = new.iter().find(|(k, _)| k == key).map(|(_, v)| v);
                compare(&step(path, key), Some(value), other, place.below(key), out);
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.iter().any(|(k, _)| k == key)) {
                compare(&step(path, key), None, Some(value), place.below(key), out);
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(&format!("{path}[{index}]"), old.get(index), new.get(index), place, out);
            }
        }
        (before, after) if before == after => {}
        (before, after) => out.push(FieldChange {
            path: path.to_owned(),
            before: before.map(|value| shown(value, place)),
            after: after.map(|value| shown(value, place)),
        }),
    }
}

fn step(path: &str, key: &str) -> String {
    if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        format!("{path}.{key}")
    } else {
        format!("{path}[{}]", Json::String(key.to_owned()).write(false))
    }
}

fn shown(value: &Json, place: Place) -> String {
    if place == Place::Secret {
        return format!("\"{REDACTED}\"");
    }
    let text = hidden(value, place).write(false);
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// The value with the secrets below it hidden.
fn hidden(value: &Json, place: Place) -> Json {
    match value {
        _ if place == Place::Secret => Json::String(REDACTED.to_owned()),
        Json::Object(fields) => Json::Object(
            fields.iter().map(|(key, value)| (key.clone(), hidden(value, place.below(key)))).collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(|item| hidden(item, place)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pact(interactions: &[(&str, &str)]) -> Pact {
        let items: Vec<String> = interactions
            .iter()
            .map(|(d, body)| {
                format!(r#"{{"description":"{d}","request":{{"path":"/x"}},"response":{{"status":200,"body":{body}}}}}"#)
            })
            .collect();
        let text = format!(
            r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{}]}}"#,
            items.join(",")
        );
        Pact::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn added_removed_and_changed_are_told_apart() {
        let old = pact(&[("keep", "1"), ("gone", "1"), ("edit", r#"{"id":1,"name":"x"}"#)]);
        let new = pact(&[("edit", r#"{"id":1.0,"title":"x"}"#), ("new", "1"), ("keep", "1")]);
        let d = diff(&old, &new);
        assert_eq!(
            (d.added.as_slice(), d.removed.as_slice()),
            (&["new".to_owned()][..], &["gone".to_owned()][..])
        );
        let paths: Vec<_> = d.changed[0].fields.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["$.response.body.id", "$.response.body.name", "$.response.body.title"]);
        assert_eq!(d.changed[0].fields[0].after.as_deref(), Some("1.0"));
        assert!(d.text().contains("+ interaction \"new\""));
        assert!(diff(&old, &old).is_empty());
    }

    #[test]
    fn secrets_in_headers_are_hidden() {
        let with = |value: &str, extra: &str| {
            let text = format!(
                r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{{"description":"x","request":{{"path":"/x","headers":{{"Authorization":"{value}","Accept":"{value}"{extra}}}}},"response":{{}}}}]}}"#
            );
            Pact::parse(text.as_bytes()).unwrap()
        };
        let text = diff(&with("one", ""), &with("two", r#","Cookie":"three""#)).text();
        assert!(text.contains("+ $.request.headers.Authorization = \"***\""), "{text}");
        assert!(text.contains("+ $.request.headers.Accept = \"two\"") && !text.contains("three"), "{text}");
    }
}
