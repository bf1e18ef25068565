//! `tracepact broker …`: the names, options and exit codes of the `pact broker` command line, so that a pipeline written
//! for it needs another program name and nothing else. Works against any broker that speaks the Pact Broker's protocol.
//!
//! Exit codes are that command line's: 0 yes or done, 1 no, unknown, refused or unreachable, 2 wrong usage. One thing is
//! mended: *no* ends with 1 with `--output json` as well.

mod args;
mod ask;
mod detect;
mod environments;
mod pacticipants;
mod pacts;
mod selectors;
mod versions;
mod webhooks;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use tracepact_verify::Error;

use super::contracts::{Audit, Backup, Clean, Role, Token, User};

/// The Pact Broker's command line: publish, ask, record, describe. Options and exit codes are those of `pact broker`; `clean`,
/// `backup`, `user`, `role`, `token` and `audit` are tracepact's own and have its.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact broker publish pacts/ --consumer-app-version 1.4.2 --branch main
  tracepact broker can-i-deploy --pacticipant orders --version 1.4.2 --to-environment production
  tracepact broker record-deployment --pacticipant orders --version 1.4.2 --environment production

Where the broker is: --broker-base-url, PACT_BROKER_BASE_URL, TRACEPACT_BROKER_URL, else http://127.0.0.1:9292.
For tracepact's own: --broker-url, TRACEPACT_BROKER_URL.")]
pub(crate) struct Broker {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Publish(pacts::Publish),
    ListLatestPactVersions(pacts::ListLatest),
    GetPacts(pacts::GetPacts),
    ProviderStates(pacts::ProviderStates),
    CreateEnvironment(environments::Create),
    UpdateEnvironment(environments::Update),
    DeleteEnvironment(environments::Delete),
    DescribeEnvironment(environments::Describe),
    ListEnvironments(environments::List),
    RecordDeployment(environments::RecordDeployment),
    RecordUndeployment(environments::RecordUndeployment),
    RecordRelease(environments::RecordRelease),
    RecordSupportEnded(environments::RecordSupportEnded),
    CanIDeploy(ask::CanIDeploy),
    CanIMerge(ask::CanIMerge),
    CreateOrUpdatePacticipant(pacticipants::CreateOrUpdate),
    DescribePacticipant(pacticipants::Describe),
    ListPacticipants(pacticipants::List),
    CreateWebhook(webhooks::Create),
    CreateOrUpdateWebhook(webhooks::CreateOrUpdate),
    DeleteWebhook(webhooks::Delete),
    TestWebhook(webhooks::Test),
    DeleteBranch(versions::DeleteBranch),
    CreateVersionTag(versions::CreateTag),
    DeleteVersionTag(versions::DeleteTag),
    DescribeVersion(versions::Describe),
    CreateOrUpdateVersion(versions::CreateOrUpdate),
    GenerateUuid(webhooks::GenerateUuid),
    Clean(Clean),
    Backup(Backup),
    User(User),
    Role(Role),
    Token(Token),
    Audit(Audit),
}

impl Broker {
    pub(crate) async fn run(self) -> ExitCode {
        let done = match self.action {
            Action::Publish(command) => command.run().await,
            Action::ListLatestPactVersions(command) => command.run().await,
            Action::GetPacts(command) => command.run().await,
            Action::ProviderStates(command) => command.run().await,
            Action::CreateEnvironment(command) => command.run().await,
            Action::UpdateEnvironment(command) => command.run().await,
            Action::DeleteEnvironment(command) => command.run().await,
            Action::DescribeEnvironment(command) => command.run().await,
            Action::ListEnvironments(command) => command.run().await,
            Action::RecordDeployment(command) => command.run().await,
            Action::RecordUndeployment(command) => command.run().await,
            Action::RecordRelease(command) => command.run().await,
            Action::RecordSupportEnded(command) => command.run().await,
            Action::CanIDeploy(command) => command.run().await,
            Action::CanIMerge(command) => command.run().await,
            Action::CreateOrUpdatePacticipant(command) => command.run().await,
            Action::DescribePacticipant(command) => command.run().await,
            Action::ListPacticipants(command) => command.run().await,
            Action::CreateWebhook(command) => command.run().await,
            Action::CreateOrUpdateWebhook(command) => command.run().await,
            Action::DeleteWebhook(command) => command.run().await,
            Action::TestWebhook(command) => command.run().await,
            Action::DeleteBranch(command) => command.run().await,
            Action::CreateVersionTag(command) => command.run().await,
            Action::DeleteVersionTag(command) => command.run().await,
            Action::DescribeVersion(command) => command.run().await,
            Action::CreateOrUpdateVersion(command) => command.run().await,
            Action::GenerateUuid(command) => command.run(),
            Action::Clean(command) => return command.run().await,
            Action::Backup(command) => return command.run().await,
            Action::User(command) => return command.run().await,
            Action::Role(command) => return command.run().await,
            Action::Token(command) => return command.run().await,
            Action::Audit(command) => return command.run().await,
        };
        match done {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                eprintln!("tracepact: {error}");
                // As `pact broker` does it: only wrong usage has a code of its own.
                ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
            }
        }
    }
}
