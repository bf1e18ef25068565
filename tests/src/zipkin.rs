//! A real Zipkin server with spans in memory, from its Maven artifact: what benchmarks compare with.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

use crate::{Api, tools_folder, until_ok};

/// The version that is fetched.
pub const VERSION: &str = "3.6.1";
/// A Java program on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Spans that fit, and the heap they need at some 3 KB each.
const SPANS_MAX: &str = "2000000";
const HEAP: &str = "-Xmx8g";

/// A running Zipkin; it ends when this is dropped.
#[derive(Debug)]
pub struct ZipkinServer {
    /// `host:port` of its API.
    pub address: String,
    child: Child,
}

/// The server's jar, fetched once.
pub async fn provide() -> anyhow::Result<PathBuf> {
    let folder = tools_folder()?.join("zipkin-server");
    std::fs::create_dir_all(&folder)?;
    let jar = folder.join(format!("zipkin-server-{VERSION}-exec.jar"));
    if jar.is_file() {
        return Ok(jar);
    }
    let artifact = format!("io.zipkin:zipkin-server:{VERSION}:jar:exec");
    for goal in [
        vec!["dependency:get".to_owned(), "-Dtransitive=false".to_owned(), format!("-Dartifact={artifact}")],
        vec![
            "dependency:copy".to_owned(),
            format!("-Dartifact={artifact}"),
            format!("-DoutputDirectory={}", folder.display()),
        ],
    ] {
        let status = Command::new("mvn").args(["-q", "-B"]).args(&goal).kill_on_drop(true).status().await;
        let status = status.context("mvn (Debian package maven)")?;
        if !status.success() {
            bail!("Zipkin's server could not be fetched: mvn {} ended with {status}", goal.join(" "));
        }
    }
    Ok(jar)
}

impl ZipkinServer {
    /// Starts the jar on a free port; its output goes to `log`.
    pub async fn start(jar: &Path, log: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = std::fs::File::create(log)?;
        let child = Command::new("java")
            .arg(HEAP)
            .arg("-jar")
            .arg(jar)
            .env("QUERY_PORT", port.to_string())
            .env("STORAGE_TYPE", "mem")
            .env("MEM_MAX_SPANS", SPANS_MAX)
            .env("SELF_TRACING_ENABLED", "false")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("java (Debian package default-jdk-headless)")?;
        let address = format!("127.0.0.1:{port}");
        let api = Api::new(&address)?;
        until_ok(START_TIMEOUT, "Zipkin to be ready", async || {
            let answer = api.send("GET", "/health", None).await;
            Ok(answer.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await?;
        Ok(Self { address, child })
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it with signal 9.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}
