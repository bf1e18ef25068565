//! Starts the shop's processes, asks them, ends them by id.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::collector::Collector;

/// One shop at a time: a real Kafka knows only one group `orders`, and two cores only so many processes.
static ONE_SHOP: Mutex<()> = Mutex::const_new(());

/// Whether `condition` came true within `seconds`.
pub(crate) async fn until<F: Future<Output = bool>>(seconds: u64, mut condition: impl FnMut() -> F) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !condition().await {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    true
}

/// The shop's binary: in the folder that `E2E_BINARIES` names, else the one built with these tests.
pub(crate) fn binary() -> PathBuf {
    match std::env::var_os("E2E_BINARIES") {
        Some(folder) => PathBuf::from(folder).join("tracepact-shop"),
        None => PathBuf::from(env!("CARGO_BIN_EXE_tracepact-shop")),
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn trace_id(&self) -> String {
        let value = self.headers["traceresponse"].to_str().unwrap();
        value.split('-').nth(1).unwrap().to_owned()
    }

    pub(crate) fn order_id(&self) -> String {
        self.body["order_id"].as_str().unwrap_or_else(|| panic!("no order in {self:?}")).to_owned()
    }
}

pub(crate) struct Shop {
    pub(crate) collector: Collector,
    pub(crate) kafka: String,
    folder: tempfile::TempDir,
    running: BTreeMap<String, (Child, Value)>,
    http: reqwest::Client,
    token: String,
    _alone: MutexGuard<'static, ()>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Kafka last, or the others fill their logs with its absence.
        let kafka = self.running.remove("kafka");
        for (mut child, _) in std::mem::take(&mut self.running).into_values().chain(kafka) {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
        if std::thread::panicking() {
            for entry in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
                if entry.path().extension().is_some_and(|ending| ending == "log") {
                    let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                    let tail: Vec<&str> = text.lines().rev().take(15).collect();
                    eprintln!(
                        "== {}\n{}",
                        entry.path().display(),
                        tail.into_iter().rev().collect::<Vec<_>>().join("\n")
                    );
                }
            }
        }
    }
}

impl Shop {
    /// Kafka and a collector, no service yet.
    pub(crate) async fn empty() -> Self {
        let alone = ONE_SHOP.lock().await;
        let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut shop = Self {
            collector: Collector::start().await,
            kafka: std::env::var("KAFKA_BOOTSTRAP").unwrap_or_default(),
            folder: tempfile::tempdir().unwrap(),
            running: BTreeMap::new(),
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap(),
            token: String::new(),
            _alone: alone,
        };
        if shop.kafka.is_empty() {
            shop.spawn("kafka", &["kafka"]).await;
            shop.kafka = shop.running["kafka"].1["kafka"].as_str().unwrap().to_owned();
        }
        shop
    }

    /// The whole shop; `extra` adds flags to the services it names.
    pub(crate) async fn open(extra: &[(&str, &[&str])]) -> Self {
        let mut shop = Self::empty().await;
        let flags = |name: &str| -> Vec<&str> {
            extra
                .iter()
                .filter(|(service, _)| *service == name)
                .flat_map(|(_, flags)| flags.iter().copied())
                .collect()
        };
        shop.service("products", "products", &flags("products")).await;
        let products = shop.url("products");
        for instance in ["orders-1", "orders-2"] {
            let mut all = vec!["--products", &products, "--instance", instance];
            all.extend(flags("orders"));
            shop.service(instance, "orders", &all).await;
        }
        for name in ["payments", "deliveries", "notifications"] {
            shop.service(name, name, &flags(name)).await;
        }
        let (first, second) = (shop.url("orders-1"), shop.url("orders-2"));
        let mut all = vec!["--orders", &first, "--orders", &second];
        all.extend(flags("gateway"));
        shop.gateway(&all).await;
        for name in ["products", "orders-1", "orders-2", "payments", "deliveries", "notifications"] {
            shop.joined(name).await;
        }
        shop
    }

    pub(crate) async fn gateway(&mut self, flags: &[&str]) {
        let key = self.path("jwt.key");
        let mut all = vec!["--jwt-key-file", key.to_str().unwrap()];
        all.extend(flags);
        self.service("gateway", "gateway", &all).await;
        let minted = self.run(&["token", "--jwt-key-file", key.to_str().unwrap(), "--consumer", "test"]);
        self.token = String::from_utf8(minted.stdout).unwrap().trim().to_owned();
    }

