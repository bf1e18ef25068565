//! `cargo xtask bench`: measures a release build; figures go to standard output, the ones worth keeping to `bench/RESULTS.md`.

use clap::Args as ClapArgs;

use crate::run::run as run_command;
use crate::workspace::{Metadata, cargo};

/// Options of `bench`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// What to measure; everything that needs no peer when absent.
    #[arg(value_parser = ["traces", "shop", "contracts", "engine", "layout"])]
    what: Option<String>,
    /// Measure this server beside ours, in the same run: its artifact is fetched with Maven.
    #[arg(long, value_parser = ["zipkin"], requires = "what")]
    peer: Option<String>,
    /// Arguments of the benchmark itself, for example `-- --spans 10000000`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    run_command(cargo().args([
        "build",
        "--release",
        "--locked",
        "-p",
        "tracepact",
        "-p",
        "tracepact-shop",
        "-p",
        "tracepact-bench",
    ]))?;
    let release = Metadata::read()?.target_directory.join("release");
    let mut bench = std::process::Command::new(release.join("tracepact-bench"));
    bench.arg("--tracepact").arg(release.join("tracepact"));
    bench.arg("--shop").arg(release.join("tracepact-shop"));
    if let Some(what) = &args.what {
        bench.args(["--only", what]);
    }
    if let Some(peer) = &args.peer {
        bench.args(["--peer", peer]);
    }
    bench.args(&args.rest);
    run_command(&mut bench)
}
