//! `tracepact deploy-gate`: runs the deploy only when the gate says yes, and records it afterwards.

use std::process::ExitCode;

use clap::Args;
use tracepact_verify::Error;

use super::can_i_deploy::text;
use super::{BrokerArgs, finish};

/// Run a deploy command only if the gate says yes, then record the deployment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact deploy-gate --pacticipant products --version v3 --to production -- ./deploy.sh v3
  tracepact deploy-gate --pacticipant products --version v3 --to production --json -- kubectl apply -f products.yaml

Exit codes: 0 deployed and recorded, 1 the gate said no or unknown (the command did not run), 2 wrong usage,
3 the broker cannot be reached (the command did not run), 4 the command itself failed (nothing was recorded).")]
pub(crate) struct DeployGate {
    /// The service whose version is to be deployed.
    #[arg(long)]
    pacticipant: String,
    /// The version.
    #[arg(long)]
    version: String,
    /// The environment.
    #[arg(long = "to", value_name = "ENVIRONMENT")]
    environment: String,
    #[command(flatten)]
    broker: BrokerArgs,
    /// The command that deploys.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// The command ran and failed.
const COMMAND_FAILED: u8 = 4;

impl DeployGate {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.deploy().await)
    }

    async fn deploy(&self) -> Result<u8, Error> {
        let broker = self.broker.client()?;
        let verdict = broker.can_i_deploy(&self.pacticipant, &self.version, &self.environment).await?;
        self.broker.show(&verdict, &text(&verdict, &self.pacticipant, &self.version, &self.environment));
        if verdict.exit_code() != 0 {
            eprintln!("tracepact: not deployed; the running version was not touched");
            return Ok(verdict.exit_code());
        }
        let Some((program, args)) = self.command.split_first() else {
            return Err(Error::Usage("no command was given after --".into()));
        };
        let status = tokio::process::Command::new(program).args(args).status().await;
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => {
                eprintln!("tracepact: `{program}` ended with {status}; the deployment is not recorded");
                return Ok(COMMAND_FAILED);
            }
            Err(error) => {
                eprintln!(
                    "tracepact: `{program}` could not be started: {error}; the deployment is not recorded"
                );
                return Ok(COMMAND_FAILED);
            }
        }
        broker.record_deployment(&self.pacticipant, &self.version, &self.environment).await?;
        eprintln!(
            "tracepact: {} {} is recorded as deployed to {}",
            self.pacticipant, self.version, self.environment
        );
        Ok(0)
    }
}
