//! What is allowed in a contract but rarely meant: `tracepact contract lint`.

use pact_models::PactSpecification;
use serde::Serialize;
use serde_json::Value;
use tracepact_contract_model::{ContractFile, Pact, file_stem};

use crate::contract_files::FoundFile;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth a thought.
    Warning,
    /// Will not do what was meant.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The interaction, by description; empty for the whole file.
    pub interaction: String,
    /// What was found, and what to do.
    pub reason: String,
}

/// Findings for one file.
pub fn lint(found: &FoundFile) -> Vec<Finding> {
    let mut out = of_contract(&found.file);
    let folder = found.path.parent().and_then(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned());
    let is_in_place = found.path.components().any(|c| c.as_os_str() == crate::contract_files::FOLDER);
    if let (true, Some(folder)) = (is_in_place, folder) {
        let consumer = &found.file.pact.consumer;
        if folder != *consumer && folder != file_stem(consumer) {
            out.push(Finding {
                level: Level::Error,
                interaction: String::new(),
                reason: format!("the contract is of {consumer}, but stands in the folder of {folder}"),
            });
        }
    }
    out
}

/// Findings for a contract, wherever it comes from.
pub fn of_contract(file: &ContractFile) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut say = |level, interaction: &str, reason: &str| {
        out.push(Finding { level, interaction: interaction.to_owned(), reason: reason.to_owned() });
    };
    let pact = &file.pact;
    if pact.interactions.is_empty() {
        say(Level::Error, "", "it has no interactions, so it demands nothing");
    }
    let mut seen: Vec<(String, String)> = Vec::new();
    for document in interactions(pact) {
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let description = text("description");
        if description.trim().is_empty() {
            say(Level::Error, "", "an interaction has no description");
        }
        let states = document.get("providerStates").map(Value::to_string).unwrap_or_default();
        if seen.contains(&(description.clone(), states.clone())) {
            say(
                Level::Error,
                &description,
                "another interaction has the same description and provider states: results cannot be told apart",
            );
        }
        seen.push((description.clone(), states));
        if document.get("pending") == Some(&Value::Bool(true)) {
            say(Level::Warning, &description, "it is marked pending: a failure is never reported as one");
        }
        match text("type").as_str() {
            "Asynchronous/Messages" => message(&document, &description, &mut say),
            "Synchronous/Messages" => {}
            _ => http(&document, &description, &mut say),
        }
    }
    out
}

/// The interactions as specification 4 has them; the file was accepted, so it can be read.
fn interactions(pact: &Pact) -> Vec<Value> {
    let Ok(value) = serde_json::from_str::<Value>(&pact.text()) else { return Vec::new() };
    let loaded = pact_models::pact::load_pact_from_json("<contract>", &value).and_then(|p| p.as_v4_pact());
    loaded
        .and_then(|p| pact_models::pact::Pact::to_json(&p, PactSpecification::V4))
        .ok()
        .and_then(|v| v.get("interactions").and_then(Value::as_array).cloned())
        .unwrap_or_default()
}

fn http(document: &Value, description: &str, say: &mut impl FnMut(Level, &str, &str)) {
    let at = |pointer: &str| document.pointer(pointer);
    match at("/request/path").and_then(Value::as_str) {
        Some(path) if path.contains('?') => {
            say(Level::Error, description, "the path holds a query; write it under `query`");
        }
        Some(path) if !path.starts_with('/') => {
            say(Level::Error, description, "the path does not begin with /")
        }
        _ => {}
    }
    let status = at("/response/status").and_then(Value::as_u64).unwrap_or(200);
    if !(100..=599).contains(&status) {
        say(Level::Error, description, "the status is none of HTTP");
    }
    let body = at("/response/body/content");
    if let Some(body) = body {
        if matches!(status, 204 | 304) {
            say(Level::Error, description, "a response of this status has no body");
        }
        volatile(body, at("/response/matchingRules/body"), "response body", description, say);
    } else if at("/response/matchingRules/body").is_some() {
        say(Level::Error, description, "there are matchers for a response body, but no body");
    }
    if let Some(Value::Object(headers)) = at("/request/headers")
        && let Some(name) = headers.keys().find(|n| n.eq_ignore_ascii_case("authorization"))
        && at("/request/matchingRules/header").and_then(|rules| rules.get(name.as_str())).is_none()
    {
        say(
            Level::Warning,
            description,
            "an exact Authorization header: use a matcher, and never a credential that works",
        );
    }
}

