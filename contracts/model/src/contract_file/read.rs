//! The YAML form to a pact of specification 4.

use super::matchers::{read_rule, read_rules};
use super::message;
use super::part::{Fields, Part, text_of};
use super::yaml::{Node, Value};
use super::{ContractFileError, OWN_METADATA};
use crate::Json;

/// The whole file.
pub(super) fn pact(root: &Node) -> Result<Json, ContractFileError> {
    let mut part = Part::of(root, "the file")?;
    let form = part.required("contract")?;
    if !matches!(&form.value, Value::Number(n) if n == "1") {
        return Err(form.error("the form is `contract: 1`; another is not known here"));
    }
    let consumer = part.text("consumer")?.ok_or_else(|| root.error("`consumer` is missing"))?;
    let provider = part.text("provider")?.ok_or_else(|| root.error("`provider` is missing"))?;
    let branch = part.text("branch")?;
    let list = part.required("interactions")?;
    let Value::List(items) = &list.value else {
        return Err(list.error("`interactions` must be a list"));
    };
    let interactions = items.iter().map(interaction).collect::<Result<Vec<_>, _>>()?;
    let mut metadata = match part.take("metadata") {
        None => Vec::new(),
        Some(node) => match node.json() {
            Json::Object(fields) => fields,
            _ => return Err(node.error("`metadata` must be a mapping")),
        },
    };
    if !metadata.iter().any(|(k, _)| k == "pactSpecification") {
        let version = Json::Object(vec![("version".into(), Json::String("4.0".into()))]);
        metadata.push(("pactSpecification".into(), version));
    }
    if let Some(branch) = branch {
        let own = Json::Object(vec![("consumerBranch".into(), Json::String(branch))]);
        metadata.push((OWN_METADATA.into(), own));
    }
    let named = |name: String| Json::Object(vec![("name".into(), Json::String(name))]);
    let mut fields: Fields = vec![
        ("consumer".into(), named(consumer)),
        ("provider".into(), named(provider)),
        ("interactions".into(), Json::Array(interactions)),
        ("metadata".into(), Json::Object(metadata)),
    ];
    part.verbatim(&mut fields)?;
    part.done(&["contract", "consumer", "provider", "branch", "interactions", "metadata", "pact"])?;
    Ok(Json::Object(fields))
}

fn interaction(node: &Node) -> Result<Json, ContractFileError> {
    let mut part = Part::of(node, "an interaction")?;
    let mut fields: Fields = Vec::new();
    let kinds = ["message", "exchange"].iter().filter(|k| part.has(k)).count()
        + usize::from(part.has("request") || part.has("response"));
    if kinds > 1 {
        return Err(node.error(
            "an interaction is either a `request` with its `response`, a `message`, or an `exchange` of messages",
        ));
    }
    let kind = if part.has("message") {
        "Asynchronous/Messages"
    } else if part.has("exchange") {
        "Synchronous/Messages"
    } else {
        "Synchronous/HTTP"
    };
    fields.push(("type".into(), Json::String(kind.into())));
    let description =
        part.text("description")?.ok_or_else(|| node.error("the interaction has no `description`"))?;
    fields.push(("description".into(), Json::String(description)));
    if let Some(states) = part.take("states") {
        fields.push(("providerStates".into(), provider_states(states)?));
    }
    if let Some(pending) = part.take("pending") {
        let Value::Bool(value) = pending.value else {
            return Err(pending.error("`pending` must be true or false"));
        };
        fields.push(("pending".into(), Json::Bool(value)));
    }
    if let Some(comments) = part.take("comments") {
        fields.push(("comments".into(), comments.json()));
    }
    if let Some(request) = part.take("request") {
        fields.push(("request".into(), http(request, true)?));
    }
    if let Some(response) = part.take("response") {
        fields.push(("response".into(), http(response, false)?));
    }
    if let Some(message) = part.take("message") {
        fields.extend(message::read(message)?);
    }
    if let Some(exchange) = part.take("exchange") {
        let mut inner = Part::of(exchange, "an exchange")?;
        if let Some(request) = inner.take("request") {
            fields.push(("request".into(), Json::Object(message::read(request)?)));
        }
        if let Some(responses) = inner.take("responses") {
            let Value::List(items) = &responses.value else {
                return Err(responses.error("`responses` must be a list"));
            };
            let read = items.iter().map(|m| Ok(Json::Object(message::read(m)?)));
            let read = read.collect::<Result<Vec<_>, ContractFileError>>()?;
            fields.push(("response".into(), Json::Array(read)));
        }
        inner.done(&["request", "responses"])?;
    }
    part.verbatim(&mut fields)?;
    part.done(&[
        "description",
        "states",
        "request",
        "response",
        "message",
        "exchange",
        "pending",
        "comments",
        "pact",
    ])?;
    Ok(Json::Object(fields))
}

