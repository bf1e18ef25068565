//! Messages in the YAML form. A Kafka record's topic, key and headers are a message's metadata in a pact: `topic` and
//! `key` by these names, every other text entry is a header.

use super::ContractFileError;
use super::matchers::{read_rule, read_rules, write_rule, write_rules};
use super::part::{Fields, Part, text_of};
use super::write::{self, Written};
use super::yaml::{Node, Value};
use crate::Json;

/// Metadata that the form has words for.
const NAMED: [&str; 2] = ["topic", "key"];
const KNOWN: [&str; 9] =
    ["topic", "key", "headers", "metadata", "contents", "contents_raw", "match", "generators", "pact"];

/// The message's fields in the pact.
pub(super) fn read(node: &Node) -> Result<Fields, ContractFileError> {
    let mut part = Part::of(node, "a message")?;
    let mut fields: Fields = Vec::new();
    part.body("contents", "contents_raw", "contents", &mut fields)?;
    let mut metadata: Option<Fields> = None;
    let mut add = |name: &str, value: Json, at: &Node| {
        let metadata = metadata.get_or_insert_default();
        if metadata.iter().any(|(k, _)| k == name) {
            return Err(
                at.error(format!("{name:?} is said twice; topic, key, headers and metadata are one mapping"))
            );
        }
        metadata.push((name.to_owned(), value));
        Ok(())
    };
    for name in NAMED {
        if let Some(value) = part.take(name) {
            add(name, Json::String(text_of(value, name)?), value)?;
        }
    }
    if let Some(headers) = part.take("headers") {
        let Value::Map(entries) = &headers.value else {
            return Err(headers.error("`headers` must be a mapping of names to texts"));
        };
        for (name, value) in entries {
            add(name.key(), Json::String(text_of(value, "headers")?), name)?;
        }
    }
    let mut is_empty = false;
    if let Some(rest) = part.take("metadata") {
        let Value::Map(entries) = &rest.value else {
            return Err(rest.error("`metadata` must be a mapping"));
        };
        is_empty = true;
        for (name, value) in entries {
            add(name.key(), value.json(), name)?;
        }
    }
    if is_empty {
        metadata.get_or_insert_default();
    }
    if let Some(metadata) = metadata {
        fields.push(("metadata".into(), Json::Object(metadata)));
    }
    if let Some(rules) = part.take("match") {
        fields.push(("matchingRules".into(), read_match(rules)?));
    }
    if let Some(generators) = part.take("generators") {
        fields.push(("generators".into(), generators.json()));
    }
    part.verbatim(&mut fields)?;
    part.done(&KNOWN)?;
    Ok(fields)
}

fn read_match(node: &Node) -> Result<Json, ContractFileError> {
    let mut part = Part::of(node, "`match`")?;
    let mut rules: Fields = Vec::new();
    if let Some(contents) = part.take("contents") {
        rules.push(("body".into(), read_rules(contents)?));
    }
    let mut metadata: Option<Fields> = None;
    for name in NAMED {
        if let Some(rule) = part.take(name) {
            metadata.get_or_insert_default().push((name.into(), read_rule(rule)?));
        }
    }
    if let Some(headers) = part.take("headers") {
        let known = metadata.get_or_insert_default();
        if let Json::Object(entries) = read_rules(headers)? {
            for (name, rule) in entries {
                if known.iter().any(|(k, _)| *k == name) {
                    return Err(headers.error(format!("the matcher of {name:?} is said twice")));
                }
                known.push((name, rule));
            }
        }
    }
    if let Some(metadata) = metadata {
        rules.push(("metadata".into(), Json::Object(metadata)));
    }
    part.done(&["contents", "topic", "key", "headers"])?;
    Ok(Json::Object(rules))
}

/// The YAML form of a message; `fields` are what the pact has of it.
pub(super) fn write(fields: &[(String, Json)]) -> Json {
    let mut out = Written::default();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("contents", value) => write::body(value, "contents", "contents_raw", &mut out),
            ("metadata", Json::Object(entries)) => write_metadata(entries, &mut out),
            ("matchingRules", rules) => match write_match(rules) {
                Some(short) => out.say("match", short),
                None => out.verbatim(name, value),
            },
            ("generators", value) => out.say("generators", value.clone()),
            _ => out.verbatim(name, value),
        }
    }
    out.finish(&KNOWN)
}

fn write_metadata(entries: &[(String, Json)], out: &mut Written) {
    let (mut headers, mut rest) = (Vec::new(), Vec::new());
    for (name, value) in entries {
        match value {
            Json::String(_) if NAMED.contains(&name.as_str()) => out.say(name, value.clone()),
            Json::String(_) => headers.push((name.clone(), value.clone())),
            _ => rest.push((name.clone(), value.clone())),
        }
    }
    if !headers.is_empty() {
        out.say("headers", Json::Object(headers));
    }
    if !rest.is_empty() || entries.is_empty() {
        out.say("metadata", Json::Object(rest));
    }
}

fn write_match(rules: &Json) -> Option<Json> {
    let Json::Object(categories) = rules else { return None };
    let mut out = Vec::new();
    for (category, rules) in categories {
        match category.as_str() {
            "body" => out.push(("contents".to_owned(), write_rules(rules)?)),
            "metadata" => {
                let Json::Object(entries) = rules else { return None };
                let mut headers = Vec::new();
                for (name, rule) in entries {
                    let short = write_rule(rule)?;
                    if NAMED.contains(&name.as_str()) {
                        out.push((name.clone(), short));
                    } else {
                        headers.push((name.clone(), short));
                    }
                }
                if !headers.is_empty() || entries.is_empty() {
                    out.push(("headers".to_owned(), Json::Object(headers)));
                }
            }
            _ => return None,
        }
    }
    Some(Json::Object(out))
}
