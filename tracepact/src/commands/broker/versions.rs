//! Versions, their branches and tags.

use clap::Args;
use serde_json::{Value, json};
use tracepact_verify::Error;
use tracepact_verify::broker_client::encode;

use super::args::{Connection, Printed, entries, field, table};
use super::detect;

/// Delete a branch; its versions and their contracts stay.
#[derive(Debug, Args)]
pub(super) struct DeleteBranch {
    /// The branch.
    #[arg(long)]
    branch: String,
    /// Whose branch.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// Whether a branch that is not there is an error.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", default_value_t = true, value_name = "BOOL",
          action = clap::ArgAction::Set)]
    error_when_not_found: bool,
    #[command(flatten)]
    connection: Connection,
}

impl DeleteBranch {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let path = format!("/pacticipants/{}/branches/{}", encode(&self.pacticipant), encode(&self.branch));
        match self.connection.client()?.delete(&path, "the deletion of the branch").await {
            Ok(_) => println!("branch {} of {} was deleted", self.branch, self.pacticipant),
            Err(Error::Refused { status: 404, .. }) if !self.error_when_not_found => {
                println!("{} has no branch {}", self.pacticipant, self.branch);
            }
            Err(error) => return Err(error),
        }
        Ok(0)
    }
}

/// Add tags to a version.
#[derive(Debug, Args)]
pub(super) struct CreateTag {
    /// Whose version.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// The version.
    #[arg(short = 'e', long)]
    version: String,
    /// The tag; can be repeated.
    #[arg(short = 't', long, value_delimiter = ',', num_args = 1.., required_unless_present = "tag_with_git_branch")]
    tag: Vec<String>,
    /// Create the version when the broker does not know it.
    #[arg(long)]
    auto_create_version: bool,
    /// Tag it with the name of the present branch.
    #[arg(short = 'g', long)]
    tag_with_git_branch: bool,
    #[command(flatten)]
    connection: Connection,
}

impl CreateTag {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let path = format!("/pacticipants/{}/versions/{}", encode(&self.pacticipant), encode(&self.version));
        if !self.auto_create_version {
            client.get(&path, "the version").await?;
        }
        let mut tags = self.tag.clone();
        if self.tag_with_git_branch {
            let branch = detect::build().branch;
            tags.push(branch.ok_or_else(|| {
                Error::Usage("--tag-with-git-branch: neither the build server nor git names a branch".into())
            })?);
        }
        for tag in &tags {
            let path = format!("{path}/tags/{}", encode(tag));
            client.put(&path, &json!({ "name": tag }), "the tag").await?;
            println!("{} {} is tagged {tag}", self.pacticipant, self.version);
        }
        Ok(0)
    }
}

/// Remove a tag from a version.
#[derive(Debug, Args)]
pub(super) struct DeleteTag {
    /// Whose version.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// The version.
    #[arg(short = 'e', long)]
    version: String,
    /// The tag.
    #[arg(short = 't', long)]
    tag: String,
    #[command(flatten)]
    connection: Connection,
}

impl DeleteTag {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let path = format!(
            "/pacticipants/{}/versions/{}/tags/{}",
            encode(&self.pacticipant),
            encode(&self.version),
            encode(&self.tag)
        );
        self.connection.client()?.delete(&path, "the deletion of the tag").await?;
        println!("{} {} is no longer tagged {}", self.pacticipant, self.version, self.tag);
        Ok(0)
    }
}

