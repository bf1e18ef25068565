//! `cargo xtask test`: every suite, each with its wall time.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use clap::Args as ClapArgs;

use crate::run::run as run_command;
use crate::tools;
use crate::workspace::{Metadata, cargo, root};

/// Options of `test`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Run only this suite: dashboard, rust, e2e, demo.
    #[arg(long, value_name = "NAME")]
    suite: Vec<String>,
}

/// A suite: its name, what it is, how it runs.
type Suite = (&'static str, &'static str, fn(&Context) -> anyhow::Result<()>);

const SUITES: [Suite; 4] = [
    ("dashboard", "types, unit tests and build of the pages", dashboard),
    ("rust", "unit, property, fuzz and integration tests of every crate", rust),
    ("e2e", "built binaries, Apache Kafka, Prometheus and Chromium", end_to_end),
    ("demo", "the short run of the demo", demo),
];

struct Context {
    path: OsString,
    target: PathBuf,
}

impl Context {
    fn with_path<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("PATH", &self.path)
    }
}

#[expect(clippy::disallowed_methods, reason = "a tool that reports wall time reads the machine's clock")]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    for name in &args.suite {
        if !SUITES.iter().any(|s| s.0 == name) {
            bail!("there is no suite {name:?}; there are {}", SUITES.map(|s| s.0).join(", "));
        }
    }
    let target = Metadata::read()?.target_directory;
    let context = Context { path: path_with(&tools::provide(&target, tools::For::Tests)?), target };
    let mut results = Vec::new();
    for (name, about, suite) in SUITES {
        if !args.suite.is_empty() && !args.suite.iter().any(|s| s == name) {
            continue;
        }
        println!("\n== suite {name}: {about}");
        let start = std::time::Instant::now();
        let result = suite(&context);
        results.push((name, start.elapsed(), result));
    }
    println!();
    let mut failed = Vec::new();
    for (name, time, result) in &results {
        match result {
            Ok(()) => println!("suite {name}: ok in {:.0} s", time.as_secs_f64()),
            Err(error) => {
                println!("suite {name}: FAILED in {:.0} s: {error:#}", time.as_secs_f64());
                failed.push(*name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("failed suites: {}", failed.join(", ")) }
}

fn path_with(extra: &[PathBuf]) -> OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = std::env::split_paths(&old).chain(extra.iter().cloned());
    std::env::join_paths(all).unwrap_or(old)
}

fn npm(context: &Context, args: &[&str]) -> anyhow::Result<()> {
    run_command(context.with_path(Command::new("npm").current_dir(root().join("dashboard/ui")).args(args)))
}

fn dashboard(context: &Context) -> anyhow::Result<()> {
    npm(context, &["ci", "--no-audit", "--no-fund"])?;
    npm(context, &["run", "check"])?;
    npm(context, &["test"])?;
    npm(context, &["run", "build"])
}

fn rust(context: &Context) -> anyhow::Result<()> {
    // The end-to-end crate needs the built binaries beside it and is a suite of its own.
    run_command(context.with_path(cargo().args([
        "test",
        "--locked",
        "--workspace",
        "--exclude",
        "tracepact-tests",
        "--no-fail-fast",
    ])))
}

/// One build of the binaries, used by the end-to-end tests and by the demo.
fn build_binaries(context: &Context) -> anyhow::Result<PathBuf> {
    run_command(context.with_path(cargo().args([
        "build",
        "--locked",
        "-p",
        "tracepact",
        "-p",
        "tracepact-shop",
    ])))?;
    Ok(context.target.join("debug"))
}

fn end_to_end(context: &Context) -> anyhow::Result<()> {
    let binaries = build_binaries(context)?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "-p", "tracepact-tests", "--no-fail-fast"]);
    run_command(context.with_path(&mut tests).env("TRACEPACT_TEST_BINARIES", absolute(&binaries)))
}

fn demo(context: &Context) -> anyhow::Result<()> {
    run_command(context.with_path(cargo().args(["xtask", "demo", "--for", "30s", "--smoke"])))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
