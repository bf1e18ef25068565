//! What tracepact takes beside the shop: at rest, and while orders come at a steady rate.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::Command;
use tracepact_tests::Processes;

use crate::{process, serve_flags};

/// How long it rests or warms up before it is measured.
const WARM_UP: Duration = Duration::from_secs(10);

/// The load.
#[derive(clap::Args)]
pub(crate) struct LoadOptions {
    /// Orders a second.
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// Seconds of steady load that are measured.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    load_s: u64,
}

struct Shop<'a> {
    processes: Processes,
    binary: &'a Path,
    folder: PathBuf,
    kafka: String,
    otlp: String,
}

pub(crate) async fn run(tracepact: &Path, shop: &Path, options: &LoadOptions) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut processes = Processes::new(folder.path())?;
    let kafka = ["kafka", "--listen", "127.0.0.1:0"].map(str::to_owned);
    let kafka = processes.start("kafka", shop, &kafka).await?.address("kafka")?;
    let config = folder.path().join("tracepact.toml");
    std::fs::write(&config, configuration(&kafka))?;
    let mut flags = serve_flags(&folder.path().join("data"));
    flags.extend(["--config".to_owned(), config.display().to_string()]);
    let server = processes.start("tracepact", tracepact, &flags).await?;
    let pid = server.pid().context("the server has no process id")?;
    let otlp = format!("http://{}", server.address("otlp_grpc")?);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = share_of_a_core(pid, WARM_UP).await?;
    println!(
        "no services, Kafka asked twice a second: {idle:.2} % of one core, RSS {:.1} MB",
        process::rss_mb(pid)?
    );

    let mut running = Shop { processes, binary: shop, folder: folder.path().to_path_buf(), kafka, otlp };
    let gateway = running.start().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let quiet = share_of_a_core(pid, WARM_UP).await?;
    println!("seven services without orders: {quiet:.2} % of one core, RSS {:.1} MB", process::rss_mb(pid)?);

    let report = folder.path().join("load.json");
    let time = WARM_UP + Duration::from_secs(options.load_s) + Duration::from_secs(2);
    let mut load = Command::new(shop)
        .args(["load", "--gateway", &gateway, "--rate", &options.rate.to_string(), "--jwt-key-file"])
        .arg(running.key_file())
        .args(["--for-ms", &time.as_millis().to_string(), "--json"])
        .arg(&report)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    tokio::time::sleep(WARM_UP).await;
    let busy = share_of_a_core(pid, Duration::from_secs(options.load_s)).await?;
    println!(
        "{} orders a second for {} s: {busy:.2} % of one core, RSS {:.1} MB, peak {:.1} MB",
        options.rate,
        options.load_s,
        process::rss_mb(pid)?,
        process::peak_rss_mb(pid)?,
    );
    ensure!(load.wait().await?.success(), "the load generator failed");
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
    println!("orders: {}, outcomes {}", report["sent"], report["by_outcome"]);
    running.processes.all_alive()?;
    running.processes.stop_all(&["tracepact", "kafka"]).await;
    Ok(())
}

impl Shop<'_> {
    /// Starts every service as the demo does; the gateway's address.
    async fn start(&mut self) -> anyhow::Result<String> {
        let with_kafka = ["--kafka".to_owned(), self.kafka.clone()];
        let mut args = with_kafka.to_vec();
        args.extend(["--stock", "10000000", "--api", "product"].map(str::to_owned));
        let products = self.service("products", "products", &args).await?;
        for name in ["payments", "deliveries", "notifications"] {
            self.service(name, name, &with_kafka).await?;
        }
        let mut gateway = Vec::new();
        for instance in ["orders-1", "orders-2"] {
            let mut args = with_kafka.to_vec();
            args.extend(["--products".to_owned(), products.clone()]);
            gateway.extend(["--orders".to_owned(), self.service("orders", instance, &args).await?]);
        }
        let minted = Command::new(self.binary)
            .args(["token", "--jwt-key-file"])
            .arg(self.key_file())
            .stdout(Stdio::null())
            .status()
            .await?;
        ensure!(minted.success(), "no key for the gateway could be made");
        gateway.extend(["--jwt-key-file".to_owned(), self.key_file().display().to_string()]);
        gateway.extend(["--rate-limit", "100000", "--rate-burst", "100000"].map(str::to_owned));
        self.service("gateway", "gateway", &gateway).await
    }

    async fn service(&mut self, service: &str, instance: &str, more: &[String]) -> anyhow::Result<String> {
        let mut args =
            [service, "--instance", instance, "--service-version", "v1", "--export-endpoint", &self.otlp]
                .map(str::to_owned)
                .to_vec();
        args.extend_from_slice(more);
        let started = self.processes.start(instance, self.binary, &args).await?;
        Ok(format!("http://{}", started.address("http")?))
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("jwt-key")
    }
}

/// CPU time that a process takes from now on for `time`, in percent of one core.
async fn share_of_a_core(pid: u32, time: Duration) -> anyhow::Result<f64> {
    let (before, begun) = (process::cpu_s(pid)?, std::time::Instant::now());
    tokio::time::sleep(time).await;
    Ok((process::cpu_s(pid)? - before) / begun.elapsed().as_secs_f64() * 100.0)
}

/// As in the demo: one flow, Kafka asked twice a second.
fn configuration(kafka: &str) -> String {
    let mut text = format!(
        "[kafka]\nbootstrap = \"{kafka}\"\npoll_interval_ms = 500\n\n[[flows]]\nname = \"order-payment\"\n\
         request_topic = \"order-placed\"\nresult_topic = \"payment-result\"\ndead_letter_topic = \"order-placed.DLT\"\n\
         group = \"payments\"\nwindow_ms = 20000\n\n"
    );
    for service in ["gateway", "orders", "payments", "products", "deliveries", "notifications"] {
        text.push_str(&format!("[[services]]\nname = \"{service}\"\nconsumer_groups = [\"{service}\"]\n\n"));
    }
    text
}
