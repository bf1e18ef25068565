//! `tracepact deploy-gate`: runs the deploy only when the gate says yes and nobody else deploys, and records it afterwards.

use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;
use tracepact_verify::{BrokerClient, Error, Lease, LeaseWish, Verdict};

use super::can_i_deploy::{AskArgs, text};
use super::{BrokerArgs, finish};

/// Run a deploy command only if the gate says yes and nobody else deploys there, then record the deployment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact deploy-gate --pacticipant products --version v3 --to production -- ./deploy.sh v3
  tracepact deploy-gate --pacticipant products --version v3 --to production --wait-while-unknown 600 -- ./deploy.sh v3
  tracepact deploy-gate --pacticipant orders --version v7 --to production --request-verification \\
      --wait-while-unknown 600 -- ./deploy.sh v7
  tracepact deploy-gate --pacticipant products --version v3 --to production --json -- kubectl apply -f products.yaml

The environment is leased while the command runs, so two deploys that exclude each other cannot both go through. When the
lease is lost on the way (this machine slept, the network was cut), nothing is recorded.

Exit codes: 0 deployed and recorded, 1 the gate said no or unknown (the command did not run), 2 wrong usage,
3 the broker cannot be reached or refuses (the lease, or the record), 4 the command itself failed (nothing was recorded).")]
pub(crate) struct DeployGate {
    /// The service whose version is to be deployed.
    #[arg(long)]
    pacticipant: String,
    /// The version.
    #[arg(long)]
    version: String,
    /// The environment.
    #[arg(long = "to", visible_alias = "environment", value_name = "ENVIRONMENT")]
    environment: String,
    /// The application instance, where the environment has several.
    #[arg(long, value_name = "NAME")]
    application_instance: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
    /// While the answer is unknown, have the broker fire its webhooks for what is missing (the event
    /// `contract_requiring_verification_published`, for each provider version that has to verify).
    #[arg(long)]
    request_verification: bool,
    /// While the answer is unknown, run this first, in a shell: it should start the missing verification.
    #[arg(long, value_name = "COMMAND")]
    verify_with: Option<String>,
    /// Who deploys, for those who find the environment taken.
    #[arg(long, env = "TRACEPACT_DEPLOYER", value_name = "NAME")]
    holder: Option<String>,
    /// How long to wait while somebody else deploys to the environment.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    lease_wait: u64,
    /// How long the lease outlives this process; it is renewed three times in this span.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=600))]
    lease_life: u64,
    #[command(flatten)]
    broker: BrokerArgs,
    /// The command that deploys.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// The broker refused: the lease is lost or taken.
const REFUSED: u8 = 3;
/// The command ran and failed.
const COMMAND_FAILED: u8 = 4;

/// How the gate ended under a lease.
enum Round {
    /// With this exit code.
    Done(u8),
    /// The answer became unknown while the lease was waited for.
    Again,
}

impl DeployGate {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.deploy().await)
    }

    async fn deploy(&self) -> Result<u8, Error> {
        let client = self.broker.client()?;
        let end = Instant::now() + Duration::from_secs(self.ask.wait_while_unknown);
        let mut asked_for = false;
        loop {
            // The first look holds nothing up: results are waited for before the environment is taken.
            let mut verdict = self.verdict(&client, Duration::ZERO).await?;
            if verdict.deployable.is_none() && !asked_for {
                asked_for = true;
                if self.request_verification {
                    self.request_verifications(&client).await?;
                }
                self.run_verification().await?;
            }
            if verdict.deployable.is_none() {
                verdict = self.verdict(&client, end.saturating_duration_since(Instant::now())).await?;
            }
            if verdict.exit_code() != 0 {
                return Ok(self.refuse(&verdict));
            }
            match self.under_lease(&client, end).await? {
                Round::Done(code) => return Ok(code),
                Round::Again => {}
            }
        }
    }

    async fn verdict(&self, client: &BrokerClient, wait: Duration) -> Result<Verdict, Error> {
        let options = self.ask.options(wait);
        client.can_i_deploy(&self.pacticipant, &self.version, &self.environment, &options).await
    }

    fn show(&self, verdict: &Verdict) {
        self.broker.show(verdict, &text(verdict, &self.pacticipant, &self.version, &self.environment));
    }

    fn refuse(&self, verdict: &Verdict) -> u8 {
        self.show(verdict);
        if self.ask.dry_run {
            eprintln!("tracepact: dry run; the command would not run, the answer is {}", verdict.word());
            return 0;
        }
        eprintln!("tracepact: not deployed; the running version was not touched");
        verdict.exit_code()
    }

    /// Has the webhooks fired, and says who is told.
    async fn request_verifications(&self, client: &BrokerClient) -> Result<(), Error> {
        let asked = client.ask_for_verifications(&self.pacticipant, &self.version, &self.environment).await?;
        for one in &asked {
            let (consumer, provider, version) = (&one.consumer, &one.provider, &one.provider_version);
            if one.webhooks > 0 {
                eprintln!("tracepact: {provider} {version} is asked to verify the contract of {consumer}");
            } else {
                eprintln!(
                    "tracepact: nobody is told that {provider} {version} has to verify the contract of {consumer}: there is \
                     no webhook for contract_requiring_verification_published of that pair \
                     (`tracepact broker create-webhook`)"
                );
            }
        }
        if asked.is_empty() {
            eprintln!("tracepact: no verification would make the answer known");
        }
        Ok(())
    }

    async fn run_verification(&self) -> Result<(), Error> {
        let Some(command) = &self.verify_with else { return Ok(()) };
        eprintln!("tracepact: the answer is unknown, so this runs first: {command}");
        let status = tokio::process::Command::new("sh").arg("-c").arg(command).status().await;
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                // Its result may be on its way all the same, and a failed one is an answer.
                eprintln!("tracepact: that ended with {status}");
                Ok(())
            }
            Err(error) => Err(Error::Usage(format!("--verify-with could not be started: {error}"))),
        }
    }

    /// Takes the lease, decides under it, deploys, records.
    async fn under_lease(&self, client: &BrokerClient, end: Instant) -> Result<Round, Error> {
        let wish = LeaseWish {
            pacticipant: self.pacticipant.clone(),
            version: self.version.clone(),
            holder: self.holder.clone().unwrap_or_else(default_holder),
            life: Duration::from_secs(self.lease_life),
            wait: Duration::from_secs(self.lease_wait),
        };
        let lease = match client.lease(&self.environment, &wish).await? {
            Ok(lease) => lease,
            Err(taken) => {
                eprintln!("tracepact: not deployed: {taken}");
                return Ok(Round::Done(REFUSED));
            }
        };
        // Whatever was deployed while the lease was waited for counts now.
        let verdict = match self.verdict(client, Duration::ZERO).await {
            Ok(verdict) => verdict,
            Err(error) => {
                release(client, &lease).await;
                return Err(error);
            }
        };
        if verdict.exit_code() != 0 {
            release(client, &lease).await;
            if verdict.deployable.is_none() && Instant::now() < end {
                return Ok(Round::Again);
            }
            return Ok(Round::Done(self.refuse(&verdict)));
        }
        self.show(&verdict);
        if self.ask.dry_run {
            release(client, &lease).await;
            eprintln!("tracepact: dry run; the command would run now");
            return Ok(Round::Done(0));
        }
        let code = self.command_and_record(client, &lease).await;
        if !matches!(code, Ok(0)) {
            release(client, &lease).await;
        }
        code.map(Round::Done)
    }

    async fn command_and_record(&self, client: &BrokerClient, lease: &Lease) -> Result<u8, Error> {
        let mut command = std::pin::pin!(self.run_command());
        let mut lost = None;
        let status = loop {
            tokio::select! {
                status = &mut command => break status,
                reason = renew(client, lease, Duration::from_secs(self.lease_life)), if lost.is_none() => {
                    // A deploy that is half done is worse than one that is not recorded, so it goes on.
                    eprintln!("tracepact: the lease on {} is lost: {reason}; nothing will be recorded", self.environment);
                    lost = Some(reason);
                }
            }
        };
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => {
                eprintln!("tracepact: the command ended with {status}; the deployment is not recorded");
                return Ok(COMMAND_FAILED);
            }
            Err(error) => {
                eprintln!("tracepact: {error}; the deployment is not recorded");
                return Ok(COMMAND_FAILED);
            }
        }
        let what = format!("{} {}", self.pacticipant, self.version);
        let recorded = match lost {
            Some(reason) => Err(reason),
            None => match client.record_under_lease(&lease.id, self.application_instance.as_deref()).await {
                Ok(()) => Ok(()),
                Err(Error::Refused { status: 409, detail, .. }) => Err(detail),
                Err(error) => return Err(error),
            },
        };
        if let Err(reason) = recorded {
            eprintln!(
                "tracepact: {what} was deployed but is NOT recorded: {reason}. See what runs in {} and record it: \
                 `tracepact record-deployment --pacticipant {} --version VERSION --to {}`",
                self.environment, self.pacticipant, self.environment
            );
            return Ok(REFUSED);
        }
        eprintln!("tracepact: {what} is recorded as deployed to {}", self.environment);
        Ok(0)
    }

    async fn run_command(&self) -> Result<ExitStatus, String> {
        let Some((program, args)) = self.command.split_first() else {
            return Err("no command was given after --".into());
        };
        tokio::process::Command::new(program)
            .args(args)
            .status()
            .await
            .map_err(|error| format!("`{program}` could not be started: {error}"))
    }
}

