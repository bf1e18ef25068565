//! The servers that are measured: ours, a Zipkin beside it, or whatever already runs somewhere.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use tempfile::TempDir;
use tracepact_tests::zipkin::ZipkinServer;
use tracepact_tests::{Api, Processes};

use crate::send::Format;
use crate::serve_flags;

/// What is measured.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// This binary of tracepact.
    Tracepact(PathBuf),
    /// The Zipkin server in this jar, with spans in memory.
    Zipkin(PathBuf),
    /// A server that speaks Zipkin's query API at this `host:port`, and takes spans there or at the second one.
    Running(String, Option<String>),
}

/// A started server.
pub(crate) struct Running {
    subject: Subject,
    folder: TempDir,
    ours: Option<Processes>,
    zipkin: Option<ZipkinServer>,
    /// `host:port` of the query API.
    pub(crate) query: String,
    /// `host:port` that takes OTLP.
    otlp: String,
    /// How long the start took, where we started it.
    pub(crate) started_ms: Option<f64>,
}

impl Subject {
    /// Its name in tables.
    pub(crate) fn name(&self, format: Format) -> String {
        let name = match self {
            Self::Tracepact(_) => "tracepact".to_owned(),
            Self::Zipkin(_) => format!("Zipkin {} (memory)", tracepact_tests::zipkin::VERSION),
            Self::Running(address, _) => address.clone(),
        };
        format!("{name}, {}", format.name())
    }

    /// Whether every answer has to be right.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(self, Self::Tracepact(_))
    }

    /// Starts it on an empty directory.
    pub(crate) async fn start(&self) -> anyhow::Result<Running> {
        let folder = tempfile::tempdir()?;
        let mut running = Running {
            subject: self.clone(),
            ours: Some(Processes::new(folder.path())?),
            zipkin: None,
            folder,
            query: String::new(),
            otlp: String::new(),
            started_ms: None,
        };
        running.begin().await?;
        Ok(running)
    }
}

impl Running {
    /// Starts the server, the first time or again.
    async fn begin(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        match &self.subject {
            Subject::Tracepact(binary) => {
                let processes = self.ours.as_mut().context("no processes")?;
                let mut flags = serve_flags(&self.folder.path().join("data"));
                flags.extend(["--only", "collector"].map(str::to_owned));
                let server = processes.start("tracepact", binary, &flags).await?;
                (self.query, self.otlp) = (server.address("http")?, server.address("otlp_http")?);
            }
            Subject::Zipkin(jar) => {
                let server = ZipkinServer::start(jar, &self.folder.path().join("zipkin.log")).await?;
                (self.query, self.otlp) = (server.address.clone(), server.address.clone());
                self.zipkin = Some(server);
            }
            Subject::Running(query, otlp) => {
                self.query.clone_from(query);
                self.otlp = otlp.clone().unwrap_or_else(|| query.clone());
                return Ok(());
            }
        }
        self.started_ms = Some(begun.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    /// `host:port` that takes spans in this format.
    pub(crate) fn ingest(&self, format: Format) -> &str {
        if format == Format::Otlp { &self.otlp } else { &self.query }
    }

    /// Its process, where we started it.
    pub(crate) fn pid(&self) -> Option<u32> {
        let ours = self.ours.as_ref().and_then(|ours| ours.get("tracepact").ok()).and_then(|ours| ours.pid());
        ours.or_else(|| self.zipkin.as_ref().and_then(ZipkinServer::pid))
    }

    /// Where it keeps spans, when it does.
    pub(crate) fn data(&self) -> Option<PathBuf> {
        matches!(self.subject, Subject::Tracepact(_)).then(|| Path::new(self.folder.path()).join("data"))
    }

    /// Kills it with signal 9 and starts it again; how long that start took. `None` for one that we did not start.
    pub(crate) async fn kill_and_start(&mut self) -> anyhow::Result<Option<f64>> {
        match &self.subject {
            Subject::Tracepact(_) => self.ours.as_mut().context("no processes")?.kill("tracepact").await?,
            Subject::Zipkin(_) => {
                if let Some(server) = self.zipkin.take() {
                    server.kill().await?;
                }
            }
            Subject::Running(..) => return Ok(None),
        }
        self.begin().await?;
        Ok(self.started_ms)
    }

    /// Lets our server write what is in memory into blocks: a snapshot does.
    pub(crate) async fn seal(&self) -> anyhow::Result<()> {
        let data = self.data().context("only ours is sealed")?;
        let token = std::fs::read_to_string(data.join("admin-token"))?;
        let api = Api::new(&self.query)?.with_token(token.trim());
        let made = api.change("POST", "/tracepact/v1/snapshots", &serde_json::json!({})).await?;
        let name = made.get("name").and_then(|name| name.as_str()).context("a snapshot has no name")?;
        api.send("DELETE", &format!("/tracepact/v1/snapshots/{name}"), None).await?;
        Ok(())
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) {
        if let Some(mut ours) = self.ours.take() {
            ours.stop_all(&[]).await;
        }
    }
}
