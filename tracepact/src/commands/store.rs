//! `tracepact store check | stats | export | delete`.

mod check;
mod delete;
mod export;
mod stats;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// The only tenant there is.
pub(super) const TENANT: &str = "default";

/// Look after what is stored: check it, count it, export it, delete from it.
#[derive(Debug, Args)]
pub(crate) struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Check(check::Check),
    Stats(stats::Stats),
    Export(export::Export),
    Delete(delete::Delete),
}

impl StoreCommand {
    pub(crate) async fn run(self) -> ExitCode {
        match self.action {
            Action::Check(check) => check.run(),
            Action::Stats(stats) => stats.run().await,
            Action::Export(export) => export.run(),
            Action::Delete(delete) => delete.run().await,
        }
    }
}
