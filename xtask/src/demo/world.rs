//! Everything that runs during the demo, and how to reach it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::{Api, Processes};

use super::load::Load;
use super::shop::{self, Products};

/// How long a message of the demo's flow may take before it is late or lost. Real flows have five minutes.
pub(crate) const FLOW_WINDOW_MS: u64 = 20_000;
/// The environment the story deploys to.
pub(crate) const ENVIRONMENT: &str = "production";

/// What the command line decided.
#[derive(Debug, Clone)]
pub(crate) struct Choices {
    pub(crate) seed: u64,
    pub(crate) rate_per_s: u32,
    pub(crate) kafka: Option<String>,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) port: Option<u16>,
}

/// A part that is left out, to prove that its scene notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sabotage {
    /// Notifications does not run.
    Consumer,
    /// The breaker of orders never opens.
    Breaker,
    /// Deploys do not ask the gate.
    Gate,
    /// No flow is configured.
    LossAudit,
}

/// The running system.
pub(crate) struct World {
    pub(crate) choices: Choices,
    pub(crate) binaries: Binaries,
    pub(crate) folder: PathBuf,
    pub(crate) processes: Processes,
    pub(crate) kafka: String,
    /// tracepact's main port.
    pub(crate) api: Api,
    /// The gateway, with a customer's token.
    pub(crate) gateway: Api,
    pub(crate) load: Load,
    pub(crate) products: Products,
    /// Facts that later scenes and the report need.
    pub(crate) facts: Facts,
}

/// What scenes noticed.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// A paid order's trace.
    pub(crate) order_trace_id: Option<String>,
    pub(crate) outage_without_gate: super::report::Outage,
    pub(crate) outage_with_gate: super::report::Outage,
    pub(crate) kill: super::report::Kill,
    /// Verdicts that were there before the first fault on a message.
    pub(crate) verdicts_in_fault_free_phase: u64,
    /// Spans that ended in processes that do not run any more.
    pub(crate) spans_ended_before: u64,
    pub(crate) spans_given_up_before: u64,
}

impl World {
    /// Starts Kafka, tracepact and the shop, and steady traffic.
    pub(crate) async fn start(choices: Choices, binaries: Binaries, folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)
                .with_context(|| format!("could not empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(folder)?;
        let mut processes = Processes::new(folder)?;
        let kafka = match &choices.kafka {
            Some(address) => address.clone(),
            None => {
                let args = ["kafka", "--listen", "127.0.0.1:0"].map(str::to_owned);
                processes.start("kafka", &binaries.shop, &args).await?.address("kafka")?
            }
        };
        let config = folder.join("tracepact.toml");
        std::fs::write(&config, configuration(&kafka, choices.sabotage))?;
        start_tracepact(&mut processes, &binaries, folder, choices.port.map(|p| format!("127.0.0.1:{p}")))
            .await?;
        let tracepact = processes.get("tracepact")?;
        let api = Api::new(&tracepact.address("http")?)?;
        let otlp = format!("http://{}", tracepact.address("otlp_grpc")?);
        let services = shop::Setting {
            kafka: kafka.clone(),
            otlp,
            folder: folder.to_path_buf(),
            breaker: choices.sabotage != Some(Sabotage::Breaker),
            notifications: choices.sabotage != Some(Sabotage::Consumer),
        };
        let (gateway, products) = shop::start(&mut processes, &binaries, &services).await?;
        let load = Load::start(gateway.clone(), choices.rate_per_s, choices.seed);
        Ok(Self {
            choices,
            binaries,
            folder: folder.to_path_buf(),
            processes,
            kafka,
            api,
            gateway,
            load,
            products,
            facts: Facts::default(),
        })
    }

    /// Starts tracepact again on the addresses it had.
    pub(crate) async fn restart_tracepact(&mut self, addresses: &serde_json::Value) -> anyhow::Result<()> {
        start_tracepact_at(&mut self.processes, &self.binaries, &self.folder, addresses).await
    }

    /// The contract broker's address.
    pub(crate) fn broker_url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.processes.get("tracepact")?.address("broker")?))
    }

    /// The token that tracepact made at its first start.
    pub(crate) fn admin_token_file(&self) -> PathBuf {
        self.folder.join("tracepact-data/admin-token")
    }

    /// The fault switches of a service.
    pub(crate) fn faults(&self, process: &str) -> anyhow::Result<Api> {
        let token = std::fs::read_to_string(self.folder.join("faults-token"))?;
        Ok(Api::new(&self.processes.get(process)?.address("http")?)?.with_token(token.trim()))
    }
}

async fn start_tracepact(
    processes: &mut Processes,
    binaries: &Binaries,
    folder: &Path,
    http: Option<String>,
) -> anyhow::Result<()> {
    let any = || "127.0.0.1:0".to_owned();
    let addresses = serde_json::json!({
        "http": http.unwrap_or_else(any), "otlp_grpc": any(), "otlp_http": any(), "broker": any(),
    });
    start_tracepact_at(processes, binaries, folder, &addresses).await
}

async fn start_tracepact_at(
    processes: &mut Processes,
    binaries: &Binaries,
    folder: &Path,
    addresses: &serde_json::Value,
) -> anyhow::Result<()> {
    let mut args = vec!["serve".to_owned()];
    for (flag, key) in [
        ("--http-addr", "http"),
        ("--otlp-grpc-addr", "otlp_grpc"),
        ("--otlp-http-addr", "otlp_http"),
        ("--broker-addr", "broker"),
    ] {
        let address =
            addresses.get(key).and_then(serde_json::Value::as_str).context("an address of tracepact")?;
        args.extend([flag.to_owned(), address.to_owned()]);
    }
    for (flag, file) in [("--data-dir", "tracepact-data"), ("--config", "tracepact.toml")] {
        args.extend([flag.to_owned(), folder.join(file).display().to_string()]);
    }
    processes.start("tracepact", &binaries.tracepact, &args).await?;
    Ok(())
}

/// tracepact's configuration: where Kafka is, which topics belong together, what services are called.
fn configuration(kafka: &str, sabotage: Option<Sabotage>) -> String {
    let mut text = format!("[kafka]\nbootstrap = \"{kafka}\"\npoll_interval_ms = 500\n\n");
    if sabotage != Some(Sabotage::LossAudit) {
        text.push_str(&format!(
            "[[flows]]\nname = \"order-payment\"\nrequest_topic = \"order-placed\"\nresult_topic = \"payment-result\"\n\
             dead_letter_topic = \"order-placed.DLT\"\ngroup = \"payments\"\nwindow_ms = {FLOW_WINDOW_MS}\n\n"
        ));
    }
    for service in shop::SERVICES {
        text.push_str(&format!(
            "[[services]]\nname = \"{service}\"\nconsumer_groups = [\"{service}\"]\npacticipant = \"{service}\"\nteam = \"{service}\"\n\n"
        ));
    }
    text
}