/// Renews the lease for as long as it can be renewed; the reason once it cannot.
async fn renew(client: &BrokerClient, lease: &Lease, life: Duration) -> String {
    let mut ends = Instant::now() + life;
    loop {
        tokio::time::sleep(life / 3).await;
        let asked = Instant::now();
        match client.renew_lease(&lease.id, life).await {
            Ok(()) => ends = asked + life,
            Err(Error::Refused { status: 409, detail, .. }) => return detail,
            // It may come back in time.
            Err(error) if Instant::now() < ends => eprintln!("tracepact: {error}"),
            Err(error) => return error.to_string(),
        }
    }
}

/// Gives the environment back; a lease that cannot be released runs out.
async fn release(client: &BrokerClient, lease: &Lease) {
    if let Err(error) = client.release_lease(&lease.id).await {
        eprintln!("tracepact: the lease is not released and runs out by itself: {error}");
    }
}

/// The pipeline's run where a build server says it, else user and process.
fn default_holder() -> String {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    of("GITHUB_RUN_ID")
        .map(|run| format!("{} run {run}", of("GITHUB_REPOSITORY").unwrap_or_else(|| "github".into())))
        .or_else(|| of("CI_JOB_URL"))
        .or_else(|| of("BUILD_URL"))
        .unwrap_or_else(|| {
            format!("{} (process {})", of("USER").unwrap_or_else(|| "somebody".into()), std::process::id())
        })
}
