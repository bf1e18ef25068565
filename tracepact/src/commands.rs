//! The command line: one module per command.

mod broker;
mod config;
mod contracts;
mod operator;
mod serve;
mod snapshot;
mod store;

use std::future::Future;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Observability and contract testing for services: traces, circuit breakers, consumer lag, lost messages, contracts.
#[derive(Debug, Parser)]
#[command(name = "tracepact", version, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Config(config::ConfigCommand),
    CanIDeploy(contracts::CanIDeploy),
    RecordDeployment(contracts::RecordDeployment),
    DeployGate(contracts::DeployGate),
    Contract(contracts::Contract),
    Verify(contracts::Verify),
    Stub(contracts::Stub),
    Broker(Box<broker::Broker>),
    Store(store::StoreCommand),
    Snapshot(snapshot::Snapshot),
}

impl CommandLine {
    /// Runs the command to its end.
    pub(crate) fn run(self) -> ExitCode {
        match self.command {
            Command::Serve(serve) => serve.run(),
            Command::Config(config) => config.run(),
            Command::CanIDeploy(command) => client(command.run()),
            Command::RecordDeployment(command) => client(command.run()),
            Command::DeployGate(command) => client(command.run()),
            Command::Contract(command) => client(command.run()),
            Command::Verify(command) => client(command.run()),
            Command::Stub(command) => client(command.run()),
            Command::Broker(command) => client(command.run()),
            Command::Store(command) => client(command.run()),
            Command::Snapshot(command) => client(command.run()),
        }
    }
}

/// Runs a command that only asks another server: one thread is enough.
fn client(command: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => {
            eprintln!("tracepact: the runtime cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        super::CommandLine::command().debug_assert();
    }
}
