//! `tracepact-kafka`: the embedded Kafka as a process, for demos and tests.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tracepact_kafka::{Broker, Config};

/// A one-node, in-memory Kafka for demos and tests. Data ends with the process.
#[derive(Debug, Parser)]
#[command(
    name = "tracepact-kafka",
    version,
    after_help = "Example:\n  tracepact-kafka --listen 127.0.0.1:9092 --topic order-placed:6"
)]
struct Arguments {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    listen: String,
    /// Write {"kafka": "host:port"} to this file once it listens.
    #[arg(long, value_name = "FILE")]
    addr_file: Option<PathBuf>,
    /// Create a topic; may be repeated.
    #[arg(long = "topic", value_name = "NAME[:PARTITIONS]")]
    topics: Vec<String>,
    /// Record batches kept over all partitions, in MiB; the oldest are dropped first.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    memory_mib: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut stop_signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("cannot listen for SIGTERM")?;
    let memory_bytes_max = arguments.memory_mib.saturating_mul(1 << 20);
    let config = Config { listen: arguments.listen, memory_bytes_max, ..Config::default() };
    let broker = Broker::start(config).await?;
    for topic in &arguments.topics {
        let (name, partitions) = match topic.split_once(':') {
            Some((name, count)) => {
                (name, count.parse().with_context(|| format!("--topic {topic}: not a number"))?)
            }
            None => (topic.as_str(), -1),
        };
        broker.create_topic(name, partitions)?;
    }
    if let Some(path) = &arguments.addr_file {
        let text = serde_json::json!({ "kafka": broker.bootstrap() }).to_string();
        // Written beside and renamed, so that a reader never sees half of it.
        let partial = path.with_extension("partial");
        tokio::fs::write(&partial, text).await.with_context(|| format!("writing {}", partial.display()))?;
        tokio::fs::rename(&partial, path).await.with_context(|| format!("writing {}", path.display()))?;
    }
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("cannot listen for Ctrl-C")?,
        _ = stop_signal.recv() => {}
    }
    broker.stop().await;
    Ok(())
}
