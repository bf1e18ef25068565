//! `tracepact can-i-deploy`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tracepact_verify::{AskOptions, Error, Verdict};

use super::{BrokerArgs, finish};

/// Ask the gate whether a version may go to an environment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact can-i-deploy --pacticipant products --version v2 --to production
  tracepact can-i-deploy --pacticipant products --version v2 --to production --json
  tracepact can-i-deploy --pacticipant products --version v2 --to production --wait-while-unknown 600

Exit codes: 0 yes, 1 no or unknown, 2 wrong usage, 3 the broker cannot be reached or lets nobody in.")]
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
    ask: AskArgs,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// What can be asked of the gate besides the deploy.
#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// Leave a service out of the decision (NAME, or NAME:VERSION). An environment may forbid it; a waiver is better: it
    /// has a reason and an end.
    #[arg(long, value_name = "NAME")]
    ignore: Vec<String>,
    /// While the answer is unknown, wait for missing results. The broker answers as soon as they are there.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(super) wait_while_unknown: u64,
    /// Print the answer, and end with 0 whatever it is.
    #[arg(long, env = "TRACEPACT_GATE_DRY_RUN")]
    pub(super) dry_run: bool,
}

impl AskArgs {
    /// For a client, waiting at most as long as was asked for.
    pub(super) fn options(&self, wait: Duration) -> AskOptions {
        AskOptions { ignore: self.ignore.clone(), wait }
    }
}

impl CanIDeploy {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.ask().await)
    }

    async fn ask(&self) -> Result<u8, Error> {
        let options = self.ask.options(Duration::from_secs(self.ask.wait_while_unknown));
        let client = self.broker.client()?;
        let verdict =
            client.can_i_deploy(&self.pacticipant, &self.version, &self.environment, &options).await?;
        self.broker.show(&verdict, &text(&verdict, &self.pacticipant, &self.version, &self.environment));
        if self.ask.dry_run {
            eprintln!("tracepact: dry run, so this ends well; the answer is {}", verdict.word());
            return Ok(0);
        }
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
    text.push_str(&verdict.details());
    if let Some(link) =
        verdict.trace.as_ref().and_then(|t| t.get("href").or(Some(t))).and_then(|h| h.as_str())
    {
        text.push_str(&format!("seen in trace: {link}\n"));
    }
    text
}
