//! `cargo xtask test`: every suite, each with its wall time.

mod story;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use clap::Args as ClapArgs;
use tracepact_tests::kafka::RealKafka;
use tracepact_tests::postgres::RealPostgres;

use crate::run::run as run_command;
use crate::tools;
use crate::workspace::{Metadata, cargo, root};

/// Options of `test`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Run only this suite (repeatable): dashboard, rust, postgres, e2e, kafka, story, sabotage; by hand: smoke, story-kafka, crash, influx.
    #[arg(long, value_name = "NAME")]
    suite: Vec<String>,
}

/// One part of all that is tested.
struct Suite {
    name: &'static str,
    about: &'static str,
    /// Runs only when it is asked for by name.
    by_hand: bool,
    run: fn(&Context) -> anyhow::Result<()>,
}

const fn suite(name: &'static str, about: &'static str, run: fn(&Context) -> anyhow::Result<()>) -> Suite {
    Suite { name, about, by_hand: false, run }
}

const SUITES: [Suite; 11] = [
    suite("dashboard", "types, unit tests and build of the pages", dashboard),
    suite("rust", "unit, property, fuzz and integration tests of every crate", rust),
    suite("postgres", "the contract broker's tests once more, on PostgreSQL", postgres),
    suite(
        "e2e",
        "the built binaries, their kills, and unmodified Pact and OpenTelemetry clients",
        end_to_end,
    ),
    suite(
        "kafka",
        "the tests of the shop, the Kafka jobs and the span receivers once more, on Apache Kafka",
        kafka,
    ),
    suite("story", "the whole demo, its pages in Chromium, Grafana's questions to Prometheus", story::tell),
    suite(
        "sabotage",
        "the demo without consumer, breaker, gate, loss audit: exactly that scene fails",
        story::sabotage,
    ),
    Suite { by_hand: true, ..suite("smoke", "the short run of the demo", story::smoke) },
    Suite { by_hand: true, ..suite("story-kafka", "the whole demo on Apache Kafka", story::on_kafka) },
    Suite {
        by_hand: true,
        ..suite("crash", "50 rounds of kill -9 under load, and the store's own check", crash)
    },
    Suite { by_hand: true, ..suite("influx", "the writer of series, on a real InfluxDB v2", influx) },
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
        if !SUITES.iter().any(|s| s.name == name) {
            bail!("there is no suite {name:?}; there are {}", SUITES.map(|s| s.name).join(", "));
        }
    }
    let target = Metadata::read()?.target_directory;
    let context = Context { path: path_with(&tools::provide(&target, tools::For::Tests)?), target };
    let mut results = Vec::new();
    for Suite { name, about, by_hand, run } in SUITES {
        let wanted =
            if args.suite.is_empty() { !by_hand } else { args.suite.iter().any(|asked| asked == name) };
        if !wanted {
            continue;
        }
        println!("\n== suite {name}: {about}");
        let start = std::time::Instant::now();
        let result = run(&context);
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
    run_command(context.with_path(&mut tests).env("E2E_BINARIES", absolute(&binaries)))
}

/// The kills of the end-to-end tests, ten times as many.
fn crash(context: &Context) -> anyhow::Result<()> {
    let binaries = build_binaries(context)?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "-p", "tracepact-tests", "--test", "e2e", "kill9"]);
    let tests = context.with_path(&mut tests).env("E2E_BINARIES", absolute(&binaries));
    run_command(tests.env("CRASH_ROUNDS", "50"))
}

/// The writer against a real InfluxDB. The server and where it may write are the caller's to name.
fn influx(context: &Context) -> anyhow::Result<()> {
    for name in ["INFLUX_URL", "INFLUX_ORG", "INFLUX_BUCKET", "INFLUX_TOKEN"] {
        if std::env::var_os(name).is_none() {
            bail!(
                "{name} is not set: name a running InfluxDB v2 with INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET, INFLUX_TOKEN"
            );
        }
    }
    let mut tests = cargo();
    tests.args(["test", "--locked", "-p", "tracepact-export", "--test", "it", "--", "--ignored"]);
    run_command(context.with_path(&mut tests))
}

/// "The same tests run on both": those that the embedded Kafka passed, on the real one. Each package gets a fresh one and
/// one test runs at a time, since tests share topics and groups there.
fn kafka(context: &Context) -> anyhow::Result<()> {
    build_binaries(context)?;
    let mut failed = Vec::new();
    for package in ["tracepact-jobs", "tracepact-ingest", "tracepact-shop"] {
        let result = with_real_kafka(|bootstrap| {
            let mut tests = cargo();
            tests.args(["test", "--locked", "-p", package, "--test", "it", "--", "--test-threads=1"]);
            context.with_path(&mut tests);
            run_command(tests.env("KAFKA_BOOTSTRAP", bootstrap).env("TRACEPACT_TEST_KAFKA", bootstrap))
        });
        if let Err(error) = result {
            failed.push(format!("{error:#}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("; ")) }
}

/// "The same tests run on both": each test of the broker gets a database of its own on one server.
fn postgres(context: &Context) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let server = runtime.block_on(RealPostgres::start())?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "-p", "tracepact-broker", "--test", "it", "--no-fail-fast", "--"]);
    tests.arg("--include-ignored");
    context.with_path(&mut tests);
    let result = run_command(tests.env("TRACEPACT_TEST_POSTGRES", &server.url));
    runtime.block_on(server.stop())?;
    result
}

/// Starts an Apache Kafka with nothing in it and ends it afterwards.
fn with_real_kafka(run: impl FnOnce(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let kafka = runtime.block_on(RealKafka::start())?;
    println!("Apache Kafka at {}", kafka.bootstrap);
    let result = run(&kafka.bootstrap);
    runtime.block_on(kafka.stop())?;
    result
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
