//! The YAML form to a pact of specification 4.

use super::matchers::{read_rule, read_rules};
use super::message;
use super::yaml::{Node, Value};
use super::{ContractFileError, OWN_METADATA};
use crate::Json;

/// The fields of a part under construction.
pub(super) type Fields = Vec<(String, Json)>;

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

/// A text, or a number or truth value taken by its text: header and query values are texts anyway.
pub(super) fn text_of(node: &Node, what: &str) -> Result<String, ContractFileError> {
    match &node.value {
        Value::String(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        _ => Err(node.error(format!("a value of `{what}` must be a text"))),
    }
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

/// A mapping of which every key has to be taken.
pub(super) struct Part<'a> {
    node: &'a Node,
    fields: Vec<(&'a Node, &'a Node)>,
}

impl<'a> Part<'a> {
    pub(super) fn of(node: &'a Node, what: &str) -> Result<Self, ContractFileError> {
        match &node.value {
            Value::Map(fields) => Ok(Self { node, fields: fields.iter().map(|(k, v)| (k, v)).collect() }),
            _ => Err(node.error(format!("{what} must be a mapping"))),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(k, _)| k.key() == key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<&'a Node> {
        let at = self.fields.iter().position(|(k, _)| k.key() == key)?;
        Some(self.fields.remove(at).1)
    }

    fn required(&mut self, key: &str) -> Result<&'a Node, ContractFileError> {
        self.take(key).ok_or_else(|| self.node.error(format!("`{key}` is missing")))
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, ContractFileError> {
        match self.take(key) {
            None => Ok(None),
            Some(node) => match &node.value {
                Value::String(text) => Ok(Some(text.clone())),
                _ => Err(node.error(format!("`{key}` must be a text; put it in quotes"))),
            },
        }
    }

    /// A JSON body in short (`body: {…}`), or specification 4's own body object.
    pub(super) fn body(
        &mut self,
        short: &str,
        raw: &str,
        field: &str,
        fields: &mut Fields,
    ) -> Result<(), ContractFileError> {
        match (self.take(short), self.take(raw)) {
            (Some(_), Some(node)) => Err(node.error(format!("either `{short}` or `{raw}`"))),
            (Some(node), None) => {
                let body = Json::Object(vec![
                    ("content".into(), node.json()),
                    ("contentType".into(), Json::String("application/json".into())),
                    ("encoded".into(), Json::Bool(false)),
                ]);
                fields.push((field.into(), body));
                Ok(())
            }
            (None, Some(node)) => {
                fields.push((field.into(), node.json()));
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// What stands under `pact:` goes into the pact as it is.
    pub(super) fn verbatim(&mut self, fields: &mut Fields) -> Result<(), ContractFileError> {
        let Some(node) = self.take("pact") else { return Ok(()) };
        let Value::Map(entries) = &node.value else {
            return Err(node.error("`pact` must be a mapping of the pact's own fields"));
        };
        for (key, value) in entries {
            if fields.iter().any(|(k, _)| k == key.key()) {
                return Err(key.error(format!("{:?} is said above already", key.key())));
            }
            fields.push((key.key().to_owned(), value.json()));
        }
        Ok(())
    }

    /// Refuses what was not taken.
    pub(super) fn done(self, known: &[&str]) -> Result<(), ContractFileError> {
        match self.fields.first() {
            None => Ok(()),
            Some((key, _)) => {
                let name = key.key();
                let close = known.iter().find(|k| is_slip(name, k));
                let hint = match close {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("known are {}", known.join(", ")),
                };
                Err(key.error(format!("unknown key {name:?}; {hint}")))
            }
        }
    }
}

/// Whether `name` is `known` but for its case, or for one letter too many, missing, wrong or swapped with the next.
fn is_slip(name: &str, known: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) =
        (name.to_lowercase().chars().collect(), known.to_lowercase().chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - back], &b[..b.len() - back]);
    match (a, b) {
        ([] | [_], [] | [_]) => true,
        ([x, y], [v, w]) => x == w && y == v,
        _ => false,
    }
}
