//! Starts the binary on free ports and ends it by its id.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tracepact");

/// A running server; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) http: String,
    pub(crate) otlp_grpc: String,
    pub(crate) otlp_http: String,
    pub(crate) broker: String,
    pub(crate) client: reqwest::Client,
}

/// `tracepact serve` on free ports of `ip`, with nothing of this process's environment that could mean something.
pub(crate) fn serve(dir: &Path, ip: &str) -> Command {
    let mut command = Command::new(BINARY);
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(dir.join("data"))
        .arg("--addr-file")
        .arg(dir.join("addresses.json"));
    for flag in ["--http-addr", "--otlp-grpc-addr", "--otlp-http-addr", "--broker-addr"] {
        command.arg(flag).arg(format!("{ip}:0"));
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRACEPACT_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Server {
    pub(crate) async fn start(dir: &Path) -> Self {
        Self::start_with(dir, "127.0.0.1", |_| {}).await
    }

    pub(crate) async fn start_with(dir: &Path, ip: &str, change: impl FnOnce(&mut Command)) -> Self {
        let file = dir.join("addresses.json");
        let _ = std::fs::remove_file(&file);
        let mut command = serve(dir, ip);
        // A log nobody reads would fill its pipe.
        command.stderr(std::fs::File::create(dir.join("log")).unwrap());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let text = until("the address file", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended: {status}\n{}", std::fs::read_to_string(dir.join("log")).unwrap());
            }
            std::fs::read_to_string(&file).ok()
        })
        .await;
        let addresses: Value = serde_json::from_str(&text).unwrap();
        let of = |name: &str| {
            let addr = addresses[name].as_str().unwrap_or_default();
            format!("http://{}", addr.replace("0.0.0.0", "127.0.0.1"))
        };
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self {
            http: of("http"),
            otlp_grpc: of("otlp_grpc"),
            otlp_http: of("otlp_http"),
            broker: of("broker"),
            child,
            client,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("{}{path}", self.http)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the end of the process", || child.try_wait().unwrap()).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is something, for 20 s at most.
pub(crate) async fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited 20 s for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a command that must end by itself; its exit code and standard error.
pub(crate) async fn fails(mut command: Command) -> (i32, String) {
    let mut child = command.spawn().unwrap();
    let status = until("the refusal", || child.try_wait().unwrap()).await;
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (status.code().unwrap_or(-1), text)
}
