//! Matchers in short: `type`, `{regex: …}`, `{match: type, min: 1}`, a list of them, or specification 4's own rule.

use super::ContractFileError;
use super::yaml::{Node, Value};
use crate::Json;

fn object(fields: Vec<(&str, Json)>) -> Json {
    Json::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

fn string(text: &str) -> Json {
    Json::String(text.to_owned())
}

/// A rule of specification 4 from its short form.
pub(super) fn read_rule(node: &Node) -> Result<Json, ContractFileError> {
    match &node.value {
        Value::Map(fields) if fields.iter().any(|(k, _)| k.key() == "matchers") => Ok(node.json()),
        Value::List(items) => {
            let matchers = items.iter().map(read_matcher).collect::<Result<Vec<_>, _>>()?;
            Ok(rule(matchers))
        }
        _ => Ok(rule(vec![read_matcher(node)?])),
    }
}

fn rule(matchers: Vec<Json>) -> Json {
    object(vec![("combine", string("AND")), ("matchers", Json::Array(matchers))])
}

fn read_matcher(node: &Node) -> Result<Json, ContractFileError> {
    match &node.value {
        Value::String(kind) => Ok(object(vec![("match", string(kind))])),
        Value::Map(fields) => {
            if fields.iter().any(|(k, _)| k.key() == "match") {
                return Ok(node.json());
            }
            match fields.as_slice() {
                [(key, value)] if key.key() == "regex" => match &value.value {
                    Value::String(regex) => {
                        Ok(object(vec![("match", string("regex")), ("regex", string(regex))]))
                    }
                    _ => Err(value.error("a regular expression must be a text; put it in quotes")),
                },
                _ => Err(node.error(
                    "not a matcher: write its name (type, integer, decimal, number, boolean, null, …), {regex: …}, or \
                     {match: name, …} with its settings",
                )),
            }
        }
        _ => Err(node.error("not a matcher: write its name, for example type or \"null\"")),
    }
}

/// The short form of a rule; `None` when it has none and has to stand verbatim.
pub(super) fn write_rule(rule: &Json) -> Option<Json> {
    let fields = rule.fields();
    let combine = rule.get("combine").and_then(Json::as_str);
    let Some(Json::Array(matchers)) = rule.get("matchers") else { return None };
    if fields.len() == 2 && combine == Some("AND") {
        if let [one] = matchers.as_slice() {
            return Some(write_matcher(one).unwrap_or_else(|| rule.clone()));
        }
        let short: Option<Vec<Json>> = matchers.iter().map(write_matcher).collect();
        if let Some(short) = short {
            return Some(Json::Array(short));
        }
    }
    Some(rule.clone())
}

fn write_matcher(matcher: &Json) -> Option<Json> {
    let kind = matcher.get("match")?;
    match (matcher.fields(), kind) {
        ([_], Json::String(kind)) => Some(string(kind)),
        ([_, _], Json::String(kind))
            if kind == "regex" && matcher.get("regex").is_some_and(|r| r.as_str().is_some()) =>
        {
            Some(object(vec![("regex", matcher.get("regex")?.clone())]))
        }
        // With a key `matchers` it would be read as a whole rule.
        _ if matcher.get("matchers").is_some() => None,
        _ => Some(matcher.clone()),
    }
}

/// Rules by path or name.
pub(super) fn read_rules(node: &Node) -> Result<Json, ContractFileError> {
    let Value::Map(fields) = &node.value else {
        return Err(node.error("must be a mapping of paths to matchers"));
    };
    let rules = fields
        .iter()
        .map(|(path, rule)| Ok((path.key().to_owned(), read_rule(rule)?)))
        .collect::<Result<Vec<_>, ContractFileError>>()?;
    Ok(Json::Object(rules))
}

/// The short form of rules by path; `None` when one has none.
pub(super) fn write_rules(rules: &Json) -> Option<Json> {
    let Json::Object(fields) = rules else { return None };
    let short: Option<Vec<(String, Json)>> =
        fields.iter().map(|(path, rule)| Some((path.clone(), write_rule(rule)?))).collect();
    short.map(Json::Object)
}
