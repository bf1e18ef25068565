//! What a webhook is: for whom, on which events, and what is then sent.

use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tracepact_contract_model::check_name;
use url::Url;

use super::github::GitHub;
use super::{EVENTS, WebhookPolicy, template};
use crate::BrokerError;

/// What a secret reads as. Sent back as it is, it means "as before".
pub(crate) const HIDDEN: &str = "**********";
/// Largest webhook: its body is kept and sent as it is.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Most headers of one.
const HEADERS_MAX: usize = 50;
/// Longest address.
const URL_BYTES_MAX: usize = 2_000;

/// One side of the pairs a webhook is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Party {
    Any,
    Name(String),
    Label(String),
}

/// A webhook as it is written, before it has a place in the database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) consumer: Party,
    pub(crate) provider: Party,
    pub(crate) events: Vec<String>,
    pub(crate) target: Target,
}

/// What is sent, as it is stored. Holds secrets: shown only through [`Target::shown`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// A request of one's own.
    Request(RequestTemplate),
    /// A commit status or a check run.
    GitHub(GitHub),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "Target::Request",
            Self::GitHub(_) => "Target::GitHub",
        })
    }
}

/// A request with variables in it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RequestTemplate {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    /// A JSON value, or a string that is sent as plain text.
    pub(crate) body: Option<Value>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    /// Signs each delivery.
    pub(crate) signing_secret: Option<String>,
}

fn invalid(field: &str, reason: impl Into<String>) -> BrokerError {
    BrokerError::invalid(field, reason)
}

fn text(map: &Value, field: &str, name: &str) -> Result<Option<String>, BrokerError> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(invalid(name, "must be a string")),
    }
}

impl Definition {
    /// Reads the Pact Broker's form, plus `request.signingSecret` and `github` in the place of `request`. Secrets that
    /// read [`HIDDEN`] are those of `before`.
    pub(crate) fn read(
        body: &Value,
        policy: &WebhookPolicy,
        before: Option<&Target>,
    ) -> Result<Self, BrokerError> {
        let description = text(body, "description", "description")?;
        if let Some(text) = &description {
            check_name("description", text)?;
        }
        let enabled = match body.get("enabled") {
            None | Some(Value::Null) => true,
            Some(Value::Bool(enabled)) => *enabled,
            Some(_) => return Err(invalid("enabled", "must be true or false")),
        };
        Ok(Self {
            description,
            enabled,
            consumer: party(body, "consumer")?,
            provider: party(body, "provider")?,
            events: events(body)?,
            target: Target::read(body, policy, before)?,
        })
    }
}

fn party(body: &Value, field: &str) -> Result<Party, BrokerError> {
    let party = match body.get(field) {
        None | Some(Value::Null) => return Ok(Party::Any),
        Some(party @ Value::Object(_)) => party,
        Some(_) => return Err(invalid(field, "must be an object with a name or a label")),
    };
    match (text(party, "name", field)?, text(party, "label", field)?) {
        (Some(_), Some(_)) => Err(invalid(field, "cannot have both a name and a label")),
        (Some(name), None) => Ok(Party::Name(name)),
        (None, Some(label)) => Ok(Party::Label(check_name("label", &label)?.to_owned())),
        (None, None) => Err(invalid(&format!("{field}.name"), "can't be blank")),
    }
}

fn events(body: &Value) -> Result<Vec<String>, BrokerError> {
    let items = match body.get("events") {
        // Webhooks from before there were events.
        None | Some(Value::Null) => return Ok(vec!["contract_content_changed".to_owned()]),
        Some(Value::Array(items)) if items.is_empty() => return Err(invalid("events", "can't be blank")),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(invalid("events", "must be a list")),
    };
    let mut events: Vec<String> = Vec::new();
    for item in items {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        if !EVENTS.contains(&name) {
            return Err(invalid("events", format!("'{name}' is not one of {}", EVENTS.join(", "))));
        }
        if !events.iter().any(|known| known == name) {
            events.push(name.to_owned());
        }
    }
    Ok(events)
}

impl Target {
    /// Reads `request` or `github`.
    pub(crate) fn read(
        body: &Value,
        policy: &WebhookPolicy,
        before: Option<&Self>,
    ) -> Result<Self, BrokerError> {
        match (body.get("request"), body.get("github")) {
            (Some(request @ Value::Object(_)), None | Some(Value::Null)) => {
                let before = match before {
                    Some(Self::Request(before)) => Some(before),
                    _ => None,
                };
                Ok(Self::Request(RequestTemplate::read(request, policy, before)?))
            }
            (None | Some(Value::Null), Some(github @ Value::Object(_))) => {
                let before = match before {
                    Some(Self::GitHub(before)) => Some(before),
                    _ => None,
                };
                Ok(Self::GitHub(GitHub::read(github, policy, before)?))
            }
            (Some(Value::Object(_)), Some(_)) => Err(invalid("request", "and github cannot both be there")),
            _ => Err(invalid("request", "can't be blank")),
        }
    }

