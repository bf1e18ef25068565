//! What a change of a contract *means*: whether a provider that kept the old contract may fail the new one.
//!
//! A contract is a demand on the provider. A change is **breaking** when it demands something the old one did not (an
//! interaction more, a field more in an answer, another request), and **compatible** when every provider that keeps
//! the old one keeps the new one as well (a field the consumer no longer reads, an exact value that became "any
//! string"). Where the two cannot be told apart without running the provider, the change counts as breaking: the
//! answer may be too careful, never too hopeful.
//!
//! Both contracts are compared in the form of specification 4, so that a rewritten file of an older one is no change.

mod answer;
mod question;
mod rules;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pact_models::PactSpecification;
use serde_json::Value;

use crate::diff::diff;
use crate::{ContentId, Pact, PactError};

/// What a change means for the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Whoever kept the old contract keeps the new one.
    Compatible,
    /// Whoever kept the old contract may fail the new one.
    Breaking,
}

/// One change with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The interaction's description.
    pub interaction: String,
    /// Where in the interaction, for example `response.body.price`; empty for the interaction as a whole.
    pub place: String,
    /// What it means.
    pub effect: Effect,
    /// Why, in one sentence.
    pub reason: String,
}

/// The meaning of all changes from one contract to another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meanings {
    /// Every change, in the order of the new contract; removals come last.
    pub changes: Vec<Meaning>,
}

/// Most changes listed.
const CHANGES_MAX: usize = 500;

impl Meanings {
    /// Whether one of the changes is breaking.
    pub fn is_breaking(&self) -> bool {
        self.changes.iter().any(|c| c.effect == Effect::Breaking)
    }

    /// A text for people, one line per change.
    pub fn text(&self) -> String {
        if self.changes.is_empty() {
            return "No change of meaning.\n".into();
        }
        let mut out = String::new();
        for change in &self.changes {
            let effect = match change.effect {
                Effect::Breaking => "breaking  ",
                Effect::Compatible => "compatible",
            };
            let place = if change.place.is_empty() { String::new() } else { format!(" {}", change.place) };
            out.push_str(&format!("{effect} {:?}{place}: {}\n", change.interaction, change.reason));
        }
        out
    }
}

/// What it means for a provider when `new` takes the place of `old`.
///
/// # Errors
/// When one of the two cannot be brought into the form of specification 4; every accepted [`Pact`] can.
pub fn meanings(old: Option<&Pact>, new: &Pact) -> Result<Meanings, PactError> {
    let mut before = match old {
        Some(old) => version_4(old)?,
        None => Vec::new(),
    };
    let mut found = Meanings::default();
    let mut compared: BTreeMap<String, usize> = BTreeMap::new();
    for interaction in version_4(new)? {
        let description = text(&interaction, "description");
        match before.iter().position(|b| identity(b) == identity(&interaction)) {
            None => found.add(
                &description,
                "",
                Effect::Breaking,
                "a new interaction, which the provider must be able to answer",
            ),
            Some(at) => {
                let old = before.remove(at);
                let at_first = found.changes.len();
                one(&old, &interaction, &description, &mut found);
                compared.insert(description, found.changes.len() - at_first);
            }
        }
    }
    for gone in before {
        found.add(&text(&gone, "description"), "", Effect::Compatible, "the consumer no longer needs it");
    }
    if let Some(old) = old {
        unseen(old, new, &compared, &mut found);
    }
    found.changes.truncate(CHANGES_MAX);
    Ok(found)
}

/// One interaction that both have.
fn one(old: &Value, new: &Value, description: &str, out: &mut Meanings) {
    let mut found = Vec::new();
    let none = Value::Null;
    let part = |of: &'_ Value, key: &str| of.get(key).unwrap_or(&none).clone();
    match text(new, "type").as_str() {
        "Asynchronous/Messages" => {
            answer::message("", old, new, &mut found);
        }
        "Synchronous/Messages" => {
            question::message("request", &part(old, "request"), &part(new, "request"), &mut found);
            let (old, new) = (part(old, "response"), part(new, "response"));
            let (old, new) =
                (old.as_array().cloned().unwrap_or_default(), new.as_array().cloned().unwrap_or_default());
            if old.len() != new.len() {
                found.push((
                    "response".into(),
                    Effect::Breaking,
                    format!("{} responses became {}", old.len(), new.len()),
                ));
            }
            for (index, (old, new)) in old.iter().zip(&new).enumerate() {
                answer::message(&format!("response[{index}]"), old, new, &mut found);
            }
        }
        _ => {
            question::http(&part(old, "request"), &part(new, "request"), &mut found);
            answer::http(&part(old, "response"), &part(new, "response"), &mut found);
        }
    }
    for (place, effect, reason) in found {
        out.add(description, &place, effect, &reason);
    }
}