    /// Starts a service with fault switches and waits until it listens.
    pub(crate) async fn service(&mut self, name: &str, subcommand: &str, flags: &[&str]) {
        let (kafka, endpoint) = (self.kafka.clone(), self.collector.endpoint.clone());
        let token = self.path("faults.token");
        let mut all = vec![subcommand, "--exporter", "otlp-http", "--export-endpoint", &endpoint];
        all.extend(["--log-format", "text", "--faults", "--faults-token-file", token.to_str().unwrap()]);
        if subcommand != "gateway" {
            all.extend(["--kafka", &kafka, "--session-timeout-ms", "6000"]);
        }
        all.extend(flags);
        self.spawn(name, &all).await;
    }

    async fn spawn(&mut self, name: &str, arguments: &[&str]) {
        let addresses = self.path(&format!("{name}.json"));
        let _absent = std::fs::remove_file(&addresses);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path(&format!("{name}.log")))
            .unwrap();
        let child = Command::new(binary())
            .args(arguments)
            .arg("--addr-file")
            .arg(&addresses)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running.insert(name.to_owned(), (child, Value::Null));
        let written = until(20, || std::future::ready(addresses.is_file())).await;
        assert!(written, "{name} did not write its address");
        let text = std::fs::read_to_string(&addresses).unwrap();
        self.running.get_mut(name).unwrap().1 = serde_json::from_str(&text).unwrap();
    }

    /// Runs another subcommand to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(binary()).args(arguments).output().unwrap()
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn address(&self, name: &str) -> String {
        self.running[name].1["http"].as_str().unwrap().to_owned()
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}", self.address(name))
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, name: &str) {
        let (mut child, _) = self.running.remove(name).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; how long the drain took and whether it ended well.
    pub(crate) async fn stop(&mut self, name: &str) -> (Duration, bool) {
        let (mut child, _) = self.running.remove(name).unwrap();
        let started = Instant::now();
        let sent = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
        let mut ended = None;
        until(15, || {
            ended = child.try_wait().unwrap();
            std::future::ready(ended.is_some())
        })
        .await;
        let Some(status) = ended else {
            child.kill().unwrap();
            panic!("{name} did not end");
        };
        (started.elapsed(), status.success())
    }

    pub(crate) async fn joined(&self, name: &str) {
        let joined =
            until(20, || async { self.get(name, "/health").await.body["consumer"]["joined"] == json!(true) })
                .await;
        assert!(joined, "{name} did not join its group");
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) async fn get(&self, name: &str, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.url(name)))).await
    }

    pub(crate) async fn order(&self, body: Value) -> Answer {
        let request = self.http.post(format!("{}/orders", self.url("gateway"))).bearer_auth(&self.token);
        self.send(request.json(&body)).await
    }

    pub(crate) async fn look(&self, order_id: &str) -> Answer {
        let url = format!("{}/orders/{order_id}", self.url("gateway"));
        self.send(self.http.get(url).bearer_auth(&self.token)).await
    }

    pub(crate) async fn cancel(&self, order_id: &str) -> Answer {
        let url = format!("{}/orders/{order_id}", self.url("gateway"));
        self.send(self.http.delete(url).bearer_auth(&self.token)).await
    }

    /// Whether the order reached `state`.
    pub(crate) async fn reaches(&self, order_id: &str, state: &str) -> bool {
        until(10, || async { self.look(order_id).await.body["state"] == json!(state) }).await
    }

    /// What a customer was told about an order, once there are `count` notes.
    pub(crate) async fn told(&self, order_id: &str, count: usize) -> Vec<Value> {
        let mut notes = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(10);
        while notes.len() < count && Instant::now() < deadline {
            let answer = self.get("notifications", &format!("/notifications?order_id={order_id}")).await;
            notes =
                answer.body["notifications"].as_array().unwrap().iter().map(|n| n["told"].clone()).collect();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        notes
    }

    fn faults_token(&self) -> String {
        std::fs::read_to_string(self.path("faults.token")).unwrap().trim().to_owned()
    }

    pub(crate) async fn fault(&self, name: &str, rule: Value) {
        let request = self.http.put(format!("{}/faults", self.url(name))).bearer_auth(self.faults_token());
        let answer = self.send(request.json(&rule)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(crate) async fn no_faults(&self, name: &str) {
        let request = self.http.delete(format!("{}/faults", self.url(name))).bearer_auth(self.faults_token());
        assert_eq!(self.send(request).await.status, 200);
    }

    /// Order ids that a switch of `kind` struck at `name`.
    pub(crate) async fn struck(&self, name: &str, kind: &str) -> Vec<String> {
        let request = self.http.get(format!("{}/faults", self.url(name))).bearer_auth(self.faults_token());
        let report = self.send(request).await.body;
        report["injected"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|injection| injection["kind"] == json!(kind))
            .map(|injection| injection["key"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(crate) fn tea() -> Value {
    json!({"product_id": "p-1", "quantity": 1})
}
