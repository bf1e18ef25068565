//! The difference between two pacts in words of interactions: added, removed, and which fields of which changed.

use std::fmt::Write as _;

use crate::canonical::without_id;
use crate::pact::identity;
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
    /// JSON before; `None` when it was not there.
    pub before: Option<String>,
    /// JSON after; `None` when it is gone.
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
    let mut before: Vec<&Json> = old.interaction_documents().collect();
    let mut result = PactDiff::default();
    for document in new.interaction_documents() {
        let same = before.iter().position(|b| without_id(b).write(true) == without_id(document).write(true));
        if let Some(at) = same {
            before.remove(at);
            continue;
        }
        match before.iter().position(|b| identity(b) == identity(document)) {
            Some(at) => {
                let old = before.remove(at);
                let mut fields = Vec::new();
                compare("$", Some(&without_id(old)), Some(&without_id(document)), &mut fields);
                fields.truncate(FIELDS_MAX);
                result.changed.push(ChangedInteraction { description: description(document), fields });
            }
            None => result.added.push(description(document)),
        }
    }
    result.removed = before.into_iter().map(description).collect();
    result
}

fn description(interaction: &Json) -> String {
    interaction.get("description").and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn compare(path: &str, before: Option<&Json>, after: Option<&Json>, out: &mut Vec<FieldChange>) {
    if out.len() >= FIELDS_MAX {
        return;
    }
    match (before, after) {
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            for (key, value) in old {
                compare(
                    &step(path, key),
                    Some(value),
                    new.iter().find(|(k, _)| k == key).map(|(_, v)| v),
                    out,
                );
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.iter().any(|(k, _)| k == key)) {
                compare(&step(path, key), None, Some(value), out);
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(&format!("{path}[{index}]"), old.get(index), new.get(index), out);
            }
        }
        (before, after) if before == after => {}
        (before, after) => out.push(FieldChange {
            path: path.to_owned(),
            before: before.map(shown),
            after: after.map(shown),
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

fn shown(value: &Json) -> String {
    let text = value.write(false);
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
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
}
