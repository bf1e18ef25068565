//! `tracepact stub`: a stand-in for a provider, from contract files or proposals.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tracepact_verify::stub::{Contracts, Faults, StubOptions, publish};
use tracepact_verify::{BrokerClient, Error, contract_files, stub};

use super::{BrokerArgs, finish};

/// Answer as a provider would, from contract files or proposals, so that the consumer can be built and tested.
///
/// Every answer says how far its contract is: `Tracepact-Contract-State: draft | proposed | accepted | verified`. In CI use
/// --verified-only: a stub of a contract that the provider was not seen to keep proves nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact stub --proposal 0199c0a4-… --verified-only --listen 127.0.0.1:8089
  tracepact stub contracts/orders/ --lookup --verified-only
  tracepact stub contracts/orders/item.yaml                      # while the contract is being written
  tracepact stub contracts/orders/ --latency-ms 200 --fault-rate 0.1 --fault 503
  tracepact stub contracts/billing/ --kafka 127.0.0.1:9092 --publish

Headers of a request: Tracepact-Provider-State (only interactions in that state; may stand several times),
Tracepact-Stub-Latency-Ms, Tracepact-Stub-Fault (a status of 400 to 599, reset or hang).
With --kafka, POST /_tracepact/messages {\"description\": …} publishes one message on demand.

Exit codes: 0 ended by a signal, 1 not verified (with --verified-only), 2 wrong usage, 3 the broker cannot be reached.")]
pub(crate) struct Stub {
    /// Contract files (.yaml, or pacts as .json), or folders that hold them.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Proposals of the broker.
    #[arg(long = "proposal", value_name = "ID")]
    proposals: Vec<String>,
    /// Ask the broker how far the contracts of files are; without it they are drafts.
    #[arg(long)]
    lookup: bool,
    /// Refuse to start unless the provider was seen to keep every contract.
    #[arg(long)]
    verified_only: bool,
    /// Where it listens; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Wait before every answer.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    latency_ms: u64,
    /// Wait up to this much more, at random.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    jitter_ms: u64,
    /// Share of requests that end with --fault, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    fault_rate: f64,
    /// The fault: a status of 400 to 599, reset (the connection breaks off) or hang.
    #[arg(long, default_value = "503")]
    fault: String,
    /// Start of the random sequence, to repeat a run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kafka that messages are published to.
    #[arg(long, value_name = "HOST:PORT")]
    kafka: Option<String>,
    /// Publish all messages once, at the start.
    #[arg(long, requires = "kafka")]
    publish: bool,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Stub {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.serve().await)
    }

    async fn serve(self) -> Result<u8, Error> {
        let mut contracts = Contracts::default();
        let client: Option<BrokerClient> =
            match self.lookup || !self.proposals.is_empty() || self.verified_only {
                true => Some(self.broker.client()?),
                false => None,
            };
        // To be verified is something only the broker knows.
        let ask = client.as_ref().filter(|_| self.lookup || self.verified_only);
        for path in &self.files {
            for found in contract_files::read_all(path)? {
                contracts.add_file(found.file, ask).await?;
            }
        }
        for id in &self.proposals {
            if let Some(client) = &client {
                contracts.add_proposal(id, client).await?;
            }
        }
        if self.verified_only {
            contracts.require_verified()?;
        }
        let faults = Faults::new(self.latency_ms, self.jitter_ms, self.fault_rate, &self.fault, self.seed)?;
        let options = StubOptions { listen: self.listen, faults, kafka: self.kafka.clone() };
        let stub = stub::Stub::open(contracts, options).await?;
        println!("{}", stub.start_line());
        if let (true, Some(kafka)) = (self.publish, &self.kafka) {
            for record in publish(stub.contracts(), kafka, None).await? {
                println!(
                    "published {:?} to {} partition {} offset {}",
                    record.description, record.topic, record.partition, record.offset
                );
            }
        }
        stub.run(stopped()).await?;
        Ok(0)
    }
}

/// SIGINT or SIGTERM.
async fn stopped() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
