//! Measures the built server: what it costs to keep spans durably, against the physical floor measured in the same
//! run, and how long answers take.
//!
//! What it deliberately does not do: pass or fail. Performance is printed and written down in `RESULTS.md`, never
//! asserted by a timed test; machines are noisy, so ratios of one run count.

#![allow(clippy::print_stdout, reason = "a command line tool talks on standard output")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the machine's clock")]

mod floor;
mod generate;
mod latency;
mod process;
mod read;
mod send;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use tracepact_tests::Processes;

/// Measure a release build of tracepact.
#[derive(Parser)]
struct Args {
    /// The tracepact binary.
    #[arg(long, default_value = "target/release/tracepact")]
    tracepact: PathBuf,
    /// Spans to send.
    #[arg(long, default_value_t = 1_000_000)]
    spans: usize,
    /// Spans in a request.
    #[arg(long, default_value_t = 500)]
    per_request: usize,
    /// Requests under way at once.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Seed of the generated spans.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS provider was installed first");
    }
    println!("generating {} spans in requests of {}", args.spans, args.per_request);
    let work = generate::requests(args.spans, args.per_request, args.seed);
    let sent_bytes: usize = work.bodies.iter().map(Vec::len).sum();
    println!("bytes per span on the wire: {:.0}", sent_bytes as f64 / args.spans as f64);

    let floor = floor::measure(&work.bodies)?;
    println!(
        "floor (one thread, zstd-1 and fdatasync for every request): {:.2} CPU-s and {:.2} s per million spans, {:.1} bytes per span",
        per_million(floor.cpu_s, args.spans),
        per_million(floor.wall_s, args.spans),
        floor.bytes as f64 / args.spans as f64,
    );

    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut processes = Processes::new(folder.path())?;
    let flags: Vec<String> = serve_flags(&data);
    let started = std::time::Instant::now();
    let server = processes.start("tracepact", &args.tracepact, &flags).await?;
    println!(
        "started in {:.0} ms, idle RSS {:.1} MB",
        started.elapsed().as_secs_f64() * 1e3,
        rss_mb(server.pid())?
    );
    let pid = server.pid().context("the server has no process id")?;
    let (otlp, http) = (server.address("otlp_http")?, server.address("http")?);

    let before = process::cpu_s(pid)?;
    let sent = send::all(&otlp, &work.bodies, args.connections).await?;
    let cpu = process::cpu_s(pid)? - before;
    println!(
        "ingest: {:.0} spans/s acknowledged; request p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms; {} retries",
        args.spans as f64 / sent.wall_s,
        sent.latency.quantile_ms(0.5),
        sent.latency.quantile_ms(0.99),
        sent.latency.quantile_ms(1.0),
        sent.retries,
    );
    println!(
        "server: {:.2} CPU-s per million spans = {:.1} × the floor; RSS {:.0} MB, peak {:.0} MB",
        per_million(cpu, args.spans),
        cpu / floor.cpu_s,
        rss_mb(Some(pid))?,
        process::peak_rss_mb(pid)?,
    );
    read::run(&http, &work).await?;
    let disk = process::folder_bytes(&data)?;
    println!("on disk: {:.1} bytes per span (log and blocks together)", disk as f64 / args.spans as f64);

    processes.kill("tracepact").await?;
    let restarted = std::time::Instant::now();
    let server = processes.start("tracepact", &args.tracepact, &flags).await?;
    println!("after kill -9: serving again in {:.0} ms", restarted.elapsed().as_secs_f64() * 1e3);
    let found = read::count_found(&server.address("http")?, &work).await?;
    println!(
        "after kill -9: {found} of {} sampled traces are there whole",
        read::SAMPLE.min(work.traces.len())
    );
    processes.stop_all(&[]).await;
    Ok(())
}

fn serve_flags(data: &Path) -> Vec<String> {
    let mut flags: Vec<String> = vec!["serve".into(), "--data-dir".into(), data.display().to_string()];
    for flag in ["--http-addr", "--otlp-grpc-addr", "--otlp-http-addr", "--broker-addr"] {
        flags.extend([flag.to_owned(), "127.0.0.1:0".to_owned()]);
    }
    flags
}

fn per_million(value: f64, spans: usize) -> f64 {
    value * 1e6 / spans as f64
}

fn rss_mb(pid: Option<u32>) -> anyhow::Result<f64> {
    process::rss_mb(pid.context("the server has no process id")?)
}
