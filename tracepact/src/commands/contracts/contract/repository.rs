//! `tracepact contract sync | mode`: where a provider accepts, and what its repository holds.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;
use tracepact_verify::{Error, contract_files};

use super::super::BrokerArgs;

/// Report the contract files of a provider's main branch: what is merged is accepted, what is gone is retired.
///
/// Runs in the provider's pipeline after every merge, with the provider's token. All its contract files are reported at
/// once; a file that is gone retires its contract unless a live consumer version needs it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract sync contracts/ --provider products --commit \"$(git rev-parse HEAD)\" --token-file token

Exit codes: 0 reported, 1 refused (for example because the provider accepts in the broker), 2 wrong usage,
3 the broker cannot be reached.")]
pub(super) struct Sync {
    /// The folder of contract files.
    #[arg(default_value = "contracts", value_name = "FOLDER")]
    folder: PathBuf,
    /// The provider whose repository it is.
    #[arg(long)]
    provider: String,
    /// The commit of its main branch.
    #[arg(long)]
    commit: Option<String>,
    /// Who reports it.
    #[arg(long)]
    who: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Where a provider accepts contracts.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Place {
    /// Button and command.
    Broker,
    /// The merge of the contract file, reported by `sync`.
    Repository,
}

/// Set where a provider accepts contracts (admin token).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract mode products repository --team catalogue --token-file tracepact-data/admin-token")]
pub(super) struct Mode {
    /// The provider.
    provider: String,
    /// Where it accepts.
    place: Place,
    /// The team that is asked when a proposal names none.
    #[arg(long)]
    team: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Sync {
    pub(super) async fn run(self) -> Result<u8, Error> {
        // An empty folder is a report too: everything is gone.
        let files = match contract_files::list(&self.folder)?.is_empty() {
            true => Vec::new(),
            false => contract_files::read_all(&self.folder)?,
        };
        let all = contract_files::by_consumer(&files)?;
        let (commit, who) = (self.commit.as_deref(), self.who.as_deref());
        let answer = self.broker.client()?.sync(&self.provider, all.values(), commit, who).await?;
        let mut text = String::new();
        for (key, says) in [
            ("accepted", "accepted"),
            ("unchanged", "unchanged"),
            ("retired", "retired, its file is gone"),
            ("still_needed", "its file is gone, but it stays: needed by"),
        ] {
            for entry in answer.get(key).and_then(Value::as_array).into_iter().flatten() {
                let word = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("?");
                text.push_str(&format!("{}  {says}: {}\n", word("id"), word("consumer")));
            }
        }
        if text.is_empty() {
            text = format!("{} accepts no contracts\n", self.provider);
        }
        self.broker.show(&answer, &text);
        Ok(0)
    }
}

impl Mode {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let place = match self.place {
            Place::Broker => "broker",
            Place::Repository => "repository",
        };
        let answer =
            self.broker.client()?.set_acceptance(&self.provider, place, self.team.as_deref()).await?;
        let how = match self.place {
            Place::Broker => "in the broker: `tracepact contract accept`, or the page of a proposal",
            Place::Repository => "by merging: its pipeline runs `tracepact contract sync`",
        };
        self.broker.show(&answer, &format!("{} accepts contracts {how}\n", self.provider));
        Ok(0)
    }
}
