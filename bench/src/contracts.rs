//! The broker over a long history: what its questions cost, and whether the cost grows with the history.

mod fill;
mod history;
mod publish;
mod questions;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use tracepact_tests::postgres::RealPostgres;
use tracepact_tests::{Api, Processes};

use crate::latency::Latency;
use crate::process;
use history::{Filled, Size};

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct ContractOptions {
    /// Services that have contracts with each other.
    #[arg(long, default_value_t = 500)]
    pacticipants: u32,
    /// Versions of each; several lengths of history, one after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 20, 200])]
    versions: Vec<u32>,
    /// Requests of each kind.
    #[arg(long, default_value_t = 1_000)]
    questions: usize,
    /// Publications in the last step, at 200 a second.
    #[arg(long, default_value_t = 3_000)]
    publications: usize,
    /// Where the databases are made.
    #[arg(long)]
    contracts_dir: Option<PathBuf>,
    /// The broker's database.
    #[arg(long, value_enum, default_value = "sqlite")]
    contracts_database: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A file.
    Sqlite,
    /// A server of its own, started for this run, that syncs to disk.
    Postgres,
}

/// How PostgreSQL is set up: as it comes, but for a cache that small servers have.
const POSTGRES_SETTINGS: [&str; 3] = ["shared_buffers=256MB", "max_wal_size=1GB", "max_connections=50"];

/// The latencies of one length of history, by question.
type Measured = Vec<(String, Latency)>;

pub(crate) async fn run(tracepact: &Path, options: &ContractOptions) -> anyhow::Result<()> {
    let server = match options.contracts_database {
        Kind::Sqlite => None,
        Kind::Postgres => Some(RealPostgres::start_with(folder(options)?, &POSTGRES_SETTINGS).await?),
    };
    let mut all = Vec::new();
    for (index, versions) in options.versions.iter().enumerate() {
        let size = Size { pacticipants: options.pacticipants, versions: *versions };
        let database = match &server {
            Some(server) => Some(fill::make_database(&server.url, &format!("bench_{index}")).await?),
            None => None,
        };
        let last = index + 1 == options.versions.len();
        all.push(one(tracepact, options, size, database.as_deref(), last).await?);
    }
    if let Some(server) = server {
        server.stop().await?;
    }
    compare(options, &all);
    Ok(())
}

fn folder(options: &ContractOptions) -> anyhow::Result<tempfile::TempDir> {
    Ok(match &options.contracts_dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    })
}

async fn one(
    tracepact: &Path,
    options: &ContractOptions,
    size: Size,
    database: Option<&str>,
    last: bool,
) -> anyhow::Result<Measured> {
    let folder = folder(options)?;
    let data = folder.path().join("data");
    let mut processes = Processes::new(folder.path())?;
    let mut flags = crate::serve_flags(&data);
    flags.extend(["--only".to_owned(), "broker".to_owned()]);
    if let Some(url) = database {
        let config = folder.path().join("tracepact.toml");
        std::fs::write(&config, format!("[broker]\ndatabase_url = {url:?}\n"))?;
        flags.extend(["--config".to_owned(), config.display().to_string()]);
    }
    // The broker makes its tables; the history is written while it is down.
    processes.start("tracepact", tracepact, &flags).await?;
    processes.stop("tracepact").await?;
    let began = Instant::now();
    let filled = match database {
        Some(url) => fill::postgres(url, size).await?,
        None => fill::sqlite(&data.join("contracts.db"), size).await?,
    };
    describe(size, &filled, began.elapsed().as_secs_f64());
    let mut measured = Measured::new();
    let server = processes.start("tracepact", tracepact, &flags).await?;
    let pid = server.pid().context("the server has no process id")?;
    let api = Api::new(&server.address("broker")?)?;
    questions::ask_for_all(&api, size, options.questions, &mut measured).await?;
    say_memory(pid, "the lists of everything")?;
    processes.stop("tracepact").await?;
    // The tables are there: this is what every later start takes.
    let began = Instant::now();
    let server = processes.start("tracepact", tracepact, &flags).await?;
    println!("  started in {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let pid = server.pid().context("the server has no process id")?;
    println!("  RSS after the start: {:.1} MB", process::rss_mb(pid)?);
    let api = Api::new(&server.address("broker")?)?;
    questions::ask(&api, size, options.questions, &mut measured).await?;
    say_memory(pid, "the questions")?;
    if last {
        publish::steadily(&api, options.publications).await?;
        say_memory(pid, "the publications")?;
    }
    processes.stop_all(&[]).await;
    ensure!(!measured.is_empty(), "nothing was measured");
    Ok(measured)
}

fn describe(size: Size, filled: &Filled, took_s: f64) {
    println!(
        "history: {} services x {} versions, {} pacts, {} contents, {} verification results, {:.0} MB, written in {took_s:.0} s",
        size.pacticipants,
        size.versions,
        filled.pacts,
        filled.contents,
        filled.verifications,
        filled.bytes as f64 / 1e6,
    );
}

fn say_memory(pid: u32, after: &str) -> anyhow::Result<()> {
    let (now, peak) = (process::rss_mb(pid)?, process::peak_rss_mb(pid)?);
    println!("  RSS after {after}: {now:.1} MB (peak {peak:.1})");
    Ok(())
}

/// What the same question costs with each length of history, and how much more than with the shortest.
fn compare(options: &ContractOptions, all: &[Measured]) {
    println!("p99 in ms with {:?} versions of each service, and the ratio to the first:", options.versions);
    let Some((shortest, longer)) = all.split_first() else { return };
    for (what, latency) in shortest {
        let first = latency.quantile_ms(0.99);
        let mut line = format!("  {what}: {first:.2}");
        for measured in longer {
            if let Some((_, latency)) = measured.iter().find(|(name, _)| name == what) {
                let ms = latency.quantile_ms(0.99);
                line.push_str(&format!(", {ms:.2} ({:.1}x)", ms / first));
            }
        }
        println!("{line}");
    }
}
