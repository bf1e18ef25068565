//! Where a message provider's messages come from when it has no HTTP endpoint for them: a command that prints them, or
//! a real Kafka topic. The verifier speaks the Pact project's message protocol (`POST {description, providerStates}`,
//! answered by the message); a bridge on a loopback port speaks it for the provider.

mod kafka;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Error;
use crate::provider_config::ProviderConfig;
use crate::run_command::run;

/// A message as the provider made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) contents: Vec<u8>,
    pub(crate) content_type: String,
    pub(crate) metadata: Map<String, Value>,
}

/// A running bridge; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Bridge {
    pub(crate) address: SocketAddr,
    failures: Failures,
    task: JoinHandle<()>,
}

/// Messages that could not be made, with the reason. The verifier takes whatever it is answered for the message.
type Failures = Arc<Mutex<BTreeMap<String, String>>>;

impl Drop for Bridge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bridge {
    /// Starts a bridge for what `config` says about messages; `None` when it says nothing.
    pub(crate) async fn start(config: &Arc<ProviderConfig>) -> Result<Option<Self>, Error> {
        if !config.makes_messages() {
            return Ok(None);
        }
        let failed = |e: std::io::Error| Error::Verification(format!("no port for messages: {e}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let failures = Failures::default();
        let app = Router::new().route("/", post(answer)).with_state((config.clone(), failures.clone()));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the bridge for messages ended");
            }
        });
        Ok(Some(Self { address, failures, task }))
    }

    /// Why the message of this description could not be made.
    pub(crate) fn failure(&self, description: &str) -> Option<String> {
        self.failures.lock().get(description).cloned()
    }
}

async fn answer(
    State((config, failures)): State<(Arc<ProviderConfig>, Failures)>,
    Json(asked): Json<Value>,
) -> Response<Body> {
    match message(&config, &asked).await {
        Ok(message) => show(message),
        Err(reason) => {
            let description = asked.get("description").and_then(Value::as_str).unwrap_or_default();
            failures.lock().insert(description.to_owned(), reason.clone());
            let mut response = Response::new(Body::from(reason));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

async fn message(config: &ProviderConfig, asked: &Value) -> Result<Message, String> {
    let description = asked.get("description").and_then(Value::as_str).unwrap_or_default();
    if let Some(command) = config.messages.get(description) {
        let out = run(&command.command, &config.folder, command.timeout_ms, asked)
            .await
            .map_err(|reason| format!("the message {description:?}: {reason}"))?;
        return printed(&out).map_err(|reason| format!("the message {description:?}: {reason}"));
    }
    if let Some(kafka) = &config.kafka
        && let Some(message) = kafka.messages.get(description)
    {
        return kafka::next(config, kafka, message, asked)
            .await
            .map_err(|reason| format!("the message {description:?}: {reason}"));
    }
    let known: Vec<&str> = config
        .messages
        .keys()
        .chain(config.kafka.iter().flat_map(|k| k.messages.keys()))
        .map(String::as_str)
        .collect();
    Err(format!("the provider's configuration has no message {description:?}; it has {}", known.join(", ")))
}

/// What a command printed: `{"contents": …, "metadata": {…}}`.
fn printed(out: &str) -> Result<Message, String> {
    let form = r#"print {"contents": …, "metadata": {…}}"#;
    let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(out.trim()) else {
        return Err(format!("what was printed is no JSON object; {form}"));
    };
    let contents = fields.remove("contents").ok_or_else(|| format!("`contents` is missing; {form}"))?;
    let metadata = match fields.remove("metadata") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(format!("`metadata` must be an object; {form}")),
    };
    let content_type = match fields.remove("content_type") {
        None | Some(Value::Null) => None,
        Some(Value::String(kind)) => Some(kind),
        Some(_) => return Err("`content_type` must be a text".into()),
    };
    if let Some((key, _)) = fields.iter().next() {
        return Err(format!("unknown field {key:?}; {form}"));
    }
    let content_type = content_type
        .or_else(|| metadata.get("contentType").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_else(|| "application/json".into());
    let contents = match (&contents, content_type.contains("json")) {
        (Value::String(text), false) => text.clone().into_bytes(),
        (contents, _) => contents.to_string().into_bytes(),
    };
    Ok(Message { contents, content_type, metadata })
}

fn show(message: Message) -> Response<Body> {
    let metadata = STANDARD.encode(json!(message.metadata).to_string());
    let mut response = Response::new(Body::from(message.contents));
    if let Ok(value) = HeaderValue::from_str(&message.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    if let Ok(value) = HeaderValue::from_str(&metadata) {
        response.headers_mut().insert("pact-message-metadata", value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_prints_is_read_strictly() {
        let message = printed(r#"{"contents": {"id": 1}, "metadata": {"topic": "orders"}}"#).unwrap();
        assert_eq!(message.contents, br#"{"id":1}"#);
        assert_eq!(message.content_type, "application/json");
        let text = printed(r#"{"contents": "a,b", "content_type": "text/csv"}"#).unwrap();
        assert_eq!(text.contents, b"a,b");
        for bad in ["", "1", "{}", r#"{"contents":1,"metadata":2}"#, r#"{"contents":1,"odd":2}"#] {
            assert!(printed(bad).is_err(), "{bad}");
        }
    }
}
