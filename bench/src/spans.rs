//! A million generated spans: taken in, asked for, and found again after kill -9.

use std::path::Path;

use anyhow::Context;
use tracepact_tests::Processes;

use crate::{floor, generate, process, read, send, serve_flags};

/// What is sent.
#[derive(clap::Args)]
pub(crate) struct SpanOptions {
    /// Spans to send.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) spans: usize,
    /// Spans in a request.
    #[arg(long, default_value_t = 500)]
    pub(crate) per_request: usize,
    /// Requests under way at once.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// In which format they are sent.
    #[arg(long, value_enum, default_value = "otlp")]
    format: send::Format,
    /// Seed of the generated spans.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

pub(crate) async fn run(tracepact: &Path, options: &SpanOptions) -> anyhow::Result<()> {
    let million = options.spans as f64 / 1e6;
    println!("generating {} spans in requests of {}", options.spans, options.per_request);
    let work = generate::requests(options.spans, options.per_request, options.seed);
    let bodies = match options.format {
        send::Format::Otlp => work.bodies.clone(),
        send::Format::ZipkinJson => generate::as_zipkin_json(&work.bodies)?,
    };
    let sent_bytes: usize = bodies.iter().map(Vec::len).sum();
    println!(
        "on the wire: {:.0} bytes per span, {} traces",
        sent_bytes as f64 / options.spans as f64,
        work.traces.len()
    );

    let floor = floor::measure(&bodies, &work.bodies)?;
    println!(
        "floor (one thread, zstd-1 and fdatasync for every request): {:.2} CPU-s and {:.2} s per million spans, {:.1} bytes per span",
        floor.cpu_s / million,
        floor.wall_s / million,
        floor.bytes as f64 / options.spans as f64,
    );
    println!(
        "decoding with prost into owned structs: {:.2} CPU-s per million spans",
        floor.decode_cpu_s / million
    );

    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut processes = Processes::new(folder.path())?;
    let flags = serve_flags(&data);
    let started = std::time::Instant::now();
    let server = processes.start("tracepact", tracepact, &flags).await?;
    println!("started in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let pid = server.pid().context("the server has no process id")?;
    let (otlp, http) = (server.address("otlp_http")?, server.address("http")?);

    let before = process::settled_cpu_s(pid).await?;
    println!("idle RSS: {:.1} MB", process::rss_mb(pid)?);
    let to = if options.format == send::Format::Otlp { &otlp } else { &http };
    let sent = send::all(to, options.format, &bodies, options.connections).await?;
    let acknowledged = process::cpu_s(pid)? - before;
    println!(
        "ingest: {:.0} spans/s acknowledged; request p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms; {} retries",
        options.spans as f64 / sent.wall_s,
        sent.latency.quantile_ms(0.5),
        sent.latency.quantile_ms(0.99),
        sent.latency.quantile_ms(1.0),
        sent.retries,
    );
    let settled = process::settled_cpu_s(pid).await? - before;
    println!(
        "server: {:.2} CPU-s per million spans when the last was acknowledged, {:.2} settled = {:.1} × the floor; RSS {:.0} MB, peak {:.0} MB",
        acknowledged / million,
        settled / million,
        settled / floor.cpu_s,
        process::rss_mb(pid)?,
        process::peak_rss_mb(pid)?,
    );
    let disk = process::folder_bytes(&data)?;
    println!("on disk: {:.1} bytes per span (log and blocks together)", disk as f64 / options.spans as f64);
    read::run(&http, &work).await?;
    read::fresh(&http, &otlp, options.seed).await?;
    println!("RSS after the questions: {:.0} MB", process::rss_mb(pid)?);

    processes.kill("tracepact").await?;
    let restarted = std::time::Instant::now();
    let server = processes.start("tracepact", tracepact, &flags).await?;
    println!("after kill -9: serving again in {:.0} ms", restarted.elapsed().as_secs_f64() * 1e3);
    let found = read::count_found(&server.address("http")?, &work).await?;
    println!(
        "after kill -9: {found} of {} sampled traces are there whole",
        read::SAMPLE.min(work.traces.len())
    );
    processes.stop_all(&[]).await;
    Ok(())
}
