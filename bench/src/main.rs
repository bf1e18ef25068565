//! Measures the built binaries: what it costs to keep spans durably, against the physical floor measured in the same
//! run; how long answers take; what tracepact takes beside a shop under load.
//!
//! What it deliberately does not do: pass or fail on a figure. Performance is printed and written down in
//! `RESULTS.md`, never asserted by a timed test; machines are noisy, so ratios of one run count. It fails when an
//! answer is wrong.

#![allow(clippy::print_stdout, reason = "a command line tool talks on standard output")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the machine's clock")]

mod contracts;
mod engine;
mod figures;
mod floor;
mod kill;
mod latency;
mod layout;
mod process;
mod read;
mod send;
mod shop;
mod spans;
mod subject;

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

/// Measure release builds of tracepact and the shop.
#[derive(Parser)]
struct Args {
    /// The tracepact binary.
    #[arg(long, default_value = "target/release/tracepact")]
    tracepact: PathBuf,
    /// The shop's binary.
    #[arg(long, default_value = "target/release/tracepact-shop")]
    shop: PathBuf,
    /// Measure only this.
    #[arg(long)]
    only: Option<Part>,
    #[command(flatten)]
    spans: spans::SpanOptions,
    #[command(flatten)]
    load: shop::LoadOptions,
    #[command(flatten)]
    contracts: contracts::ContractOptions,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Generated spans: taking them in, answering, starting again after kill -9.
    #[value(alias = "spans")]
    Traces,
    /// The shop under a steady load of orders.
    Shop,
    /// The contract broker over a long history.
    Contracts,
    /// The stages of the store in this process, without a server.
    Engine,
    /// The candidates for the layout of a block.
    Layout,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS provider was installed first");
    }
    if args.only == Some(Part::Layout) {
        return layout::run(args.spans.spans, args.spans.per_request, args.spans.seed);
    }
    if args.only == Some(Part::Engine) {
        return engine::run(args.spans.spans, args.spans.per_request, args.spans.seed).await;
    }
    let wanted = |part| args.only.is_none_or(|only| only == part);
    if wanted(Part::Traces) {
        spans::run(&args.tracepact, &args.spans).await?;
    }
    if wanted(Part::Shop) {
        shop::run(&args.tracepact, &args.shop, &args.load).await?;
    }
    if wanted(Part::Contracts) {
        contracts::run(&args.tracepact, &args.contracts).await?;
    }
    Ok(())
}

/// `tracepact serve` on free ports.
fn serve_flags(data: &Path) -> Vec<String> {
    let mut flags: Vec<String> = vec!["serve".into(), "--data-dir".into(), data.display().to_string()];
    for flag in ["--http-addr", "--otlp-grpc-addr", "--otlp-http-addr", "--broker-addr"] {
        flags.extend([flag.to_owned(), "127.0.0.1:0".to_owned()]);
    }
    flags
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_holds_together() {
        <super::Args as clap::CommandFactory>::command().debug_assert();
    }
}
