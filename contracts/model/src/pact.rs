//! Reading a pact: its two names, its interactions, and everything that makes it unusable.

use std::panic::AssertUnwindSafe;

use crate::canonical::{ContentId, interaction_id, without_id};
use crate::names::{NameProblem, check_name};
use crate::{Json, JsonError};

/// What an interaction exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InteractionKind {
    /// An HTTP request and its response.
    Http,
    /// One message, for example a Kafka record.
    Message,
    /// A request message and its responses.
    SynchronousMessage,
}

/// What can be said of an interaction without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// The id that verifiers send back with a result.
    pub id: String,
    /// What it exchanges.
    pub kind: InteractionKind,
    /// The consumer's words for it.
    pub description: String,
    /// The provider states it needs, by name.
    pub provider_states: Vec<String>,
    /// `GET /item/1` for HTTP.
    pub operation: Option<String>,
}

/// A pact of specification 1 to 4, read and checked.
#[derive(Debug, Clone)]
pub struct Pact {
    /// Who asks.
    pub consumer: String,
    /// Who answers.
    pub provider: String,
    /// The identity of the content.
    pub content_id: ContentId,
    /// `pactSpecification.version` as written; `None` when absent.
    pub specification: Option<String>,
    /// The interactions and messages, in the order of the file.
    pub interactions: Vec<Interaction>,
    document: Json,
}