fn message(document: &Value, description: &str, say: &mut impl FnMut(Level, &str, &str)) {
    let has = |name: &str| document.pointer(&format!("/metadata/{name}")).is_some();
    if !has("topic") && !has("kafka_topic") {
        say(
            Level::Warning,
            description,
            "no topic: stubs cannot publish it, and nobody sees where it travels",
        );
    }
    match document.pointer("/contents/content") {
        None => say(Level::Warning, description, "the message has no contents"),
        Some(contents) => {
            volatile(contents, document.pointer("/matchingRules/body"), "message", description, say);
        }
    }
}

/// Values that look like ids or instants of one run and are demanded exactly.
fn volatile(
    body: &Value,
    rules: Option<&Value>,
    what: &str,
    description: &str,
    say: &mut impl FnMut(Level, &str, &str),
) {
    let has_rules = rules.and_then(Value::as_object).is_some_and(|r| !r.is_empty());
    let mut stack = vec![("$".to_owned(), body)];
    while let Some((path, value)) = stack.pop() {
        match value {
            Value::Object(fields) => stack.extend(fields.iter().map(|(k, v)| (format!("{path}.{k}"), v))),
            Value::Array(items) => {
                stack.extend(items.iter().enumerate().map(|(i, v)| (format!("{path}[{i}]"), v)));
            }
            Value::String(text) if !has_rules && looks_volatile(text) => {
                say(
                    Level::Warning,
                    description,
                    &format!(
                        "{what}, {path}: {text:?} looks like an id or instant of one run; use a matcher"
                    ),
                );
                return;
            }
            _ => {}
        }
    }
}

/// A UUID, or an instant with a time of day.
fn looks_volatile(text: &str) -> bool {
    let uuid = text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    let bytes = text.as_bytes();
    let instant = bytes.len() >= 19
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':'
        && bytes[..4].iter().all(u8::is_ascii_digit);
    uuid || instant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(interaction: &str) -> Vec<String> {
        let yaml = format!("contract: 1\nconsumer: a\nprovider: b\ninteractions:\n  - {interaction}\n");
        let file = ContractFile::from_yaml(&yaml).unwrap();
        of_contract(&file).into_iter().map(|f| f.reason).collect()
    }

    #[track_caller]
    fn finds(interaction: &str, part: &str) {
        let found = findings(interaction);
        assert!(found.iter().any(|r| r.contains(part)), "{found:?}");
    }

    #[test]
    fn what_is_rarely_meant_is_found() {
        assert!(
            findings("{description: x, request: {path: /}, response: {status: 200, body: {id: 1}}}")
                .is_empty()
        );
        finds("{description: x, request: {path: '/?a=1'}, response: {status: 200}}", "holds a query");
        finds("{description: x, request: {path: x}, response: {status: 200}}", "does not begin");
        finds("{description: x, request: {path: /}, response: {status: 204, body: 1}}", "has no body");
        finds(
            "{description: x, request: {path: /}, response: {body: {id: '0b1f6c1e-5a0b-4c39-9a1b-6c1e5a0b4c39'}}}",
            "looks like an id",
        );
        finds(
            "{description: x, request: {path: /}, response: {body: {at: '2026-01-01T10:00:00Z'}}}",
            "instant",
        );
        finds("{description: x, message: {contents: 1}}", "no topic");
        finds(
            "{description: x, request: {path: /, headers: {authorization: Bearer x}}, response: {}}",
            "credential",
        );
        finds("{description: ' ', request: {path: /}, response: {}}", "no description");
    }
}