fn provider_states(node: &Node) -> Result<Json, ContractFileError> {
    let Value::List(items) = &node.value else {
        return Err(node.error("`states` must be a list"));
    };
    let mut states = Vec::new();
    for item in items {
        if let Value::String(name) = &item.value {
            states.push(Json::Object(vec![("name".into(), Json::String(name.clone()))]));
            continue;
        }
        let mut part = Part::of(item, "a state")?;
        let name = part.text("name")?.ok_or_else(|| item.error("the state has no `name`"))?;
        let mut fields: Fields = vec![("name".into(), Json::String(name))];
        if let Some(params) = part.take("params") {
            if !matches!(params.value, Value::Map(_)) {
                return Err(params.error("`params` must be a mapping"));
            }
            fields.push(("params".into(), params.json()));
        }
        part.done(&["name", "params"])?;
        states.push(Json::Object(fields));
    }
    Ok(Json::Array(states))
}

fn http(node: &Node, is_request: bool) -> Result<Json, ContractFileError> {
    let what = if is_request { "a request" } else { "a response" };
    let mut part = Part::of(node, what)?;
    let mut fields: Fields = Vec::new();
    if is_request {
        for key in ["method", "path"] {
            if let Some(text) = part.text(key)? {
                fields.push((key.into(), Json::String(text)));
            }
        }
        if let Some(query) = part.take("query") {
            fields.push(("query".into(), values(query, "query")?));
        }
    } else if let Some(status) = part.take("status") {
        let Value::Number(number) = &status.value else {
            return Err(status.error("`status` must be a number such as 200"));
        };
        fields.push(("status".into(), Json::Number(number.clone())));
    }
    if let Some(headers) = part.take("headers") {
        fields.push(("headers".into(), values(headers, "headers")?));
    }
    part.body("body", "body_raw", "body", &mut fields)?;
    if let Some(rules) = part.take("match") {
        fields.push(("matchingRules".into(), http_rules(rules, is_request)?));
    }
    if let Some(generators) = part.take("generators") {
        fields.push(("generators".into(), generators.json()));
    }
    part.verbatim(&mut fields)?;
    let known: &[&str] = if is_request {
        &["method", "path", "query", "headers", "body", "body_raw", "match", "generators", "pact"]
    } else {
        &["status", "headers", "body", "body_raw", "match", "generators", "pact"]
    };
    part.done(known)?;
    Ok(Json::Object(fields))
}

/// Names to one value or several, as specification 4 has headers and queries: always a list.
fn values(node: &Node, what: &str) -> Result<Json, ContractFileError> {
    let Value::Map(entries) = &node.value else {
        return Err(node.error(format!("`{what}` must be a mapping of names to texts")));
    };
    let mut out = Vec::new();
    for (name, value) in entries {
        let list = match &value.value {
            Value::List(items) => items.iter().map(|i| text_of(i, what)).collect::<Result<Vec<_>, _>>()?,
            _ => vec![text_of(value, what)?],
        };
        out.push((name.key().to_owned(), Json::Array(list.into_iter().map(Json::String).collect())));
    }
    Ok(Json::Object(out))
}

fn http_rules(node: &Node, is_request: bool) -> Result<Json, ContractFileError> {
    let mut part = Part::of(node, "`match`")?;
    let mut rules: Fields = Vec::new();
    let alone: &[&str] = if is_request { &["path", "method"] } else { &["status"] };
    for key in alone {
        if let Some(rule) = part.take(key) {
            rules.push(((*key).into(), read_rule(rule)?));
        }
    }
    let by_path: &[(&str, &str)] = if is_request {
        &[("query", "query"), ("headers", "header"), ("body", "body")]
    } else {
        &[("headers", "header"), ("body", "body")]
    };
    for (key, category) in by_path {
        if let Some(node) = part.take(key) {
            rules.push(((*category).into(), read_rules(node)?));
        }
    }
    part.done(if is_request {
        &["path", "method", "query", "headers", "body"]
    } else {
        &["status", "headers", "body"]
    })?;
    Ok(Json::Object(rules))
}