/// Why bytes are not a pact that is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PactError {
    /// Not JSON.
    #[error("the pact is not valid JSON: {0}")]
    Json(#[from] JsonError),
    /// JSON, but not a pact.
    #[error("not a pact: {0}")]
    NotAPact(String),
    /// A bad consumer or provider name.
    #[error("not a pact: {0}")]
    Name(#[from] NameProblem),
    /// It names plugins. Nothing is ever downloaded or run to read a contract.
    #[error("the pact needs the plugin {0:?}; pacts with plugins are not taken")]
    Plugin(String),
    /// Two pacts that cannot be one.
    #[error("cannot merge: {0}")]
    Merge(String),
}

impl Pact {
    /// Reads and checks a pact file.
    pub fn parse(bytes: &[u8]) -> Result<Self, PactError> {
        Self::from_document(Json::parse(bytes)?)
    }

    fn from_document(document: Json) -> Result<Self, PactError> {
        let Json::Object(fields) = document else {
            return Err(PactError::NotAPact("it must be a JSON object".into()));
        };
        // What an earlier broker added is not content.
        let fields: Vec<_> = fields
            .into_iter()
            .filter(|(key, _)| !matches!(key.as_str(), "_links" | "_embedded" | "createdAt"))
            .collect();
        let mut document = Json::Object(fields);
        refuse_plugins(&document)?;
        let consumer = party(&document, "consumer", "consumer name")?;
        let provider = party(&document, "provider", "provider name")?;
        let specification = document
            .get("metadata")
            .and_then(|m| m.get("pactSpecification").or_else(|| m.get("pact-specification")))
            .and_then(|s| s.get("version"))
            .and_then(Json::as_str)
            .map(str::to_owned);
        for key in ["interactions", "messages"] {
            match document.get(key) {
                None | Some(Json::Array(_)) => {}
                Some(_) => return Err(PactError::NotAPact(format!("{key} must be a list"))),
            }
        }
        let mut interactions = Vec::new();
        for (key, fallback) in
            [("interactions", InteractionKind::Http), ("messages", InteractionKind::Message)]
        {
            for (index, item) in document.get(key).map(Json::items).unwrap_or_default().iter().enumerate() {
                interactions.push(
                    describe(item, fallback)
                        .map_err(|e| PactError::NotAPact(format!("{key}[{index}] {e}")))?,
                );
            }
        }
        if document.get("interactions").is_none() && document.get("messages").is_none() {
            return Err(PactError::NotAPact("it has neither interactions nor messages".into()));
        }
        check_with_pact_models(&document)?;
        let content_id = ContentId::of(list(&document, "interactions"), list(&document, "messages"));
        add_ids(&mut document);
        Ok(Self { consumer, provider, content_id, specification, interactions, document })
    }

    /// The pact as it is stored and served: the file's own fields and number texts, with an `_id` in every interaction.
    pub fn text(&self) -> String {
        self.document.write(false)
    }

    /// The pact as JSON.
    pub fn document(&self) -> &Json {
        &self.document
    }

    /// The interaction with this id.
    pub fn interaction(&self, id: &str) -> Option<&Interaction> {
        self.interactions.iter().find(|i| i.id == id)
    }

    /// Every interaction's JSON, in the order of [`Pact::interactions`].
    pub fn interaction_documents(&self) -> impl Iterator<Item = &Json> {
        list(&self.document, "interactions").iter().chain(list(&self.document, "messages"))
    }
}

/// One pact with the interactions of both. Refused when both have an interaction of the same description and states
/// with different content: one of them would be lost.
pub fn merge(first: &Pact, second: &Pact) -> Result<Pact, PactError> {
    if (&first.consumer, &first.provider) != (&second.consumer, &second.provider) {
        return Err(PactError::Merge("the pacts are between different pacticipants".into()));
    }
    let Json::Object(fields) = &first.document else {
        return Err(PactError::NotAPact("it must be a JSON object".into()));
    };
    let mut fields = fields.clone();
    for key in ["interactions", "messages"] {
        let mut items = list(&first.document, key).to_vec();
        for added in list(&second.document, key) {
            let same_name = items.iter().find(|i| identity(i) == identity(added));
            match same_name {
                Some(present) if without_id(present).write(true) == without_id(added).write(true) => {}
                Some(_) => {
                    let description = added.get("description").and_then(Json::as_str).unwrap_or_default();
                    return Err(PactError::Merge(format!(
                        "both have an interaction {description:?} in the same provider state, with different content"
                    )));
                }
                None => items.push(added.clone()),
            }
        }
        if items.is_empty() {
            continue;
        }
        match fields.iter_mut().find(|(k, _)| k == key) {
            Some((_, value)) => *value = Json::Array(items),
            None => fields.push((key.to_owned(), Json::Array(items))),
        }
    }
    Pact::from_document(Json::Object(fields))
}

/// What makes two interactions "the same one": kind, description and provider states.
pub(crate) fn identity(interaction: &Json) -> (String, String, String) {
    let text = |key: &str| interaction.get(key).map(|v| v.write(true)).unwrap_or_default();
    let states = interaction.get("providerStates").or_else(|| interaction.get("providerState"));
    (text("type"), text("description"), states.map(|s| s.write(true)).unwrap_or_default())
}

fn list<'a>(document: &'a Json, key: &str) -> &'a [Json] {
    document.get(key).map(Json::items).unwrap_or_default()
}

fn party(document: &Json, key: &str, what: &'static str) -> Result<String, PactError> {
    let name = document
        .get(key)
        .and_then(|p| p.get("name"))
        .and_then(Json::as_str)
        .ok_or_else(|| PactError::NotAPact(format!("{key}.name is missing")))?;
    Ok(check_name(what, name)?.to_owned())
}

