//! `tracepact verify`: a running provider against its consumers' contracts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tracepact_verify::junit::junit;
use tracepact_verify::{Error, Outcome, ProviderCheck, ProviderConfig, provider};

use super::standard_output::free_for_json;
use super::{BrokerArgs, finish};

/// Verify a running provider against the contracts the broker holds for it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact verify --provider products --provider-url http://127.0.0.1:8080 --version v2 --branch main --publish
  tracepact verify --provider products --provider-url http://127.0.0.1:8080 --version v2 --branch main --include-wip-since 2026-11-01
  tracepact verify --provider products --provider-url http://127.0.0.1:8080 --version v2 --message-path /messages
  tracepact verify --provider orders --version v2 --provider-config tracepact-provider.toml

The provider's configuration sets up states and makes messages; commands get JSON on standard input:
  [states.\"item 1 exists\"]             # {\"state\", \"params\", \"action\": \"setup\" | \"teardown\"}
  command = [\"./scripts/seed\", \"item\"]
  [messages.\"an order was placed\"]     # prints {\"contents\": …, \"metadata\": {…}}
  command = [\"./target/debug/print-order\"]
  [kafka]
  brokers = \"127.0.0.1:9092\"
  [kafka.messages.\"an order was shipped\"]
  topic = \"orders\"
  trigger = [\"./scripts/ship-an-order\"]

Exit codes: 0 the provider keeps every contract that is not pending, 1 it does not, 2 wrong usage,
3 the broker cannot be reached. With --json standard output is one JSON document; what the verifier says goes to
standard error.")]
pub(crate) struct Verify {
    /// The provider's name at the broker.
    #[arg(long)]
    provider: String,
    /// Where the provider runs. Not needed when all it does is send messages that its configuration makes.
    #[arg(long, value_name = "URL")]
    provider_url: Option<String>,
    /// The provider's version.
    #[arg(long)]
    version: String,
    /// The branch it was built from.
    #[arg(long)]
    branch: Option<String>,
    /// Also verify work in progress that is newer than this date, for example 2026-11-01: what consumers propose is among it.
    /// It breaks no build. Needs --branch.
    #[arg(long, value_name = "DATE", requires = "branch")]
    include_wip_since: Option<String>,
    /// Send the results to the broker, where the gate reads them.
    #[arg(long)]
    publish: bool,
    /// Path on the provider that answers a POST of an interaction's description with the message it would send.
    #[arg(long, value_name = "PATH")]
    message_path: Option<String>,
    /// Address that sets up provider states.
    #[arg(long, value_name = "URL")]
    state_change_url: Option<String>,
    /// The provider's own file: commands that set up states and make messages, Kafka topics.
    #[arg(long, value_name = "FILE")]
    provider_config: Option<PathBuf>,
    /// Address of the build, shown beside the result.
    #[arg(long, value_name = "URL")]
    build_url: Option<String>,
    /// Longest wait for one answer of the provider.
    #[arg(long, default_value_t = 5_000, value_name = "MS")]
    request_timeout_ms: u64,
    /// Also write the result as JUnit XML, for build servers.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// The discard port, which nobody serves: a contract that asks for HTTP all the same fails with a refused connection.
const NOWHERE: &str = "http://127.0.0.1:9";

impl Verify {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.verify().await)
    }

    async fn verify(self) -> Result<u8, Error> {
        let client = self.broker.client()?;
        let config = self.provider_config.as_deref().map(ProviderConfig::read).transpose()?;
        let provider_url = match self.provider_url {
            Some(url) => url,
            None if config.as_ref().is_some_and(ProviderConfig::makes_messages) => NOWHERE.to_owned(),
            None => {
                return Err(Error::Usage(
                    "--provider-url is missing: only a provider whose --provider-config makes messages needs none"
                        .into(),
                ));
            }
        };
        let check = ProviderCheck {
            provider: self.provider,
            provider_url,
            version: self.version,
            branch: self.branch,
            wip_since: self.include_wip_since,
            publish: self.publish,
            message_path: self.message_path,
            state_change_url: self.state_change_url,
            config,
            build_url: self.build_url,
            request_timeout_ms: self.request_timeout_ms,
        };
        let outcome = free_for_json(self.broker.json, Box::pin(provider::verify(&check, &client))).await??;
        if let Some(file) = &self.junit {
            let xml = junit(&check.provider, &check.version, &outcome);
            std::fs::write(file, xml)
                .map_err(|e| Error::Usage(format!("--junit {}: {e}", file.display())))?;
        }
        self.broker.show(&outcome, &outcome_text(&check, &outcome));
        Ok(u8::from(!outcome.ok))
    }
}

/// What was verified, as text; a failure as a difference.
pub(super) fn outcome_text(check: &ProviderCheck, outcome: &Outcome) -> String {
    let mut text = String::new();
    for interaction in &outcome.interactions {
        let state = match (interaction.ok, interaction.pending) {
            (true, _) => "ok",
            (false, true) => "FAILED (pending, does not fail the build)",
            (false, false) => "FAILED",
        };
        text.push_str(&format!("{}: {}: {state}\n", interaction.consumer, interaction.interaction));
        for difference in &interaction.differences {
            difference.text().lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
        if interaction.differences.is_empty() {
            interaction.mismatches.iter().for_each(|m| text.push_str(&format!("    {m}\n")));
        }
    }
    let verdict = match (outcome.interactions.is_empty(), outcome.ok) {
        (true, _) => "has no contracts to keep",
        (false, true) => "keeps its contracts",
        (false, false) => "BREAKS a contract",
    };
    let published = if outcome.published { "; the results are published" } else { "" };
    text.push_str(&format!("{} {} {verdict}{published}\n", check.provider, check.version));
    text
}
