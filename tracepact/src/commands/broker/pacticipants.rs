//! Pacticipants.

use clap::Args;
use serde_json::{Value, json};
use tracepact_verify::Error;
use tracepact_verify::broker_client::encode;

use super::args::{Connection, Printed, entries, field, table};

/// Create or update a pacticipant.
#[derive(Debug, Args)]
pub(super) struct CreateOrUpdate {
    /// Its name.
    #[arg(long)]
    name: String,
    /// How people call it.
    #[arg(long)]
    display_name: Option<String>,
    /// The main branch of its repository.
    #[arg(long)]
    main_branch: Option<String>,
    /// The address of its repository.
    #[arg(long, value_name = "URL")]
    repository_url: Option<String>,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl CreateOrUpdate {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let path = format!("/pacticipants/{}", encode(&self.name));
        let mut body = json!({ "name": self.name });
        for (key, value) in [
            ("displayName", &self.display_name),
            ("mainBranch", &self.main_branch),
            ("repositoryUrl", &self.repository_url),
        ] {
            if let Some(value) = value {
                body[key] = value.as_str().into();
            }
        }
        let known = client.find(&path, "the pacticipant").await?.is_some();
        let (done, verb) = if known {
            (client.patch(&path, &body, "the changed pacticipant").await?, "updated")
        } else {
            (client.post("/pacticipants", &body, "the new pacticipant").await?, "created")
        };
        self.printed.output.show(&done, &format!("pacticipant {} was {verb}\n", self.name));
        Ok(0)
    }
}

/// Describe a pacticipant.
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// Its name.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl Describe {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let path = format!("/pacticipants/{}", encode(&self.name));
        let found = self.connection.client()?.get(&path, "the pacticipant").await?;
        self.printed.output.show(&found, &list_of(std::slice::from_ref(&found)));
        Ok(0)
    }
}

/// List pacticipants.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl List {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let answer = self.connection.client()?.get("/pacticipants", "the list of pacticipants").await?;
        self.printed.output.show(&answer, &list_of(entries(&answer, "/_embedded/pacticipants")));
        Ok(0)
    }
}

fn list_of(list: &[Value]) -> String {
    let keys = ["/name", "/displayName", "/mainBranch", "/repositoryUrl"];
    let rows: Vec<Vec<String>> =
        list.iter().map(|p| keys.iter().map(|key| field(p, key).to_owned()).collect()).collect();
    table(&["NAME", "DISPLAY NAME", "MAIN BRANCH", "REPOSITORY URL"], &rows)
}
