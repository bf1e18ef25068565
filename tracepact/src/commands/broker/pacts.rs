//! `publish`, `list-latest-pact-versions`, `get-pacts`, `provider-states`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tracepact_verify::broker_client::encode;
use tracepact_verify::publish::{glob_files, pact_files};
use tracepact_verify::{BrokerClient, Error, Publication};

use super::args::{Connection, Printed, entries, field, table};
use super::detect;

/// Publish pacts.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// Pact files, folders, or patterns such as `target/**/*.json`.
    #[arg(required = true, value_name = "FILES_DIRS_OR_GLOBS")]
    files: Vec<String>,
    /// The consumer's version.
    #[arg(short = 'a', long, value_name = "VERSION")]
    consumer_app_version: Option<String>,
    /// The branch of the consumer's version.
    #[arg(long)]
    branch: Option<String>,
    /// Take version, branch and build address from the build server's variables or from git, where they are not given.
    #[arg(short = 'r', long)]
    auto_detect_version_properties: bool,
    /// A tag for the version; can be repeated.
    #[arg(short = 't', long, value_delimiter = ',', num_args = 0..)]
    tag: Vec<String>,
    /// Tag the version with the name of the branch.
    #[arg(long)]
    tag_with_git_branch: bool,
    /// Address of the build.
    #[arg(long, value_name = "URL")]
    build_url: Option<String>,
    /// Add to what this version has already, for test runs that are spread over several machines.
    #[arg(long)]
    merge: bool,
    /// Taken for compatibility: files are always checked.
    #[arg(long, hide = true)]
    validate: bool,
    /// Taken for compatibility: files are always checked.
    #[arg(long, hide = true)]
    strict: bool,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl Publish {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let mut files = Vec::new();
        for given in &self.files {
            if std::path::Path::new(given).exists() {
                files.extend(pact_files(&[PathBuf::from(given)])?);
            } else {
                files.extend(glob_files(given)?);
            }
        }
        let build = if self.auto_detect_version_properties || self.tag_with_git_branch {
            detect::build()
        } else {
            detect::Build::default()
        };
        let detected = |value: Option<String>| if self.auto_detect_version_properties { value } else { None };
        let version =
            self.consumer_app_version.clone().or_else(|| detected(build.commit)).ok_or_else(|| {
                Error::Usage(
                    "give --consumer-app-version, or --auto-detect-version-properties in a build".into(),
                )
            })?;
        let mut tags = self.tag.clone();
        if self.tag_with_git_branch {
            tags.push(build.branch.clone().ok_or_else(|| {
                Error::Usage("--tag-with-git-branch: neither the build server nor git names a branch".into())
            })?);
        }
        let branch = self.branch.clone().or_else(|| detected(build.branch));
        let build_url = self.build_url.clone().or_else(|| detected(build.url));
        // One publication holds pacts of one consumer.
        let mut of_consumer: BTreeMap<String, Publication> = BTreeMap::new();
        for file in files {
            let mut read = Publication::read(&[file], &version)?;
            match of_consumer.get_mut(&read.consumer) {
                Some(present) => present.append(read),
                None => {
                    read.branch.clone_from(&branch);
                    read.tags.clone_from(&tags);
                    read.build_url.clone_from(&build_url);
                    read.merge = self.merge;
                    of_consumer.insert(read.consumer.clone(), read);
                }
            }
        }
        let client = self.connection.client()?;
        let mut answers = Vec::new();
        for publication in of_consumer.values() {
            let answer = client.publish_raw(publication).await?;
            let text: String =
                entries(&answer, "/notices").iter().map(|n| format!("{}\n", field(n, "/text"))).collect();
            answers.push(answer);
            if let Some(last) = answers.last() {
                self.printed.output.show(last, &text);
            }
        }
        Ok(0)
    }
}

/// List the latest pact of every integration.
#[derive(Debug, Args)]
pub(super) struct ListLatest {
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl ListLatest {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let answer = self.connection.client()?.get("/pacts/latest", "the latest pacts").await?;
        let rows: Vec<Vec<String>> = entries(&answer, "/pacts")
            .iter()
            .map(|pact| {
                vec![
                    field(pact, "/_embedded/consumer/name").to_owned(),
                    field(pact, "/_embedded/consumer/_embedded/version/number").to_owned(),
                    field(pact, "/_embedded/provider/name").to_owned(),
                    field(pact, "/createdAt").to_owned(),
                ]
            })
            .collect();
        let text = table(&["CONSUMER", "CONSUMER_VERSION", "PROVIDER", "CREATED_AT"], &rows);
        self.printed.output.show(&answer, &text);
        Ok(0)
    }
}

