//! `tracepact record-deployment`.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tracepact_verify::Error;

use super::{BrokerArgs, finish};

/// Record that a version now runs in an environment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact record-deployment --pacticipant products --version v1 --to production
  tracepact record-deployment --pacticipant products --version v1 --to production --create

Exit codes: 0 recorded, 1 refused, 2 wrong usage, 3 the broker cannot be reached.")]
pub(crate) struct RecordDeployment {
    /// The service that was deployed.
    #[arg(long)]
    pacticipant: String,
    /// The version that runs there now.
    #[arg(long)]
    version: String,
    /// The environment.
    #[arg(long = "to", visible_alias = "environment", value_name = "ENVIRONMENT")]
    environment: String,
    /// Create the service, the version and the environment (as a production one) where the broker does not know them.
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl RecordDeployment {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.record().await)
    }

    async fn record(&self) -> Result<u8, Error> {
        let broker = self.broker.client()?;
        if self.create {
            broker.ensure_version(&self.pacticipant, &self.version).await?;
            broker.ensure_environment(&self.environment, true).await?;
        }
        broker.record_deployment(&self.pacticipant, &self.version, &self.environment).await?;
        self.broker.show(
            &json!({ "pacticipant": self.pacticipant, "version": self.version, "environment": self.environment }),
            &format!("{} {} is recorded as deployed to {}\n", self.pacticipant, self.version, self.environment),
        );
        Ok(0)
    }
}
