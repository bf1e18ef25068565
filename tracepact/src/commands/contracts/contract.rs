//! `tracepact contract …`: publish contracts, and take a proposal from a file to its acceptance.

mod answer;
mod compare;
mod generate;
mod lint;
mod propose;
mod repository;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use tracepact_verify::{Error, Publication, pact_files};

use super::import::Import;
use super::{BrokerArgs, finish};

/// Publish, check, propose and accept contracts.
#[derive(Debug, Args)]
pub(crate) struct Contract {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Publish(Publish),
    Lint(lint::Lint),
    Diff(compare::Diff),
    Check(compare::Check),
    Propose(propose::Propose),
    Sync(repository::Sync),
    Mode(repository::Mode),
    Accept(answer::Accept),
    Reject(answer::Reject),
    Withdraw(answer::Withdraw),
    Ready(answer::Ready),
    Comment(answer::Comment),
    Status(status::Status),
    List(status::List),
    Generate(generate::Generate),
    Waive(super::waive::Waive),
    Import(Box<Import>),
}

/// Publish pact files of one consumer version.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract publish pacts/ --version 1.4.2 --branch main
  tracepact contract publish pacts/orders-products.json --version \"$(git rev-parse HEAD)\" --branch feature-x")]
struct Publish {
    /// Pact files, folders that hold them, or contract files (.yaml).
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

impl Contract {
    pub(crate) async fn run(self) -> ExitCode {
        finish(match self.action {
            Action::Publish(action) => action.run().await,
            Action::Lint(action) => action.run(),
            Action::Diff(action) => action.run().await,
            Action::Check(action) => action.run().await,
            Action::Propose(action) => action.run().await,
            Action::Sync(action) => action.run().await,
            Action::Mode(action) => action.run().await,
            Action::Accept(action) => action.run().await,
            Action::Reject(action) => action.run().await,
            Action::Withdraw(action) => action.run().await,
            Action::Ready(action) => action.run().await,
            Action::Comment(action) => action.run().await,
            Action::Status(action) => action.run().await,
            Action::List(action) => action.run().await,
            Action::Generate(action) => action.run(),
            Action::Waive(action) => action.run().await,
            Action::Import(action) => action.run().await,
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
