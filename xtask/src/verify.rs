//! `cargo xtask verify`: everything that can be said about the tree without running the product.

mod arrows;
mod deny;
mod hygiene;

use clap::Args as ClapArgs;

use crate::run::run as run_command;
use crate::workspace::{Metadata, cargo};

/// Options of `verify`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Leave out clippy and the schema tests (seconds instead of minutes).
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    let mut step = |name: &str, result: anyhow::Result<()>| match result {
        Ok(()) => println!("verify: {name}: ok"),
        Err(error) => {
            println!("verify: {name}: FAILED\n{error:#}");
            failures.push(name.to_owned());
        }
    };
    step("format", run_command(cargo().args(["fmt", "--all", "--check"])));
    let metadata = Metadata::read()?;
    step("arrows between rooms", arrows::check(&metadata));
    step("licences, bans, sources", deny::check(&metadata));
    step("repository hygiene", hygiene::check());
    if !args.quick {
        step(
            "clippy",
            run_command(cargo().args([
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])),
        );
        // The tests of the binary that compare: OpenAPI, configuration reference, and the one route table.
        step(
            "committed schemas and routes",
            run_command(cargo().args([
                "test",
                "--locked",
                "-p",
                "tracepact",
                "--bin",
                "tracepact",
                "--",
                "config::docs",
                "wiring::",
            ])),
        );
    }
    if failures.is_empty() {
        println!("verify: everything holds");
        Ok(())
    } else {
        anyhow::bail!("verify failed: {}", failures.join(", "))
    }
}