/// Describe a version: one by number, the latest, or those in an environment.
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// Whose version.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// The version's number.
    #[arg(short = 'e', long, conflicts_with_all = ["latest", "environment"])]
    version: Option<String>,
    /// The latest version; with TAG, the latest with this tag.
    #[arg(short = 'l', long, num_args = 0..=1, default_missing_value = "", value_name = "TAG")]
    latest: Option<String>,
    /// The versions deployed to or released in this environment.
    #[arg(long)]
    environment: Option<String>,
    /// Only deployed ones.
    #[arg(long, requires = "environment", conflicts_with = "released")]
    deployed: bool,
    /// Only released ones.
    #[arg(long, requires = "environment")]
    released: bool,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl Describe {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let owner = format!("/pacticipants/{}", encode(&self.pacticipant));
        if let Some(environment) = &self.environment {
            let mut found = Vec::new();
            for (wanted, path, list) in [
                (!self.released, "deployed-versions/currently-deployed", "deployedVersions"),
                (!self.deployed, "released-versions/currently-supported", "releasedVersions"),
            ] {
                if wanted {
                    let place =
                        format!("/environments/{}", encode(&environment_id(&client, environment).await?));
                    let path = format!("{place}/{path}?pacticipant={}", encode(&self.pacticipant));
                    let answer = client.get(&path, "the versions in the environment").await?;
                    for one in entries(&answer, &format!("/_embedded/{list}")) {
                        let number = field(one, "/_embedded/version/number");
                        let path = format!("{owner}/versions/{}", encode(number));
                        found.push(client.get(&path, "the version").await?);
                    }
                }
            }
            let text = list_of(&found);
            self.printed.output.show(&Value::Array(found), &text);
            return Ok(0);
        }
        let path = match (&self.version, self.latest.as_deref()) {
            (Some(number), _) => format!("{owner}/versions/{}", encode(number)),
            (None, None | Some("")) => format!("{owner}/latest-version"),
            (None, Some(tag)) => format!("{owner}/latest-version/{}", encode(tag)),
        };
        let found = client.get(&path, "the version").await?;
        self.printed.output.show(&found, &list_of(std::slice::from_ref(&found)));
        Ok(0)
    }
}

async fn environment_id(client: &tracepact_verify::BrokerClient, name: &str) -> Result<String, Error> {
    let answer = client.get("/environments", "the list of environments").await?;
    let found = entries(&answer, "/_embedded/environments").iter().find(|e| field(e, "/name") == name);
    found.map(|e| field(e, "/uuid").to_owned()).ok_or_else(|| Error::Refused {
        what: format!("the environment {name}"),
        status: 404,
        detail: "there is no such environment".into(),
    })
}

fn list_of(list: &[Value]) -> String {
    let names = |value: &Value, pointer: &str| {
        let names: Vec<&str> = entries(value, pointer).iter().map(|one| field(one, "/name")).collect();
        names.join(", ")
    };
    let rows: Vec<Vec<String>> = list
        .iter()
        .map(|version| {
            vec![
                field(version, "/number").to_owned(),
                names(version, "/_embedded/branchVersions"),
                names(version, "/_embedded/tags"),
                field(version, "/createdAt").to_owned(),
            ]
        })
        .collect();
    table(&["NUMBER", "BRANCHES", "TAGS", "CREATED_AT"], &rows)
}

/// Create or update a version, its branch and tags.
#[derive(Debug, Args)]
pub(super) struct CreateOrUpdate {
    /// Whose version.
    #[arg(short = 'a', long)]
    pacticipant: String,
    /// The version's number.
    #[arg(short = 'e', long)]
    version: String,
    /// The branch it is on.
    #[arg(long)]
    branch: Option<String>,
    /// A tag for it; can be repeated.
    #[arg(short = 't', long, value_delimiter = ',', num_args = 0..)]
    tag: Vec<String>,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl CreateOrUpdate {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let owner = format!("/pacticipants/{}", encode(&self.pacticipant));
        let path = format!("{owner}/versions/{}", encode(&self.version));
        match &self.branch {
            Some(branch) => {
                let path = format!("{owner}/branches/{}/versions/{}", encode(branch), encode(&self.version));
                client.put(&path, &json!({ "name": branch }), "the version on its branch").await?;
            }
            None => {
                client.patch(&path, &json!({}), "the version").await?;
            }
        }
        for tag in &self.tag {
            client.put(&format!("{path}/tags/{}", encode(tag)), &json!({ "name": tag }), "the tag").await?;
        }
        let done = client.get(&path, "the version").await?;
        self.printed
            .output
            .show(&done, &format!("{} {} was created or updated\n", self.pacticipant, self.version));
        Ok(0)
    }
}