/// Differences that are lost in the form of specification 4 (digits beyond what a float holds) still are some.
fn unseen(old: &Pact, new: &Pact, compared: &BTreeMap<String, usize>, out: &mut Meanings) {
    let only_form = old.specification != new.specification;
    for changed in diff(old, new).changed {
        let seen = compared.get(&changed.description).copied().unwrap_or(1);
        let real = changed.fields.iter().any(|f| {
            matches!((&f.before, &f.after), (Some(b), Some(a)) if b.parse::<f64>().is_ok() && a.parse::<f64>().is_ok())
        });
        if seen == 0 && real && !only_form {
            out.add(&changed.description, "", Effect::Breaking, "the digits of a number changed");
        }
    }
}

impl Meanings {
    fn add(&mut self, interaction: &str, place: &str, effect: Effect, reason: &str) {
        if self.changes.len() < CHANGES_MAX {
            self.changes.push(Meaning {
                interaction: interaction.to_owned(),
                place: place.trim_start_matches('.').to_owned(),
                effect,
                reason: reason.to_owned(),
            });
        }
    }
}

/// The interactions of a pact as specification 4 has them.
pub(crate) fn version_4(pact: &Pact) -> Result<Vec<Value>, PactError> {
    let value: Value = serde_json::from_str(&pact.text()).map_err(|e| PactError::NotAPact(e.to_string()))?;
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| {
        pact_models::pact::load_pact_from_json("<contract>", &value)
            .and_then(|p| p.as_v4_pact())
            .and_then(|p| pact_models::pact::Pact::to_json(&p, PactSpecification::V4))
            .map_err(|e| format!("{e:#}"))
    }));
    match read {
        Ok(Ok(value)) => {
            let mut items = value.get("interactions").and_then(Value::as_array).cloned().unwrap_or_default();
            items.iter_mut().for_each(read_bodies);
            Ok(items)
        }
        Ok(Err(reason)) => Err(PactError::NotAPact(reason)),
        Err(_) => Err(PactError::NotAPact("the Pact library cannot read it".into())),
    }
}

/// Older specifications do not say a body's media type: where the library took JSON for a text, it is JSON again.
fn read_bodies(value: &mut Value) {
    let Value::Object(fields) = value else {
        if let Value::Array(items) = value {
            items.iter_mut().for_each(read_bodies);
        }
        return;
    };
    for (key, value) in fields.iter_mut() {
        match key.as_str() {
            "body" | "contents" => read_body(value),
            "request" | "response" => read_bodies(value),
            _ => {}
        }
    }
}

fn read_body(body: &mut Value) {
    let kind = body.get("contentType").and_then(Value::as_str).unwrap_or_default();
    let unsaid = matches!(kind, "" | "*/*" | "text/plain" | "application/octet-stream");
    if !unsaid && !kind.contains("json") {
        return;
    }
    let Some(Value::String(text)) = body.get("content") else { return };
    let bytes = match body.get("encoded") {
        Some(Value::String(form)) if form == "base64" => STANDARD.decode(text).unwrap_or_default(),
        Some(Value::String(_) | Value::Bool(true)) => return,
        _ => text.clone().into_bytes(),
    };
    if let Ok(content) = serde_json::from_slice::<Value>(&bytes) {
        *body =
            serde_json::json!({ "content": content, "contentType": "application/json", "encoded": false });
    }
}

fn identity(interaction: &Value) -> (String, String, String) {
    let states = interaction.get("providerStates").map(Value::to_string).unwrap_or_default();
    (text(interaction, "type"), text(interaction, "description"), states)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How an interaction of a new contract stands to one that a provider is known to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// The provider keeps it: it kept one that demands at least as much.
    Kept,
    /// Nothing that the provider kept says so.
    Unknown,
}

/// For every interaction of `new`, whether one of the `kept` contracts (any consumer's) shows that a provider keeps it:
/// the same request answered under the same provider states, with at least what is demanded now.
///
/// # Errors
/// When a contract cannot be brought into the form of specification 4.
pub fn coverage(kept: &[Pact], new: &Pact) -> Result<Vec<(String, Coverage)>, PactError> {
    let mut known = Vec::new();
    let mut seen: Vec<&ContentId> = Vec::new();
    for pact in kept {
        if !seen.contains(&&pact.content_id) {
            seen.push(&pact.content_id);
            known.extend(version_4(pact)?);
        }
    }
    Ok(version_4(new)?
        .into_iter()
        .map(|interaction| {
            let description = text(&interaction, "description");
            let is_kept = known.iter().any(|k| {
                if text(k, "type") != text(&interaction, "type")
                    || k.get("providerStates") != interaction.get("providerStates")
                {
                    return false;
                }
                // A message is found by what it is called; a request by itself.
                if text(k, "type") != "Synchronous/HTTP" && text(k, "description") != description {
                    return false;
                }
                let mut found = Meanings::default();
                one(k, &interaction, &description, &mut found);
                !found.is_breaking()
            });
            (description, if is_kept { Coverage::Kept } else { Coverage::Unknown })
        })
        .collect())
}

#[cfg(test)]
mod tests;
