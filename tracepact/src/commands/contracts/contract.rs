//! `tracepact contract publish | propose | accept | list`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tracepact_verify::{Error, Publication, pact_files};

use super::{BrokerArgs, finish};

/// Publish, propose and accept contracts.
#[derive(Debug, Args)]
pub(crate) struct Contract {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Publish(Publish),
    Propose(Propose),
    Accept(Accept),
    List(List),
}

/// Publish pact files of one consumer version.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract publish pacts/ --version 1.4.2 --branch main
  tracepact contract publish pacts/orders-products.json --version \"$(git rev-parse HEAD)\" --branch feature-x")]
struct Publish {
    /// Pact files, or folders that hold them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The consumer's version.
    #[arg(long)]
    version: String,
    /// The branch it was built from.
    #[arg(long)]
    branch: Option<String>,
    /// Tags for the version.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Address of the build.
    #[arg(long)]
    build_url: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Propose a contract to its provider, like a pull request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract propose pacts/orders-products.json --branch product-price --title 'orders needs the price'")]
struct Propose {
    /// The pact file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The consumer's branch that needs it.
    #[arg(long)]
    branch: String,
    /// One line for the provider's team.
    #[arg(long)]
    title: String,
    /// The provider's team that should decide.
    #[arg(long)]
    team: Option<String>,
    /// Link to the pull request.
    #[arg(long)]
    pull_request_url: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Accept a proposal in the provider's name: from then on the provider's build fails when it violates it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract accept 01JD2X5Y7P --token-file tracepact-data/admin-token")]
struct Accept {
    /// The proposal's id.
    id: String,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// List proposals.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Contract {
    pub(crate) async fn run(self) -> ExitCode {
        finish(match self.action {
            Action::Publish(action) => action.run().await,
            Action::Propose(action) => action.run().await,
            Action::Accept(action) => action.run().await,
            Action::List(action) => action.run().await,
        })
    }
}

impl Publish {
    async fn run(self) -> Result<u8, Error> {
        let mut publication = Publication::read(&pact_files(&self.files)?, &self.version)?;
        publication.branch = self.branch;
        publication.tags = self.tags;
        publication.build_url = self.build_url;
        let count = publication.pacts.len();
        let notices = self.broker.client()?.publish(&publication).await?;
        let text: String = notices.iter().map(|n| format!("{n}\n")).collect();
        let what =
            format!("published {count} contract(s) of {} {}\n", publication.consumer, publication.version);
        self.broker.show(
            &json!({ "consumer": publication.consumer, "version": publication.version, "contracts": count, "notices": notices }),
            &(what + &text),
        );
        Ok(0)
    }
}

impl Propose {
    async fn run(self) -> Result<u8, Error> {
        let publication = Publication::read(std::slice::from_ref(&self.file), "proposal")?;
        let pact = publication.pacts.first().cloned().unwrap_or(Value::Null);
        let proposal = json!({
            "consumer": publication.consumer,
            "provider": pact.pointer("/provider/name"),
            "consumer_branch": self.branch,
            "title": self.title,
            "team": self.team,
            "pull_request_url": self.pull_request_url,
            "content": pact,
        });
        let answer = self.broker.client()?.propose(&proposal).await?;
        let text = format!(
            "proposed as {}; the provider accepts it with `tracepact contract accept`\n",
            id(&answer)
        );
        self.broker.show(&answer, &text);
        Ok(0)
    }
}

impl Accept {
    async fn run(self) -> Result<u8, Error> {
        let answer = self.broker.client()?.accept(&self.id).await?;
        self.broker.show(
            &answer,
            &format!("{} is accepted; the provider's verification includes it now\n", self.id),
        );
        Ok(0)
    }
}

impl List {
    async fn run(self) -> Result<u8, Error> {
        let answer = self.broker.client()?.proposals().await?;
        let list = answer.get("proposals").and_then(Value::as_array).cloned().unwrap_or_default();
        let field = |p: &Value, key: &str| p.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        let mut text = String::new();
        for proposal in &list {
            text.push_str(&format!(
                "{}  {:<10}  {} → {}  {}\n",
                id(proposal),
                field(proposal, "state"),
                field(proposal, "consumer"),
                field(proposal, "provider"),
                field(proposal, "title"),
            ));
        }
        if text.is_empty() {
            text = "there are no proposals\n".to_owned();
        }
        self.broker.show(&answer, &text);
        Ok(0)
    }
}

fn id(proposal: &Value) -> String {
    proposal
        .get("id")
        .map_or_else(|| "?".into(), |id| id.as_str().map_or_else(|| id.to_string(), str::to_owned))
}
