//! A pact of specification 4 to the YAML form. Whatever the form has no word for stands verbatim under `pact`.

use super::matchers::{write_rule, write_rules};
use super::{OWN_METADATA, message};
use crate::Json;

/// A part of the form under construction.
#[derive(Default)]
pub(super) struct Written {
    said: Vec<(String, Json)>,
    verbatim: Vec<(String, Json)>,
}

impl Written {
    /// Says `value` in the form's own words.
    pub(super) fn say(&mut self, key: &str, value: Json) {
        self.said.push((key.to_owned(), value));
    }

    /// Leaves a field as the pact has it.
    pub(super) fn verbatim(&mut self, key: &str, value: &Json) {
        self.verbatim.push((key.to_owned(), value.clone()));
    }

    /// The mapping, its keys in the order of `known`.
    pub(super) fn finish(mut self, known: &[&str]) -> Json {
        let place = |key: &str| known.iter().position(|k| *k == key).unwrap_or(known.len());
        self.said.sort_by_key(|(key, _)| place(key));
        if !self.verbatim.is_empty() {
            self.said.push(("pact".into(), Json::Object(self.verbatim)));
        }
        Json::Object(self.said)
    }
}

/// The whole file.
pub(super) fn file(document: &Json) -> Json {
    let mut out = Written::default();
    out.say("contract", Json::Number("1".into()));
    for (key, value) in document.fields() {
        match (key.as_str(), value) {
            // A party is its name; a pact has nothing else to say of it.
            ("consumer" | "provider", value) => {
                out.say(key, value.get("name").cloned().unwrap_or(Json::Null));
            }
            ("interactions", Json::Array(items)) => {
                out.say("interactions", Json::Array(items.iter().map(interaction).collect()));
            }
            ("metadata", Json::Object(entries)) => metadata(entries, &mut out),
            _ => out.verbatim(key, value),
        }
    }
    out.finish(&["contract", "consumer", "provider", "branch", "metadata", "interactions"])
}

fn metadata(entries: &[(String, Json)], out: &mut Written) {
    let mut rest = Vec::new();
    for (key, value) in entries {
        let version = value.get("version").and_then(Json::as_str);
        if key == "pactSpecification" && value.fields().len() == 1 && version == Some("4.0") {
            continue;
        }
        let branch = value.get("consumerBranch").and_then(Json::as_str);
        match (key.as_str(), branch, value.fields().len()) {
            (OWN_METADATA, Some(branch), 1) => out.say("branch", Json::String(branch.to_owned())),
            _ => rest.push((key.clone(), value.clone())),
        }
    }
    if !rest.is_empty() {
        out.say("metadata", Json::Object(rest));
    }
}

fn interaction(document: &Json) -> Json {
    let mut out = Written::default();
    let kind = document.get("type").and_then(Json::as_str).unwrap_or("Synchronous/HTTP");
    let mut of_message = Vec::new();
    let mut exchange = Vec::new();
    for (key, value) in document.fields() {
        match (kind, key.as_str(), value) {
            // The broker's id is not content.
            (_, "type" | "_id", _) => {}
            (_, "description", Json::String(_)) => out.say("description", value.clone()),
            (_, "providerStates", value) => match states(value) {
                Some(short) => out.say("states", short),
                None => out.verbatim(key, value),
            },
            (_, "pending", Json::Bool(_)) | (_, "comments", _) => out.say(key, value.clone()),
            ("Synchronous/HTTP", "request", Json::Object(fields)) => out.say("request", http(fields, true)),
            ("Synchronous/HTTP", "response", Json::Object(fields)) => {
                out.say("response", http(fields, false))
            }
            ("Asynchronous/Messages", "contents" | "metadata" | "matchingRules" | "generators", value) => {
                of_message.push((key.clone(), value.clone()));
            }
            ("Synchronous/Messages", "request", Json::Object(fields)) => {
                exchange.push(("request".to_owned(), message::write(fields)));
            }
            ("Synchronous/Messages", "response", Json::Array(items))
                if items.iter().all(|i| matches!(i, Json::Object(_))) =>
            {
                let items = items.iter().map(|i| message::write(i.fields())).collect();
                exchange.push(("responses".to_owned(), Json::Array(items)));
            }
            _ => out.verbatim(key, value),
        }
    }
    match kind {
        "Asynchronous/Messages" => out.say("message", message::write(&of_message)),
        "Synchronous/Messages" => out.say("exchange", Json::Object(exchange)),
        _ => {}
    }
    out.finish(&[
        "description",
        "states",
        "pending",
        "comments",
        "request",
        "response",
        "message",
        "exchange",
    ])
}

fn states(value: &Json) -> Option<Json> {
    let Json::Array(items) = value else { return None };
    let short: Option<Vec<Json>> = items
        .iter()
        .map(|state| {
            let fields = state.fields();
            let name = state.get("name").filter(|n| n.as_str().is_some())?;
            match (fields.len(), state.get("params")) {
                (1, None) => Some(name.clone()),
                (2, Some(Json::Object(_))) => Some(state.clone()),
                _ => None,
            }
        })
        .collect();
    short.map(Json::Array)
}

fn http(fields: &[(String, Json)], is_request: bool) -> Json {
    let mut out = Written::default();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("method" | "path", Json::String(_)) if is_request => out.say(key, value.clone()),
            ("status", Json::Number(_)) if !is_request => out.say(key, value.clone()),
            ("query", value) if is_request => match values(value) {
                Some(short) => out.say("query", short),
                None => out.verbatim(key, value),
            },
            ("headers", value) => match values(value) {
                Some(short) => out.say("headers", short),
                None => out.verbatim(key, value),
            },
            ("body", value) => body(value, "body", "body_raw", &mut out),
            ("matchingRules", value) => match rules(value, is_request) {
                Some(short) => out.say("match", short),
                None => out.verbatim(key, value),
            },
            ("generators", value) => out.say("generators", value.clone()),
            _ => out.verbatim(key, value),
        }
    }
    out.finish(&["method", "path", "query", "status", "headers", "body", "body_raw", "match", "generators"])
}

/// Lists of texts by name; a list of one is the text alone.
fn values(value: &Json) -> Option<Json> {
    let Json::Object(entries) = value else { return None };
    let short: Option<Vec<(String, Json)>> = entries
        .iter()
        .map(|(name, list)| {
            let Json::Array(items) = list else { return None };
            if !items.iter().all(|i| i.as_str().is_some()) {
                return None;
            }
            Some((name.clone(), if let [one] = items.as_slice() { one.clone() } else { list.clone() }))
        })
        .collect();
    short.map(Json::Object)
}

/// A JSON body in short; any other as specification 4 has it.
pub(super) fn body(value: &Json, short: &str, raw: &str, out: &mut Written) {
    let is_json = value.fields().len() == 3
        && value.get("contentType").and_then(Json::as_str) == Some("application/json")
        && value.get("encoded") == Some(&Json::Bool(false));
    match value.get("content") {
        Some(content) if is_json => out.say(short, content.clone()),
        _ => out.say(raw, value.clone()),
    }
}

fn rules(value: &Json, is_request: bool) -> Option<Json> {
    let Json::Object(categories) = value else { return None };
    let mut out = Vec::new();
    for (category, rules) in categories {
        let short = match (category.as_str(), is_request) {
            ("path" | "method", true) | ("status", false) => (category.clone(), write_rule(rules)?),
            ("query", true) | ("body", _) => (category.clone(), write_rules(rules)?),
            ("header", _) => ("headers".to_owned(), write_rules(rules)?),
            _ => return None,
        };
        out.push(short);
    }
    Some(Json::Object(out))
}