    /// What is shown of it: everything but secrets.
    pub(crate) fn shown(&self) -> (&'static str, Value) {
        match self {
            Self::Request(request) => ("request", request.shown()),
            Self::GitHub(github) => ("github", github.shown()),
        }
    }

    /// What must never be seen in a log.
    pub(crate) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Request(request) => request.secrets(),
            Self::GitHub(github) => vec![github.token().to_owned()],
        }
    }
}

/// Whether a header of this name carries a secret.
pub(crate) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "token", "secret", "cookie", "api-key", "apikey", "password", "signature"]
        .iter()
        .any(|part| name.contains(part))
}

/// `sent`, or the one before when `sent` is what a secret reads as.
pub(crate) fn kept(
    sent: Option<String>,
    before: Option<&String>,
    field: &str,
) -> Result<Option<String>, BrokerError> {
    match sent {
        Some(text) if text == HIDDEN => match before {
            Some(before) => Ok(Some(before.clone())),
            None => Err(invalid(field, "is hidden and there is none to keep: send the secret itself")),
        },
        other => Ok(other),
    }
}

/// An address that a webhook may have; variables may stand in its path and query only.
pub(crate) fn check_url(field: &str, url: &str, policy: &WebhookPolicy) -> Result<(), BrokerError> {
    if url.len() > URL_BYTES_MAX {
        return Err(invalid(field, format!("has more than {URL_BYTES_MAX} bytes")));
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    if authority.contains('$') || url.starts_with('$') {
        return Err(invalid(field, "cannot have a variable before its path"));
    }
    let parsed = Url::parse(&template::without_variables(url))
        .map_err(|_| invalid(field, "is not a valid URL eg. http://example.org"))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(invalid(field, "cannot hold a user: use username and password"));
    }
    policy.check_url(&parsed).map_err(|reason| invalid(field, reason))
}

impl RequestTemplate {
    fn read(request: &Value, policy: &WebhookPolicy, before: Option<&Self>) -> Result<Self, BrokerError> {
        let method = text(request, "method", "request.method")?
            .ok_or_else(|| invalid("request.method", "can't be blank"))?
            .to_ascii_uppercase();
        if Method::from_bytes(method.as_bytes()).is_err() {
            return Err(invalid("request.method", "is not a recognised HTTP method"));
        }
        policy.check_method(&method).map_err(|reason| invalid("request.method", reason))?;
        let url =
            text(request, "url", "request.url")?.ok_or_else(|| invalid("request.url", "can't be blank"))?;
        check_url("request.url", &url, policy)?;
        let body = request.get("body").filter(|body| !body.is_null()).cloned();
        if body.as_ref().is_some_and(|body| body.to_string().len() > BODY_BYTES_MAX) {
            return Err(invalid("request.body", format!("has more than {BODY_BYTES_MAX} bytes")));
        }
        let secret = |field: &str, before: Option<&String>| {
            let name = format!("request.{field}");
            kept(text(request, field, &name)?, before, &name)
        };
        Ok(Self {
            headers: headers(request, before)?,
            username: text(request, "username", "request.username")?,
            password: secret("password", before.and_then(|b| b.password.as_ref()))?,
            signing_secret: secret("signingSecret", before.and_then(|b| b.signing_secret.as_ref()))?,
            method,
            url,
            body,
        })
    }

    fn shown(&self) -> Value {
        let mut shown = json!({ "method": self.method, "url": self.url });
        if !self.headers.is_empty() {
            let headers: Map<String, Value> = self
                .headers
                .iter()
                .map(|(name, value)| {
                    let value = if is_secret_header(name) { HIDDEN } else { value };
                    (name.clone(), value.into())
                })
                .collect();
            shown["headers"] = headers.into();
        }
        if let Some(body) = &self.body {
            shown["body"] = body.clone();
        }
        if let Some(username) = &self.username {
            shown["username"] = username.as_str().into();
        }
        for (field, secret) in [("password", &self.password), ("signingSecret", &self.signing_secret)] {
            if secret.is_some() {
                shown[field] = HIDDEN.into();
            }
        }
        shown
    }

    fn secrets(&self) -> Vec<String> {
        let headers = self.headers.iter().filter(|(name, _)| is_secret_header(name)).map(|(_, value)| value);
        // `Bearer abc`: the scheme is no secret, what follows is.
        let of_headers =
            headers.map(|value| value.split_once(' ').map_or(value.as_str(), |(_, rest)| rest).to_owned());
        of_headers.chain(self.password.clone()).chain(self.signing_secret.clone()).collect()
    }
}

