//! Environments, and what is deployed or released there.

use clap::Args;
use serde_json::{Value, json};
use tracepact_verify::broker_client::encode;
use tracepact_verify::{BrokerClient, Error};

use super::args::{Connection, Printed, entries, field, table};

/// What an environment is.
#[derive(Debug, Args)]
struct Details {
    /// How people call it.
    #[arg(long)]
    display_name: Option<String>,
    /// It is a production environment.
    #[arg(long, overrides_with = "no_production")]
    production: bool,
    /// It is not.
    #[arg(long)]
    no_production: bool,
    /// Who is responsible for it.
    #[arg(long)]
    contact_name: Option<String>,
    /// Their e-mail address.
    #[arg(long)]
    contact_email_address: Option<String>,
}

impl Details {
    fn put_into(&self, body: &mut Value) {
        if let Some(name) = &self.display_name {
            body["displayName"] = name.as_str().into();
        }
        if self.production || self.no_production {
            body["production"] = self.production.into();
        }
        if self.contact_name.is_some() || self.contact_email_address.is_some() {
            let mut contact = json!({ "name": self.contact_name.as_deref().unwrap_or("contact") });
            if let Some(address) = &self.contact_email_address {
                contact["details"] = json!({ "emailAddress": address });
            }
            body["contacts"] = json!([contact]);
        }
    }
}

/// Create an environment.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Its name, as deploy scripts use it.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    details: Details,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl Create {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let mut body = json!({ "name": self.name, "production": false });
        self.details.put_into(&mut body);
        let made = self.connection.client()?.post("/environments", &body, "the new environment").await?;
        let text = format!("environment {} was created with the uuid {}\n", self.name, field(&made, "/uuid"));
        self.printed.output.show(&made, &text);
        Ok(0)
    }
}

/// Update an environment.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// Its uuid.
    #[arg(long)]
    uuid: String,
    /// Its new name.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    details: Details,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl Update {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let path = format!("/environments/{}", encode(&self.uuid));
        let found = client.get(&path, "the environment").await?;
        // The request replaces everything, so what is not given stays as it is.
        let mut body = json!({});
        for key in ["name", "displayName", "production", "contacts"] {
            if let Some(value) = found.get(key) {
                body[key] = value.clone();
            }
        }
        if let Some(name) = &self.name {
            body["name"] = name.as_str().into();
        }
        self.details.put_into(&mut body);
        let done = client.put(&path, &body, "the changed environment").await?;
        self.printed.output.show(&done, &format!("environment {} was updated\n", field(&done, "/name")));
        Ok(0)
    }
}

/// Delete an environment.
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
        let path = format!("/environments/{}", encode(&self.uuid));
        self.connection.client()?.delete(&path, "the deletion of the environment").await?;
        println!("the environment was deleted");
        Ok(0)
    }
}

/// Describe an environment.
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// Its uuid.
    #[arg(long)]
    uuid: String,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl Describe {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let path = format!("/environments/{}", encode(&self.uuid));
        let found = self.connection.client()?.get(&path, "the environment").await?;
        self.printed.output.show(&found, &list_of(std::slice::from_ref(&found)));
        Ok(0)
    }
}

/// List environments.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl List {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let answer = self.connection.client()?.get("/environments", "the list of environments").await?;
        self.printed.output.show(&answer, &list_of(entries(&answer, "/_embedded/environments")));
        Ok(0)
    }
}

fn list_of(list: &[Value]) -> String {
    let rows: Vec<Vec<String>> = list
        .iter()
        .map(|e| {
            let production = e.get("production").and_then(Value::as_bool).unwrap_or(false);
            vec![
                field(e, "/uuid").to_owned(),
                field(e, "/name").to_owned(),
                field(e, "/displayName").to_owned(),
                production.to_string(),
            ]
        })
        .collect();
    table(&["UUID", "NAME", "DISPLAY NAME", "PRODUCTION"], &rows)
}

/// The path of the environment with this name.
async fn path_of(client: &BrokerClient, name: &str) -> Result<String, Error> {
    let answer = client.get("/environments", "the list of environments").await?;
    let list = entries(&answer, "/_embedded/environments");
    let found = list.iter().find(|e| field(e, "/name") == name);
    found.map(|e| format!("/environments/{}", encode(field(e, "/uuid")))).ok_or_else(|| Error::Refused {
        what: format!("the environment {name}"),
        status: 404,
        detail: format!(
            "there is no environment {name:?}; the broker knows {}",
            list.iter().map(|e| field(e, "/name")).collect::<Vec<_>>().join(", ")
        ),
    })
}