/// Get the pacts of a provider, by consumer and branch.
#[derive(Debug, Args)]
pub(super) struct GetPacts {
    /// The provider.
    #[arg(long)]
    provider: String,
    /// Only of this consumer.
    #[arg(long)]
    consumer: Option<String>,
    /// Of this branch instead of the main one.
    #[arg(long)]
    branch: Option<String>,
    /// Only the latest of each consumer.
    #[arg(long)]
    latest: bool,
    /// Write the pacts to files.
    #[arg(long)]
    download: bool,
    /// Where to.
    #[arg(long, default_value = "./pacts", value_name = "DIR")]
    download_dir: PathBuf,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl GetPacts {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let client = self.connection.client()?;
        let branch = self.branch.as_deref().map(|b| format!("/{}", encode(b))).unwrap_or_default();
        let latest = if self.latest { "/latest" } else { "" };
        let path = format!("/pacts/provider/{}/branch{branch}{latest}", encode(&self.provider));
        let mut answer = client.get(&path, "the pacts").await?;
        let mut links = entries(&answer, "/_links/pb:pacts").to_vec();
        if let Some(consumer) = &self.consumer {
            links.retain(|link| field(link, "/name") == consumer);
            answer["_links"]["pb:pacts"] = Value::Array(links.clone());
        }
        let mut text = String::new();
        if links.is_empty() {
            text.push_str("there are no such pacts\n");
        }
        if self.download {
            std::fs::create_dir_all(&self.download_dir).map_err(|e| unwritable(&self.download_dir, &e))?;
        }
        for link in &links {
            text.push_str(&format!("{}  {}\n", field(link, "/name"), field(link, "/href")));
            if self.download {
                let file = self.save(&client, link).await?;
                text.push_str(&format!("    written to {}\n", file.display()));
            }
        }
        self.printed.output.show(&answer, &text);
        Ok(0)
    }

    async fn save(&self, client: &BrokerClient, link: &Value) -> Result<PathBuf, Error> {
        let pact = client.follow(field(link, "/href"), "the pact").await?;
        let version = field(&pact, "/_links/pb:consumer-version/name").to_owned();
        let name = format!(
            "{}-{}-{}.json",
            plain(field(&pact, "/consumer/name")),
            plain(field(&pact, "/provider/name")),
            plain(&version)
        );
        let file = self.download_dir.join(name);
        std::fs::write(&file, format!("{pact:#}\n")).map_err(|e| unwritable(&file, &e))?;
        Ok(file)
    }
}

fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Error {
    Error::Usage(format!("{}: {error}", path.display()))
}

/// A name as part of a file's name: nothing in it can lead to another folder.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// Provider states of a provider's contracts.
#[derive(Debug, Args)]
pub(super) struct ProviderStates {
    #[command(subcommand)]
    action: StatesAction,
}

#[derive(Debug, Subcommand)]
enum StatesAction {
    /// List the states that consumers' contracts name.
    List(ListStates),
}

#[derive(Debug, Args)]
struct ListStates {
    /// The provider.
    #[arg(long)]
    provider: String,
    /// Of contracts of this branch.
    #[arg(long, conflicts_with = "environment")]
    branch: Option<String>,
    /// Of contracts in this environment.
    #[arg(long)]
    environment: Option<String>,
    #[command(flatten)]
    printed: Printed,
    #[command(flatten)]
    connection: Connection,
}

impl ProviderStates {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let StatesAction::List(list) = self.action;
        let mut path = format!("/pacts/provider/{}/provider-states", encode(&list.provider));
        if let Some(branch) = &list.branch {
            path.push_str(&format!("/branch/{}", encode(branch)));
        }
        if let Some(environment) = &list.environment {
            path.push_str(&format!("/environment/{}", encode(environment)));
        }
        let answer = list.connection.client()?.get(&path, "the provider states").await?;
        let rows: Vec<Vec<String>> = entries(&answer, "/providerStates")
            .iter()
            .map(|state| {
                let consumers: Vec<&str> =
                    entries(state, "/consumers").iter().filter_map(Value::as_str).collect();
                let params = state.get("params").cloned().unwrap_or_else(|| json!({}));
                vec![field(state, "/name").to_owned(), params.to_string(), consumers.join(", ")]
            })
            .collect();
        list.printed.output.show(&answer, &table(&["STATE", "PARAMS", "CONSUMERS"], &rows));
        Ok(0)
    }
}
