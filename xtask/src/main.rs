//! `cargo xtask`: the developer's whole tool box.
//!
//! * `verify` — format, lints, licences, the arrows between rooms, committed schemas, repository hygiene.
//! * `test` — lists and installs what tests need, then runs every suite.
//! * `dist` — a self-contained Linux binary with a checksum.
//!
//! What it deliberately does not do: hold a rule of the product. Whatever it shows, a user can do with a flag, a
//! configuration file or an HTTP call.

#![allow(clippy::print_stdout, reason = "a command line tool talks on standard output")]

mod bench;
mod demo;
mod dist;
mod run;
mod test;
mod tools;
mod verify;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// tracepact's developer tool box.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, start it, and play one story.
    Demo(demo::Args),
    /// Check format, lints, licences, room arrows, committed schemas and repository hygiene.
    Verify(verify::Args),
    /// List what tests need, install it, run every suite.
    Test(test::Args),
    /// Measure a release build against the physical floor.
    Bench(bench::Args),
    /// Build the release binaries with the dashboard inside, and their checksums, into target/dist.
    Dist,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Dist => dist::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