fn describe(item: &Json, fallback: InteractionKind) -> Result<Interaction, String> {
    if !matches!(item, Json::Object(_)) {
        return Err("must be an object".into());
    }
    let kind = match item.get("type").and_then(Json::as_str) {
        None => fallback,
        Some("Synchronous/HTTP") => InteractionKind::Http,
        Some("Asynchronous/Messages") => InteractionKind::Message,
        Some("Synchronous/Messages") => InteractionKind::SynchronousMessage,
        Some(other) => return Err(format!("has the unknown type {other:?}")),
    };
    let description = item.get("description").and_then(Json::as_str).ok_or("has no description")?;
    let provider_states = match (item.get("providerStates"), item.get("providerState")) {
        (Some(states), _) => states
            .items()
            .iter()
            .filter_map(|s| s.get("name").and_then(Json::as_str))
            .map(str::to_owned)
            .collect(),
        (None, Some(Json::String(state))) => vec![state.clone()],
        _ => Vec::new(),
    };
    let operation = (kind == InteractionKind::Http).then(|| {
        let part = |key: &str| {
            item.get("request").and_then(|r| r.get(key)).and_then(Json::as_str).map(str::to_owned)
        };
        format!(
            "{} {}",
            part("method").unwrap_or_else(|| "GET".into()),
            part("path").unwrap_or_else(|| "/".into())
        )
    });
    Ok(Interaction {
        id: interaction_id(item),
        kind,
        description: description.to_owned(),
        provider_states,
        operation,
    })
}

fn refuse_plugins(document: &Json) -> Result<(), PactError> {
    if let Some(plugins) = document.get("metadata").and_then(|m| m.get("plugins")) {
        let first = plugins.items().first();
        if first.is_some() || !matches!(plugins, Json::Array(_) | Json::Null) {
            let name = first.and_then(|p| p.get("name")).and_then(Json::as_str).unwrap_or("without a name");
            return Err(PactError::Plugin(name.to_owned()));
        }
    }
    for item in list(document, "interactions") {
        if let Some((name, _)) = item.get("pluginConfiguration").and_then(|c| c.fields().first()) {
            return Err(PactError::Plugin(name.clone()));
        }
    }
    Ok(())
}

/// The Pact Foundation's own reader must accept it too, else no verifier could run it.
fn check_with_pact_models(document: &Json) -> Result<(), PactError> {
    let value: serde_json::Value =
        serde_json::from_str(&document.write(false)).map_err(|e| PactError::NotAPact(e.to_string()))?;
    // A panic in there is a refusal of this input, not the end of the process.
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| {
        pact_models::pact::load_pact_from_json("<published>", &value)
            .map(|_| ())
            .map_err(|e| format!("{e:#}"))
    }));
    match read {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => Err(PactError::NotAPact(reason)),
        Err(_) => Err(PactError::NotAPact("the Pact library cannot read it".into())),
    }
}

