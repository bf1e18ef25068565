//! `tracepact-shop kafka`: the embedded broker as a process of the shop, with the shop's topics.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracepact_kafka::{Broker, Config};

use crate::domain::message::TOPICS;
use crate::runtime::write_addr_file;

/// `tracepact-shop kafka`.
#[derive(Debug, Clone, Args)]
pub struct KafkaServerArgs {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub listen: String,
    /// Write {"kafka": "host:port"} to this file once it listens.
    #[arg(long, value_name = "FILE")]
    pub addr_file: Option<PathBuf>,
    /// Partitions of each of the shop's topics.
    #[arg(long, default_value_t = 6, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub partitions: i32,
    /// Record batches kept over all partitions, in MiB; the oldest are dropped first.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    pub memory_mib: u64,
}

/// Runs the broker until it is told to stop.
///
/// # Errors
/// When it cannot listen.
pub async fn run(args: KafkaServerArgs) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let memory_bytes_max = args.memory_mib.saturating_mul(1 << 20);
    let config = Config { listen: args.listen.clone(), memory_bytes_max, ..Config::default() };
    let broker = Broker::start(config).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    for topic in TOPICS {
        broker.create_topic(topic, args.partitions)?;
    }
    if let Some(file) = &args.addr_file {
        write_addr_file(file, &serde_json::json!({"kafka": broker.bootstrap(), "pid": std::process::id()}))
            .await?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    broker.stop().await;
    Ok(())
}
