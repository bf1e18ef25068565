//! Webhooks, as the plain HTTP calls that they are.

use clap::Args;
use serde_json::{Value, json};
use tracepact_verify::Error;
use tracepact_verify::broker_client::encode;

use super::args::{Connection, entries, field};

/// What a webhook does and when.
#[derive(Debug, Args)]
struct Definition {
    /// The address it calls.
    url: String,
    /// The HTTP method.
    #[arg(short = 'X', long = "request", default_value = "POST", value_name = "METHOD")]
    method: String,
    /// A header, `Name: Value`; can be repeated.
    #[arg(short = 'H', long = "header", num_args = 1.., value_name = "HEADER")]
    headers: Vec<String>,
    /// The body; `@FILE` reads it from a file.
    #[arg(short = 'd', long)]
    data: Option<String>,
    /// Basic auth, `user:password`.
    #[arg(long)]
    user: Option<String>,
    /// Only for this consumer.
    #[arg(long, conflicts_with = "consumer_label")]
    consumer: Option<String>,
    /// Only for consumers with this label.
    #[arg(long)]
    consumer_label: Option<String>,
    /// Only for this provider.
    #[arg(long, conflicts_with = "provider_label")]
    provider: Option<String>,
    /// Only for providers with this label.
    #[arg(long)]
    provider_label: Option<String>,
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
    /// When the content of a contract changes.
    #[arg(long)]
    contract_content_changed: bool,
    /// When a contract is published.
    #[arg(long)]
    contract_published: bool,
    /// When a verification result is published.
    #[arg(long)]
    provider_verification_published: bool,
    /// When a failed one is.
    #[arg(long)]
    provider_verification_failed: bool,
    /// When a successful one is.
    #[arg(long)]
    provider_verification_succeeded: bool,
    /// When a contract is published that a version in use did not verify yet.
    #[arg(long)]
    contract_requiring_verification_published: bool,
    /// Taken for compatibility: teams are another product's.
    #[arg(long, hide = true)]
    team_uuid: Option<String>,
}

impl Definition {
    fn body(&self) -> Result<Value, Error> {
        let events: Vec<Value> = [
            ("contract_content_changed", self.contract_content_changed),
            ("contract_published", self.contract_published),
            ("provider_verification_published", self.provider_verification_published),
            ("provider_verification_failed", self.provider_verification_failed),
            ("provider_verification_succeeded", self.provider_verification_succeeded),
            ("contract_requiring_verification_published", self.contract_requiring_verification_published),
        ]
        .iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(name, _)| json!({ "name": name }))
        .collect();
        if events.is_empty() {
            return Err(Error::Usage(
                "say when it fires, for example with --contract-requiring-verification-published".into(),
            ));
        }
        let mut headers = serde_json::Map::new();
        for header in &self.headers {
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| Error::Usage(format!("--header {header:?}: write Name: Value")))?;
            headers.insert(name.trim().to_owned(), value.trim().into());
        }
        let mut request = json!({ "method": self.method, "url": self.url, "headers": headers });
        if let Some(data) = &self.data {
            let text = match data.strip_prefix('@') {
                Some(file) => {
                    std::fs::read_to_string(file).map_err(|e| Error::Usage(format!("--data {data}: {e}")))?
                }
                None => data.clone(),
            };
            request["body"] = serde_json::from_str(&text).unwrap_or(Value::String(text));
        }
        if let Some(user) = &self.user {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            request["username"] = name.into();
            request["password"] = password.into();
        }
        let mut body = json!({ "events": events, "request": request });
        if let Some(text) = &self.description {
            body["description"] = text.as_str().into();
        }
        for (side, name, label) in [
            ("consumer", &self.consumer, &self.consumer_label),
            ("provider", &self.provider, &self.provider_label),
        ] {
            match (name, label) {
                (Some(name), _) => body[side] = json!({ "name": name }),
                (None, Some(label)) => body[side] = json!({ "label": label }),
                (None, None) => {}
            }
        }
        Ok(body)
    }
}

/// Create a webhook.
#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    definition: Definition,
    #[command(flatten)]
    connection: Connection,
}

impl Create {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let body = self.definition.body()?;
        let made = self.connection.client()?.post("/webhooks", &body, "the new webhook").await?;
        println!("{made:#}");
        Ok(0)
    }
}

/// Create a webhook with a uuid of your own, or update it.
#[derive(Debug, Args)]
pub(super) struct CreateOrUpdate {
    /// The uuid, from `generate-uuid`.
    #[arg(long)]
    uuid: String,
    #[command(flatten)]
    definition: Definition,
    #[command(flatten)]
    connection: Connection,
}

impl CreateOrUpdate {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let path = format!("/webhooks/{}", encode(&self.uuid));
        let body = self.definition.body()?;
        let done = self.connection.client()?.put(&path, &body, "the webhook").await?;
        println!("{done:#}");
        Ok(0)
    }
}

/// Delete a webhook.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Its uuid.
    #[arg(long)]
    uuid: String,
    #[command(flatten)]
    connection: Connection,
}

impl Delete {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let path = format!("/webhooks/{}", encode(&self.uuid));
        self.connection.client()?.delete(&path, "the deletion of the webhook").await?;
        println!("the webhook was deleted");
        Ok(0)
    }
}

/// Call a webhook now and show what came back.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Its uuid.
    #[arg(long)]
    uuid: String,
    #[command(flatten)]
    connection: Connection,
}

impl Test {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let path = format!("/webhooks/{}/execute", encode(&self.uuid));
        let done = self.connection.client()?.post(&path, &json!({}), "the call of the webhook").await?;
        let logs = field(&done, "/logs");
        if logs == "-" {
            println!("{done:#}")
        } else {
            println!("{logs}")
        }
        let refused =
            done.get("success") == Some(&Value::Bool(false)) || !entries(&done, "/errors").is_empty();
        Ok(u8::from(refused))
    }
}

/// Print a uuid for `create-or-update-webhook`.
#[derive(Debug, Args)]
pub(super) struct GenerateUuid {}

impl GenerateUuid {
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(super) fn run(self) -> Result<u8, Error> {
        println!("{}", uuid::Uuid::new_v4());
        Ok(0)
    }
}
