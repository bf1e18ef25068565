//! A real PostgreSQL for tests: a fresh cluster in a temporary folder, on a free loopback port.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::wait::until;

const START_TIMEOUT: Duration = Duration::from_secs(90);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// The administrator's password; the port is on loopback and lives as long as the tests.
const PASSWORD: &str = "of-a-test";

/// A running server; it ends when this is dropped.
pub struct RealPostgres {
    /// `postgres://postgres:…@127.0.0.1:port/postgres`; its user may create databases.
    pub url: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl RealPostgres {
    /// Makes a cluster, starts the server and waits for it. It does not sync to disk: it is thrown away afterwards.
    pub async fn start() -> anyhow::Result<Self> {
        let settings = ["fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB"];
        Self::start_with(tempfile::tempdir()?, &settings).await
    }

    /// The same in a folder of one's own, with these settings and no others: the server's defaults sync to disk.
    pub async fn start_with(folder: tempfile::TempDir, settings: &[&str]) -> anyhow::Result<Self> {
        let programs = programs()?;
        // PostgreSQL refuses to run as root.
        let user = if rustix::process::geteuid().is_root() { Some(unprivileged()?) } else { None };
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD)?;
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid))?;
            chown(&password, Some(uid), Some(gid))?;
        }
        let program = |name: &str| {
            let mut command = Command::new(programs.join(name));
            command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command
        };
        let data = folder.path().join("data");
        let made = program("initdb")
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(&password)
            .arg("-D")
            .arg(&data)
            .output()
            .await
            .context("initdb")?;
        if !made.status.success() {
            bail!("PostgreSQL could not make a cluster: {}", String::from_utf8_lossy(&made.stderr));
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let console = folder.path().join("console.log");
        let out = std::fs::File::create(&console)?;
        let mut server = program("postgres");
        server.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""]);
        for setting in settings {
            server.args(["-c", *setting]);
        }
        let child = server.stdout(out.try_clone()?).stderr(out).spawn().context("postgres")?;
        let url = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres");
        let mut postgres = Self { url, child, _folder: folder };
        until(START_TIMEOUT, "PostgreSQL to start", async || {
            let text = std::fs::read_to_string(&console).unwrap_or_default();
            if let Some(status) = postgres.child.try_wait()? {
                bail!("PostgreSQL ended with {status}:\n{text}");
            }
            Ok(text.contains("ready to accept connections").then_some(()))
        })
        .await?;
        Ok(postgres)
    }

    /// Ends the server in its own way, so that none of its processes stays behind.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process(pid, Signal::INT)?;
        }
        tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await.context("PostgreSQL did not end")??;
        Ok(())
    }
}

/// The folder of the server's programs: Debian keeps each major version in one of its own, outside `PATH`.
fn programs() -> anyhow::Result<PathBuf> {
    let in_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .find(|folder| folder.join("initdb").is_file());
    if let Some(folder) = in_path {
        return Ok(folder);
    }
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .collect();
    versions.sort();
    versions
        .pop()
        .map(|(_, folder)| folder)
        .context("PostgreSQL is not installed (Debian package postgresql)")
}

/// User and group of somebody who is not root: `postgres` where the package made it, else `nobody`.
fn unprivileged() -> anyhow::Result<(u32, u32)> {
    let users = std::fs::read_to_string(Path::new("/etc/passwd"))?;
    let ids_of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids_of("postgres").or_else(|| ids_of("nobody")).context("there is neither a user postgres nor nobody")
}
