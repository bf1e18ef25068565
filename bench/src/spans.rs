//! Generated spans: taken in, asked for, and found again after kill -9; of one server or of several beside each other.

use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;

use crate::figures::{self, Figures};
use crate::send::{Format, Pace};
use crate::subject::{Running, Subject};
use crate::{floor, kill, process, read, send};
use tracepact_bench::generate::{self, Work};

/// What is sent, and where to.
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
    /// Spans a second, for an open loop; without it each sender sends its next request once it has an answer.
    #[arg(long)]
    span_rate: Option<f64>,
    /// In which formats they are sent, one run each.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["otlp", "zipkin-json"])]
    format: Vec<Format>,
    /// Seed of the generated spans.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Measure this server beside ours; its artifact is fetched with Maven.
    #[arg(long, value_enum)]
    peer: Option<Peer>,
    /// Measure a running server instead: `host:port` of its Zipkin API.
    #[arg(long)]
    target: Option<String>,
    /// Where the running server takes OTLP over HTTP, when that is another port.
    #[arg(long, requires = "target")]
    target_otlp: Option<String>,
    /// Spans a second while a server is killed.
    #[arg(long, default_value_t = 5_000.0)]
    kill_rate: f64,
    /// Seconds of load until it is killed; 0 leaves that out.
    #[arg(long, default_value_t = 20)]
    kill_after_s: u64,
}

/// A server that is measured beside ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Peer {
    /// Zipkin with spans in memory; it takes Zipkin JSON.
    Zipkin,
}

pub(crate) async fn run(tracepact: &Path, options: &SpanOptions) -> anyhow::Result<()> {
    println!("generating {} spans in requests of {}", options.spans, options.per_request);
    let work = generate::requests(options.spans, options.per_request, options.seed);
    let ours = Subject::Tracepact(tracepact.to_owned());
    let subject = options
        .target
        .as_ref()
        .map_or(ours, |target| Subject::Running(target.clone(), options.target_otlp.clone()));
    let mut subjects: Vec<_> = options.format.iter().map(|format| (subject.clone(), *format)).collect();
    if options.peer == Some(Peer::Zipkin) {
        subjects.push((Subject::Zipkin(tracepact_tests::zipkin::provide().await?), Format::ZipkinJson));
    }
    let mut all = Vec::new();
    for (subject, format) in subjects {
        let mut figures = Figures::of(&subject.name(format));
        measure(&subject, format, &work, options, &mut figures).await?;
        if options.kill_after_s > 0 && options.target.is_none() {
            let rate = options.kill_rate;
            kill::run(&subject, format, rate, options.kill_after_s, options.seed + 1, &mut figures).await?;
        }
        all.push(figures);
    }
    figures::table(&all);
    Ok(())
}

async fn measure(
    subject: &Subject,
    format: Format,
    work: &Work,
    options: &SpanOptions,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let million = options.spans as f64 / 1e6;
    let bodies = format.bodies(work)?;
    let sent_bytes: usize = bodies.iter().map(Vec::len).sum();
    figures.add("bytes per span on the wire", format!("{:.0}", sent_bytes as f64 / options.spans as f64));
    let floor = floor::measure(&bodies, &work.bodies)?;
    figures.add("floor: zstd-1 and fdatasync of every request, CPU-s per M spans", {
        format!("{:.2}", floor.cpu_s / million)
    });
    figures.add("floor: wall time of the same, s per M spans; bytes per span", {
        format!("{:.2}; {:.1}", floor.wall_s / million, floor.bytes as f64 / options.spans as f64)
    });
    figures.add("floor: decoding OTLP with prost, CPU-s per M spans", {
        format!("{:.2}", floor.decode_cpu_s / million)
    });
    let mut server = subject.start().await?;
    if let Some(ms) = server.started_ms {
        figures.add("start on nothing, ms", format!("{ms:.0}"));
    }
    let load = load(&server, format, bodies, options, figures).await?;
    if let Some((pid, before)) = load {
        let settled = (process::settled_cpu_s(pid).await? - before) / million;
        figures.add("server CPU-s per M spans, settled", format!("{settled:.2}"));
        figures.add("the same, times the floor", format!("{:.1}", settled * million / floor.cpu_s));
        figures.add("RSS now / peak, MB", {
            format!("{:.0} / {:.0}", process::rss_mb(pid)?, process::peak_rss_mb(pid)?)
        });
    }
    if let Some(data) = server.data() {
        let bytes = process::folder_bytes(&data)? as f64 / options.spans as f64;
        figures.add("bytes per span on disk", format!("{bytes:.1}"));
    }
    read::run(&server.query, work, subject.is_ours(), figures).await?;
    let to = server.ingest(format).to_owned();
    read::fresh(&server.query, &to, format, options.seed, figures).await?;
    if let Some(pid) = server.pid() {
        figures.add("RSS after the questions, MB", format!("{:.0}", process::rss_mb(pid)?));
    }
    if let Some(ms) = server.kill_and_start().await? {
        figures.add("start after kill -9, ms", format!("{ms:.0}"));
        let sampled = read::SAMPLE.min(work.traces.len());
        let found = read::count_found(&server.query, work).await?;
        figures.add("traces whole after kill -9", format!("{found} of {sampled}"));
        ensure!(found == sampled || !subject.is_ours(), "acknowledged spans are gone after kill -9");
    }
    if let (Some(pid), Some(data)) = (server.pid(), server.data()) {
        let before = process::settled_cpu_s(pid).await?;
        server.seal().await?;
        let rest = (process::settled_cpu_s(pid).await? - before) / million;
        let bytes = process::folder_bytes(&data.join("data"))? as f64 / options.spans as f64;
        figures.add("sealing what was still in memory: CPU-s per M spans more", format!("{rest:.2}"));
        figures.add("bytes per span with all of it in blocks", format!("{bytes:.1}"));
    }
    server.stop().await;
    Ok(())
}

/// Sends everything; the server's process and its CPU time before, where we started it.
async fn load(
    server: &Running,
    format: Format,
    bodies: Arc<Vec<Vec<u8>>>,
    options: &SpanOptions,
    figures: &mut Figures,
) -> anyhow::Result<Option<(u32, f64)>> {
    let mut before = None;
    if let Some(pid) = server.pid() {
        before = Some((pid, process::settled_cpu_s(pid).await?));
        figures.add("RSS idle, MB", format!("{:.0}", process::rss_mb(pid)?));
    }
    let per_second = options.span_rate.map(|rate| rate / options.per_request as f64);
    let pace = Pace { connections: options.connections, per_second };
    let sent = send::all(server.ingest(format), format, bodies, pace).await?;
    if let Some(broken) = sent.broken {
        anyhow::bail!("sending ended early: {broken}");
    }
    figures.add("spans/s acknowledged", format!("{:.0}", options.spans as f64 / sent.wall_s));
    let quantile = |q| sent.latency.quantile_ms(q);
    figures.add("request p50 / p99 / max, ms", {
        format!("{:.0} / {:.0} / {:.0}", quantile(0.5), quantile(0.99), quantile(1.0))
    });
    figures.add("requests sent again after a 503", sent.retries.to_string());
    if let Some((pid, before)) = before {
        let cpu = (process::cpu_s(pid)? - before) / (options.spans as f64 / 1e6);
        figures.add("server CPU-s per M spans at the last acknowledgement", format!("{cpu:.2}"));
    }
    Ok(before)
}