fn add_ids(document: &mut Json) {
    let Json::Object(fields) = document else { return };
    for (key, value) in fields {
        let Json::Array(items) = value else { continue };
        if !matches!(key.as_str(), "interactions" | "messages") {
            continue;
        }
        for item in items {
            let id = interaction_id(item);
            if let Json::Object(fields) = item {
                fields.retain(|(key, _)| key != "_id");
                fields.insert(0, ("_id".into(), Json::String(id)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(body: &str) -> Vec<u8> {
        format!(
            r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{{"description":"x","request":{{"method":"GET","path":"/x"}},"response":{{"status":200,"body":{body}}}}}],"metadata":{{"pactSpecification":{{"version":"2.0.0"}}}}}}"#
        )
        .into_bytes()
    }

    #[test]
    fn the_text_of_a_number_is_part_of_the_content() {
        let id = |body: &str| Pact::parse(&http(body)).unwrap().content_id;
        assert_ne!(id("1.0"), id("1"));
        assert_ne!(id("12345678901234567890"), id("12345678901234567891"));
        assert!(Pact::parse(&http("12345678901234567890")).unwrap().text().contains(":12345678901234567890"));
        assert_eq!(id(r#"{"a":1,"b":2}"#), id(r#"{ "b":2, "a":1 }"#));
        assert_ne!(id("[1,2]"), id("[2,1]"));
    }

    #[test]
    fn the_order_of_interactions_does_not_matter() {
        let pact = |order: [&str; 2]| {
            let items = order
                .map(|d| format!(r#"{{"description":"{d}","request":{{"path":"/{d}"}},"response":{{}}}}"#));
            Pact::parse(
                format!(
                    r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{}]}}"#,
                    items.join(",")
                )
                .as_bytes(),
            )
            .unwrap()
        };
        assert_eq!(pact(["p", "q"]).content_id, pact(["q", "p"]).content_id);
        assert_ne!(pact(["p", "q"]).content_id, pact(["p", "p"]).content_id);
    }

    #[test]
    fn republishing_what_a_broker_served_is_the_same_content() {
        let first = Pact::parse(&http("1")).unwrap();
        let served = first.text().replacen('{', r#"{"createdAt":"2026","_links":{"self":{}},"#, 1);
        let again = Pact::parse(served.as_bytes()).unwrap();
        assert_eq!(again.content_id, first.content_id);
        assert_eq!(again.interactions[0].id, first.interactions[0].id);
        assert_eq!(again.text(), first.text());
    }

    #[test]
    fn messages_and_version_4_are_read() {
        let v3 = br#"{"consumer":{"name":"a"},"provider":{"name":"b"},"messages":[{"description":"m","contents":{"id":1},
            "providerStates":[{"name":"s"}]}],"metadata":{"pactSpecification":{"version":"3.0.0"}}}"#;
        let pact = Pact::parse(v3).unwrap();
        assert_eq!(pact.interactions[0].kind, InteractionKind::Message);
        assert_eq!(pact.interactions[0].provider_states, ["s"]);
        let v4 = br#"{"consumer":{"name":"a"},"provider":{"name":"b"},"interactions":[{"type":"Asynchronous/Messages",
            "description":"m","contents":{"content":{"id":1},"contentType":"application/json","encoded":false}}],
            "metadata":{"pactSpecification":{"version":"4.0"}}}"#;
        let pact = Pact::parse(v4).unwrap();
        assert_eq!(
            (pact.interactions[0].kind, pact.specification.as_deref()),
            (InteractionKind::Message, Some("4.0"))
        );
    }

    #[test]
    fn plugins_are_refused() {
        let text = String::from_utf8(http("1")).unwrap();
        let with =
            text.replace(r#""metadata":{"#, r#""metadata":{"plugins":[{"name":"protobuf","version":"1"}],"#);
        assert_eq!(Pact::parse(with.as_bytes()).unwrap_err(), PactError::Plugin("protobuf".into()));
        let with =
            text.replace(r#""description":"x""#, r#""description":"x","pluginConfiguration":{"csv":{}}"#);
        assert_eq!(Pact::parse(with.as_bytes()).unwrap_err(), PactError::Plugin("csv".into()));
    }

    #[test]
    fn what_is_no_pact_is_refused() {
        for bad in [
            "[]",
            "{}",
            r#"{"consumer":{"name":""},"provider":{"name":"b"},"interactions":[]}"#,
            r#"{"consumer":{"name":"a"},"provider":{"name":"b"}}"#,
            r#"{"consumer":{"name":"a"},"provider":{"name":"b"},"interactions":{}}"#,
            r#"{"consumer":{"name":"a"},"provider":{"name":"b"},"interactions":[1]}"#,
            r#"{"consumer":{"name":"a"},"provider":{"name":"b"},"interactions":[{}]}"#,
            r#"{"consumer":{"name":"a"},"provider":{"name":"b"},"interactions":[{"description":"x","type":"Odd"}]}"#,
        ] {
            assert!(Pact::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn merging_loses_nothing() {
        let pact = |d: &str, path: &str| {
            Pact::parse(
                format!(r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{{"description":"{d}","request":{{"path":"{path}"}},"response":{{}}}}]}}"#)
                    .as_bytes(),
            )
            .unwrap()
        };
        let both = merge(&pact("p", "/p"), &pact("q", "/q")).unwrap();
        assert_eq!(both.interactions.len(), 2);
        assert_eq!(merge(&both, &pact("q", "/q")).unwrap().content_id, both.content_id);
        assert!(matches!(merge(&both, &pact("q", "/other")), Err(PactError::Merge(_))));
    }
}