/// Records a deployment or a release through the link that the version has for the environment.
async fn record(
    connection: &Connection,
    (pacticipant, version, environment): (&str, &str, &str),
    relation: &str,
    body: &Value,
) -> Result<Value, Error> {
    let client = connection.client()?;
    let path = format!("/pacticipants/{}/versions/{}", encode(pacticipant), encode(version));
    let found = client.get(&path, "the version").await?;
    let links = entries(&found, &format!("/_links/pb:{relation}"));
    let link = links.iter().find(|link| field(link, "/name") == environment);
    let Some(link) = link else {
        path_of(&client, environment).await?;
        return Err(Error::Refused {
            what: format!("pb:{relation}"),
            status: 404,
            detail: format!("the version has no such link for {environment}"),
        });
    };
    client.follow_post(field(link, "/href"), body, "the record").await
}

/// Record that a version was deployed.
#[derive(Debug, Args)]
pub(super) struct RecordDeployment {
    /// What was deployed.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// Its version.
    #[arg(short = 'e', long)]
    version: String,
    /// Where to.
    #[arg(long)]
    environment: String,
    /// The application instance, where the environment has several.
    #[arg(long, alias = "target")]
    application_instance: Option<String>,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl RecordDeployment {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let body = match &self.application_instance {
            Some(instance) => json!({ "applicationInstance": instance, "target": instance }),
            None => json!({}),
        };
        let what = (self.pacticipant.as_str(), self.version.as_str(), self.environment.as_str());
        let done = record(&self.connection, what, "record-deployment", &body).await?;
        let text = format!("{} {} is recorded as deployed to {}\n", what.0, what.1, what.2);
        self.printed.output.show(&done, &text);
        Ok(0)
    }
}

/// Record that a version was released, beside others that stay supported.
#[derive(Debug, Args)]
pub(super) struct RecordRelease {
    /// What was released.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// Its version.
    #[arg(short = 'e', long)]
    version: String,
    /// Where to.
    #[arg(long)]
    environment: String,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl RecordRelease {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let what = (self.pacticipant.as_str(), self.version.as_str(), self.environment.as_str());
        let done = record(&self.connection, what, "record-release", &json!({})).await?;
        let text = format!("{} {} is recorded as released to {}\n", what.0, what.1, what.2);
        self.printed.output.show(&done, &text);
        Ok(0)
    }
}

/// Record that a pacticipant no longer runs in an environment (a newer deployment replaces it by itself).
#[derive(Debug, Args)]
pub(super) struct RecordUndeployment {
    /// What was undeployed.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// Where from.
    #[arg(long)]
    environment: String,
    /// The application instance, where the environment has several.
    #[arg(long, alias = "target")]
    application_instance: Option<String>,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl RecordUndeployment {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let place = path_of(&client, &self.environment).await?;
        let path =
            format!("{place}/deployed-versions/currently-deployed?pacticipant={}", encode(&self.pacticipant));
        let answer = client.get(&path, "what is deployed").await?;
        let wanted = self.application_instance.as_deref();
        let list: Vec<Value> = entries(&answer, "/_embedded/deployedVersions")
            .iter()
            .filter(|d| d.get("applicationInstance").and_then(Value::as_str) == wanted)
            .cloned()
            .collect();
        let ended = end(&client, &list, &json!({ "currentlyDeployed": false })).await?;
        let what = format!("{} in {}", self.pacticipant, self.environment);
        nothing_is_an_error(&ended, &format!("{what} is not deployed"))?;
        let text = format!("{what} is recorded as undeployed\n");
        self.printed.output.show(&Value::Array(ended), &text);
        Ok(0)
    }
}

/// Record that a released version is no longer supported.
#[derive(Debug, Args)]
pub(super) struct RecordSupportEnded {
    /// Which pacticipant.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// Its version.
    #[arg(short = 'e', long)]
    version: String,
    /// Where.
    #[arg(long)]
    environment: String,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl RecordSupportEnded {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let place = path_of(&client, &self.environment).await?;
        let path = format!(
            "{place}/released-versions/currently-supported?pacticipant={}&version={}",
            encode(&self.pacticipant),
            encode(&self.version)
        );
        let answer = client.get(&path, "what is supported").await?;
        let list: Vec<Value> = entries(&answer, "/_embedded/releasedVersions")
            .iter()
            .filter(|r| field(r, "/_embedded/version/number") == self.version)
            .cloned()
            .collect();
        let ended = end(&client, &list, &json!({ "currentlySupported": false })).await?;
        let what = format!("{} {} in {}", self.pacticipant, self.version, self.environment);
        nothing_is_an_error(&ended, &format!("{what} is not supported"))?;
        self.printed
            .output
            .show(&Value::Array(ended), &format!("the support of {what} is recorded as ended\n"));
        Ok(0)
    }
}

async fn end(client: &BrokerClient, list: &[Value], body: &Value) -> Result<Vec<Value>, Error> {
    let mut ended = Vec::new();
    for one in list {
        ended.push(client.follow_patch(field(one, "/_links/self/href"), body, "the record").await?);
    }
    Ok(ended)
}

fn nothing_is_an_error(ended: &[Value], detail: &str) -> Result<(), Error> {
    if !ended.is_empty() {
        return Ok(());
    }
    Err(Error::Refused { what: "the record".into(), status: 404, detail: detail.to_owned() })
}
