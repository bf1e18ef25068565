//! The commands of a pipeline: publish, propose and accept contracts, verify a provider, ask the gate, record what
//! was deployed.
//!
//! Exit codes of all of them: 0 yes or done, 1 no, unknown or refused, 2 wrong usage, 3 the broker cannot be reached
//! (a gate that cannot be asked stays closed).

mod can_i_deploy;
mod contract;
mod deploy_gate;
mod import;
mod record_deployment;
mod standard_output;
mod stub;
mod upkeep;
mod users;
mod verify;
mod waive;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tracepact_base::Secret;
use tracepact_verify::{BrokerClient, Error, Peer, PeerCredentials};

pub(crate) use can_i_deploy::CanIDeploy;
pub(crate) use contract::Contract;
pub(crate) use deploy_gate::DeployGate;
pub(crate) use record_deployment::RecordDeployment;
pub(crate) use stub::Stub;
pub(crate) use upkeep::{Backup, Clean};
pub(crate) use users::{Audit, Role, Token, User};
pub(crate) use verify::Verify;

/// Where the broker is and how to speak to it.
#[derive(Debug, Args)]
pub(crate) struct BrokerArgs {
    /// Address of the contract broker.
    #[arg(long, env = "TRACEPACT_BROKER_URL", default_value = "http://127.0.0.1:9292", value_name = "URL")]
    broker_url: String,
    /// Token for a broker that asks for one (accepting always does).
    #[arg(long, env = "TRACEPACT_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// File that holds the token, for example DATA-DIR/admin-token.
    #[arg(long, env = "TRACEPACT_TOKEN_FILE", value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

impl BrokerArgs {
    fn client(&self) -> Result<BrokerClient, Error> {
        BrokerClient::new(&self.broker_url, self.secret()?)
    }

    /// The broker for what reads and writes whole texts.
    fn peer(&self) -> Result<Peer, Error> {
        Peer::new(&self.broker_url, self.secret()?.map_or(PeerCredentials::None, PeerCredentials::Token))
    }

    fn secret(&self) -> Result<Option<Secret>, Error> {
        Ok(match (&self.token, &self.token_file) {
            (Some(token), _) => Some(Secret::new(token.clone())),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|e| Error::Usage(format!("--token-file {}: {e}", file.display())))?;
                Some(Secret::new(text.trim().to_owned()))
            }
            (None, None) => None,
        })
    }

    /// Prints `value` as JSON when asked for, else `text`.
    fn show(&self, value: &impl Serialize, text: &str) {
        show_json(self.json, value, text);
    }

    /// The broker's address as it was given.
    fn url(&self) -> &str {
        &self.broker_url
    }
}

/// Prints `value` as JSON when `json`, else `text`.
fn show_json(json: bool, value: &impl Serialize, text: &str) {
    if json {
        match serde_json::to_string_pretty(value) {
            Ok(json) => println!("{json}"),
            Err(error) => eprintln!("tracepact: the answer cannot be written as JSON: {error}"),
        }
    } else {
        print!("{text}");
    }
}

/// Turns a command's end into its exit code, an error going to standard error first.
fn finish(result: Result<u8, Error>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("tracepact: {error}");
            if error.exit_code() == 3 {
                eprintln!(
                    "tracepact: is the broker running there? Start one with `tracepact serve`, or name it with --broker-url"
                );
            }
            ExitCode::from(error.exit_code())
        }
    }
}
