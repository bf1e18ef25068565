//! `tracepact can-i-deploy`.

use std::process::ExitCode;

use clap::Args;
use tracepact_verify::{Error, Verdict};

use super::{BrokerArgs, finish};

/// Ask the gate whether a version may go to an environment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact can-i-deploy --pacticipant products --version v2 --to production
  tracepact can-i-deploy --pacticipant products --version v2 --to production --json

Exit codes: 0 yes, 1 no or unknown, 2 wrong usage, 3 the broker cannot be reached.")]
pub(crate) struct CanIDeploy {
    /// The service whose version is to be deployed.
    #[arg(long)]
    pacticipant: String,
    /// The version.
    #[arg(long)]
    version: String,
    /// The environment.
    #[arg(long = "to", visible_alias = "environment", value_name = "ENVIRONMENT")]
    environment: String,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl CanIDeploy {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.ask().await)
    }

    async fn ask(&self) -> Result<u8, Error> {
        let verdict =
            self.broker.client()?.can_i_deploy(&self.pacticipant, &self.version, &self.environment).await?;
        self.broker.show(&verdict, &text(&verdict, &self.pacticipant, &self.version, &self.environment));
        Ok(verdict.exit_code())
    }
}

/// What people read: the answer, the reason, the pairs, the remarks.
pub(super) fn text(verdict: &Verdict, pacticipant: &str, version: &str, environment: &str) -> String {
    let mut text = format!(
        "can {pacticipant} {version} be deployed to {environment}? {}\n{}\n",
        verdict.word().to_uppercase(),
        verdict.reason
    );
    if !verdict.rows.is_empty() {
        text.push('\n');
        text.push_str(&verdict.table());
    }
    for notice in &verdict.notices {
        text.push_str(&format!("note: {notice}\n"));
    }
    if let Some(link) =
        verdict.trace.as_ref().and_then(|t| t.get("href").or(Some(t))).and_then(|h| h.as_str())
    {
        text.push_str(&format!("seen in trace: {link}\n"));
    }
    text
}
