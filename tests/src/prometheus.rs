//! A real Prometheus for tests, scraping given addresses every second.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};

use crate::{Api, until_ok};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running Prometheus; it ends when this is dropped.
pub struct Prometheus {
    /// Its HTTP API.
    pub api: Api,
    _child: Child,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts it with one job named `tracepact` that scrapes `target` (`127.0.0.1:port`) and with `rules` loaded.
    pub async fn start(target: &str, rules: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = folder.path().join("prometheus.yml");
        std::fs::write(
            &config,
            format!(
                "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
                 rule_files: ['{}']\nscrape_configs:\n - job_name: tracepact\n   static_configs: [{{targets: ['{target}']}}]\n",
                std::path::absolute(rules)?.display()
            ),
        )?;
        let log = std::fs::File::create(folder.path().join("prometheus.log"))?;
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("prometheus (Debian package prometheus)")?;
        let api = Api::new(&format!("127.0.0.1:{port}"))?;
        until_ok(START_TIMEOUT, "Prometheus to be ready", async || {
            Ok((api.send("GET", "/-/ready", None).await?.status == 200).then_some(()))
        })
        .await?;
        Ok(Self { api, _child: child, _folder: folder })
    }
}
