//! A real Apache Kafka for tests: one KRaft broker on a free loopback port, from the jars of its Maven artifacts.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

use crate::wait::until;

/// Small heap, serial collector, first compiler tier only: the fastest start on a small machine.
const JVM: [&str; 7] = [
    "-Xms64m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
];
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// A running broker; it ends when this is dropped.
pub struct RealKafka {
    /// `127.0.0.1:port`.
    pub bootstrap: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl RealKafka {
    /// Fetches the jars once (into the folder of tools), formats a fresh log directory, starts the broker and waits for it.
    pub async fn start() -> anyhow::Result<Self> {
        let classpath = jars(&crate::tools_folder()?.join("kafka")).await?;
        let folder = tempfile::tempdir()?;
        let (port, controller_port) = (free_port()?, free_port()?);
        let properties = folder.path().join("server.properties");
        std::fs::write(&properties, config(folder.path(), port, controller_port))?;
        let logging = folder.path().join("log4j2.properties");
        std::fs::write(&logging, LOGGING)?;
        let log4j = format!("-Dlog4j2.configurationFile={}", logging.display());
        let java = || {
            let mut command = Command::new("java");
            command.args(JVM).arg(&log4j).arg("-cp").arg(&classpath).stdin(Stdio::null()).kill_on_drop(true);
            command
        };
        let format = java()
            .args(["kafka.tools.StorageTool", "format", "-t", "dHJhY2VwYWN0LXRlc3RzMA", "-c"])
            .arg(&properties)
            .output()
            .await
            .context("java")?;
        if !format.status.success() {
            bail!("Kafka could not format its log directory: {}", String::from_utf8_lossy(&format.stderr));
        }
        let console = folder.path().join("console.log");
        let out = std::fs::File::create(&console)?;
        let child = java()
            .arg("kafka.Kafka")
            .arg(&properties)
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .context("java")?;
        let mut kafka = Self { bootstrap: format!("127.0.0.1:{port}"), child, _folder: folder };
        until(START_TIMEOUT, "Apache Kafka to start", async || {
            let text = std::fs::read_to_string(&console).unwrap_or_default();
            if let Some(status) = kafka.child.try_wait()? {
                bail!("Apache Kafka ended with {status}:\n{text}");
            }
            Ok(text.contains("Kafka Server started").then_some(()))
        })
        .await?;
        Ok(kafka)
    }

    /// Ends the broker.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("could not stop Apache Kafka")
    }
}

/// The class path, after fetching what is missing. A half-finished fetch never looks complete.
async fn jars(cache: &Path) -> anyhow::Result<PathBuf> {
    let complete = cache.join("complete");
    if !complete.is_file() {
        std::fs::create_dir_all(cache)?;
        let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/pom.xml");
        let status = Command::new("mvn")
            .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-f"])
            .arg(&pom)
            .arg(format!("-DoutputDirectory={}", cache.display()))
            .status()
            .await
            .context("mvn (Debian package maven)")?;
        if !status.success() {
            bail!("the jars of Apache Kafka could not be fetched: mvn ended with {status}");
        }
        std::fs::write(&complete, "")?;
    }
    Ok(cache.join("*"))
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn config(folder: &Path, port: u16, controller_port: u16) -> String {
    format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller_port}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\ncontroller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\nlog.dirs={}\n\
         num.partitions=1\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=8\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\nlog.cleaner.dedupe.buffer.size=16777216\n",
        folder.join("log").display()
    )
}

/// The one line that says the broker is up, and warnings.
const LOGGING: &str = "status = error\nappender.c.type = Console\nappender.c.name = C\n\
    appender.c.layout.type = PatternLayout\nappender.c.layout.pattern = %d %p %c{1} %m%n\n\
    rootLogger.level = warn\nrootLogger.appenderRef.c.ref = C\n\
    logger.s.name = kafka.server.KafkaRaftServer\nlogger.s.level = info\n";