fn headers(request: &Value, before: Option<&RequestTemplate>) -> Result<Vec<(String, String)>, BrokerError> {
    const FIELD: &str = "request.headers";
    let fields = match request.get("headers") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(invalid(FIELD, "must be an object")),
    };
    if fields.len() > HEADERS_MAX {
        return Err(invalid(FIELD, format!("has more than {HEADERS_MAX} entries")));
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in fields {
        let value = value.as_str().ok_or_else(|| invalid(FIELD, format!("{name} must be a string")))?;
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| invalid(FIELD, format!("'{name}' is no header's name")))?
            .as_str()
            .to_owned();
        if HeaderValue::from_str(value).is_err() {
            return Err(invalid(
                FIELD,
                format!("the value of {name} has characters that a header cannot carry"),
            ));
        }
        if ["host", "content-length", "transfer-encoding", "connection"].contains(&name.as_str()) {
            return Err(invalid(FIELD, format!("{name} is set by the sender")));
        }
        let old =
            before.and_then(|b| b.headers.iter().find(|(known, _)| *known == name)).map(|(_, value)| value);
        let value = kept(Some(value.to_owned()), old, FIELD)?.unwrap_or_default();
        headers.push((name, value));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<Definition, String> {
        Definition::read(body, &WebhookPolicy::default(), None).map_err(|e| e.to_string())
    }

    fn request(change: impl FnOnce(&mut Value)) -> Value {
        let mut body = json!({ "request": { "method": "post", "url": "https://ci.example.org/${pactbroker.consumerName}?a=b",
            "headers": { "Content-Type": "application/json", "Authorization": "Bearer s3cret" },
            "body": { "a": 1 }, "username": "u", "password": "pa55" } });
        change(&mut body);
        body
    }

    #[test]
    fn secrets_are_hidden_and_kept_when_sent_back_hidden() {
        let first = read(&request(|_| {})).unwrap();
        let (_, shown) = first.target.shown();
        assert_eq!(shown["headers"]["authorization"], HIDDEN);
        assert_eq!(shown["password"], HIDDEN);
        assert!(!shown.to_string().contains("s3cret") && !format!("{first:?}").contains("pa55"));
        assert_eq!(first.target.secrets(), ["s3cret", "pa55"]);
        let body = json!({ "request": shown });
        let again = Definition::read(&body, &WebhookPolicy::default(), Some(&first.target)).unwrap();
        assert_eq!(again.target, first.target);
        assert!(read(&body).unwrap_err().contains("hidden"));
    }

    #[test]
    fn events_default_to_changed_content() {
        assert_eq!(read(&request(|_| {})).unwrap().events, ["contract_content_changed"]);
        let both = request(|b| {
            b["events"] = json!([{ "name": "contract_published" }, { "name": "contract_published" }])
        });
        assert_eq!(read(&both).unwrap().events, ["contract_published"]);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_field() {
        for (change, field) in [
            ((|b: &mut Value| b["events"] = json!([{ "name": "x" }])) as fn(&mut Value), "events"),
            (|b| b["events"] = json!([]), "events"),
            (|b| b["enabled"] = json!("yes"), "enabled"),
            (|b| b["consumer"] = json!({}), "consumer.name"),
            (|b| b["consumer"] = json!({ "name": "a", "label": "b" }), "consumer"),
            (|b| b["request"] = json!(null), "request"),
            (|b| b["request"]["method"] = json!("GET"), "request.method"),
            (|b| b["request"]["url"] = json!("http://ci.example.org/"), "request.url"),
            (|b| b["request"]["url"] = json!("https://${pactbroker.consumerName}/"), "request.url"),
            (|b| b["request"]["url"] = json!("https://u:p@ci.example.org/"), "request.url"),
            (|b| b["request"]["url"] = json!("https://127.0.0.1/"), "request.url"),
            (|b| b["request"]["url"] = json!("not a url"), "request.url"),
            (|b| b["request"]["headers"] = json!({ "a b": "c" }), "request.headers"),
            (|b| b["request"]["headers"] = json!({ "a": "c\r\nd: e" }), "request.headers"),
            (|b| b["request"]["headers"] = json!({ "Host": "x" }), "request.headers"),
            (|b| b["request"]["body"] = json!("x".repeat(70_000)), "request.body"),
            (|b| b["github"] = json!({}), "request"),
        ] {
            let refused = read(&request(change)).unwrap_err();
            assert!(refused.starts_with(&format!("{field}: ")), "{field}: {refused}");
        }
    }
}
