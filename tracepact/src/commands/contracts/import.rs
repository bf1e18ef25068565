//! `tracepact contract import --from URL`.

use clap::Args;
use tracepact_base::Secret;
use tracepact_verify::{Error, Peer, PeerCredentials, REQUESTS_DEFAULT, REQUESTS_MAX, import};

use super::BrokerArgs;

/// Take over what another Pact Broker has: pacticipants, versions, branches, tags, pacts, results, environments, and what
/// is deployed or released. Start it again after an interruption: what is there already is not written twice.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract import --from https://pacts.example.org --token-file tracepact-data/admin-token
  tracepact contract import --from https://pacts.example.org --from-username reader --from-password \"$PASSWORD\" \\
                            --broker-url http://127.0.0.1:9292 --token-file tracepact-data/admin-token

Webhooks are not taken over: they hold secrets that no broker shows.")]
pub(crate) struct Import {
    /// Address of the broker to read from.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Token for it.
    #[arg(long, env = "TRACEPACT_IMPORT_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    from_token: Option<String>,
    /// User for it, when it knows basic authentication only.
    #[arg(long, value_name = "USER", conflicts_with = "from_token")]
    from_username: Option<String>,
    /// That user's password.
    #[arg(
        long,
        env = "TRACEPACT_IMPORT_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD",
        requires = "from_username"
    )]
    from_password: Option<String>,
    /// Most requests to it at a time.
    #[arg(long, value_name = "COUNT", default_value_t = REQUESTS_DEFAULT as u64,
          value_parser = clap::value_parser!(u64).range(1..=REQUESTS_MAX as u64))]
    requests: u64,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Import {
    pub(crate) async fn run(self) -> Result<u8, Error> {
        let credentials = match (self.from_token, self.from_username) {
            (Some(token), _) => PeerCredentials::Token(Secret::new(token)),
            (None, Some(user)) => {
                PeerCredentials::Basic(user, Secret::new(self.from_password.unwrap_or_default()))
            }
            (None, None) => PeerCredentials::None,
        };
        let from = Peer::new(&self.from, credentials)?;
        let requests = usize::try_from(self.requests).unwrap_or(REQUESTS_MAX);
        let to = self.broker.peer()?;
        let report = import(&from, &to, requests, &mut |what| eprintln!("reading {what}")).await?;
        let mut text = format!(
            "new here: {} pacticipants, {} environments, {} versions, {} pacts, {} results, {} deployments and releases\n",
            report.pacticipants,
            report.environments,
            report.versions,
            report.pacts,
            report.results,
            report.presences
        );
        for line in &report.kept {
            text.push_str(&format!("kept: {line}\n"));
        }
        for line in &report.skipped {
            text.push_str(&format!("skipped: {line}\n"));
        }
        self.broker.show(&report, &text);
        // What was skipped is missing here, which a pipeline should not take for a success.
        Ok(u8::from(!report.skipped.is_empty()))
    }
}
