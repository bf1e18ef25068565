//! Which processes the shop has in the demo, and with which flags.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use tracepact_tests::binaries::Binaries;
use tracepact_tests::{Api, Processes, until_ok};

use super::world::World;

/// The shop's services.
pub(crate) const SERVICES: [&str; 6] =
    ["gateway", "orders", "payments", "products", "deliveries", "notifications"];
/// The contract of orders with products, written by the consumer's test.
pub(crate) const PACT: &str = "orders-products.json";
/// Where products answers with the message it would send, for verification.
pub(crate) const MESSAGE_PATH: &str = "/contract-messages";

/// What all services need to know.
pub(crate) struct Setting {
    pub(crate) kafka: String,
    pub(crate) otlp: String,
    pub(crate) folder: PathBuf,
    /// `false`: the breaker of orders never opens.
    pub(crate) breaker: bool,
    /// `false`: notifications does not run.
    pub(crate) notifications: bool,
}

/// The products that runs now.
pub(crate) struct Products {
    pub(crate) version: String,
    /// Its address, the same for every version.
    pub(crate) url: String,
    args: Vec<String>,
    http_addr: String,
}

impl Setting {
    fn service(&self, instance: &str, version: &str) -> Vec<String> {
        let faults_token = self.folder.join("faults-token");
        [
            "--instance",
            instance,
            "--service-version",
            version,
            "--export-endpoint",
            &self.otlp,
            "--faults",
            "--faults-token-file",
            &faults_token.display().to_string(),
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn kafka(&self) -> Vec<String> {
        vec!["--kafka".to_owned(), self.kafka.clone()]
    }
}

/// The flags that make a version of products what it is.
fn version_flags(version: &str) -> anyhow::Result<Vec<String>> {
    let flags: &[&str] = match version {
        "v1" => &["--api", "product"],
        "v2" => &["--api", "item"],
        "v3" => &["--api", "both"],
        "v4" => &["--api", "both", "--omit-product-name"],
        other => bail!("the story has no products {other}"),
    };
    Ok(flags.iter().map(|f| (*f).to_owned()).collect())
}

/// Starts every service, callees first. Returns the gateway as a customer sees it, and products.
pub(crate) async fn start(
    processes: &mut Processes,
    binaries: &Binaries,
    setting: &Setting,
) -> anyhow::Result<(Api, Products)> {
    let http_addr = format!("127.0.0.1:{}", free_port()?);
    let products = Products {
        version: "v1".into(),
        url: format!("http://{http_addr}"),
        args: [setting.kafka(), ["--reuse-port", "--stock", "10000000"].map(str::to_owned).to_vec()].concat(),
        http_addr,
    };
    start_products(processes, binaries, setting, &products, "products", "v1", &products.http_addr).await?;

    let mut names = vec!["payments", "deliveries"];
    if setting.notifications {
        names.push("notifications");
    }
    for name in names {
        let args = [vec![name.to_owned()], setting.service(name, "v1"), setting.kafka()].concat();
        processes.start(name, &binaries.shop, &args).await?;
    }
    let mut orders = Vec::new();
    for instance in ["orders-1", "orders-2"] {
        let mut args = [vec!["orders".to_owned()], setting.service(instance, "v1"), setting.kafka()].concat();
        args.extend(["--products".to_owned(), products.url.clone()]);
        // Quicker than the defaults of 10 s and 5 s, so that the story fits its time.
        args.extend(["--breaker-window-ms", "5000", "--breaker-sleep-ms", "2000"].map(str::to_owned));
        if !setting.breaker {
            args.extend(["--breaker-volume", "1000000000"].map(str::to_owned));
        }
        let process = processes.start(instance, &binaries.shop, &args).await?;
        orders.push(format!("http://{}", process.address("http")?));
    }
    let key_file = setting.folder.join("jwt-key");
    let token = mint_token(&binaries.shop, &key_file)?;
    let mut args = [vec!["gateway".to_owned()], setting.service("gateway", "v1")].concat();
    for url in &orders {
        args.extend(["--orders".to_owned(), url.clone()]);
    }
    args.extend(["--jwt-key-file".to_owned(), key_file.display().to_string()]);
    args.extend(["--rate-limit", "1000", "--rate-burst", "1000"].map(str::to_owned));
    let process = processes.start("gateway", &binaries.shop, &args).await?;
    Ok((Api::new(&process.address("http")?)?.with_token(&token), products))
}

async fn start_products(
    processes: &mut Processes,
    binaries: &Binaries,
    setting: &Setting,
    products: &Products,
    name: &str,
    version: &str,
    http_addr: &str,
) -> anyhow::Result<()> {
    let mut args = vec!["products".to_owned()];
    args.extend(setting.service(&format!("products-{version}"), version));
    args.extend(products.args.clone());
    args.extend(version_flags(version)?);
    args.extend(["--http-addr".to_owned(), http_addr.to_owned()]);
    processes.start(name, &binaries.shop, &args).await?;
    let api = Api::new(&processes.get(name)?.address("http")?)?;
    until_ok(Duration::from_secs(15), &format!("{name} to be healthy"), async || {
        Ok((api.send("GET", "/health", None).await?.status == 200).then_some(()))
    })
    .await
}

impl World {
    fn setting(&self) -> anyhow::Result<Setting> {
        Ok(Setting {
            kafka: self.kafka.clone(),
            otlp: format!("http://{}", self.processes.get("tracepact")?.address("otlp_grpc")?),
            folder: self.folder.clone(),
            breaker: true,
            notifications: true,
        })
    }

    /// Replaces the running products by another version, without refusing a connection: the new one listens on the
    /// same address before the old one is told to stop.
    pub(crate) async fn roll_out_products(&mut self, version: &str) -> anyhow::Result<()> {
        let setting = self.setting()?;
        let http_addr = self.products.http_addr.clone();
        self.processes.rename("products", "products-old")?;
        start_products(
            &mut self.processes,
            &self.binaries,
            &setting,
            &self.products,
            "products",
            version,
            &http_addr,
        )
        .await?;
        self.retire("products-old").await?;
        self.products.version = version.to_owned();
        Ok(())
    }

    /// Starts a version of products beside the running one, on a port of its own, for the verifier.
    pub(crate) async fn start_candidate(&mut self, version: &str) -> anyhow::Result<String> {
        let setting = self.setting()?;
        let name = format!("products-{version}-candidate");
        start_products(
            &mut self.processes,
            &self.binaries,
            &setting,
            &self.products,
            &name,
            version,
            "127.0.0.1:0",
        )
        .await?;
        Ok(format!("http://{}", self.processes.get(&name)?.address("http")?))
    }

    /// Stops a candidate.
    pub(crate) async fn stop_candidate(&mut self, version: &str) -> anyhow::Result<()> {
        self.retire(&format!("products-{version}-candidate")).await
    }

    /// Stops a process whose counters count, and remembers them.
    async fn retire(&mut self, name: &str) -> anyhow::Result<()> {
        let ended = self.processes.stop(name).await?;
        let counts = super::spans::final_counts(&ended)?;
        self.facts.spans_ended_before += counts.ended;
        self.facts.spans_given_up_before += counts.given_up;
        Ok(())
    }

    /// Waits until so many more orders were answered.
    pub(crate) async fn orders_answered(&self, count: usize) -> anyhow::Result<()> {
        let mark = self.load.mark();
        until_ok(Duration::from_secs(30), &format!("{count} more orders to be answered"), async || {
            Ok((self.load.since(mark).len() >= count).then_some(()))
        })
        .await
    }
}

/// A customer's token, signed with the key the gateway reads.
fn mint_token(shop: &Path, key_file: &Path) -> anyhow::Result<String> {
    let output = Command::new(shop)
        .args(["token", "--jwt-key-file"])
        .arg(key_file)
        .output()
        .context("tracepact-shop token")?;
    if !output.status.success() {
        bail!("tracepact-shop token: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
