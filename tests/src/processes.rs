//! Starts processes of a test or the demo, watches them, stops every one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::wait::until;

/// How long a process may take to write its addresses.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a process may take to drain after SIGTERM.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// The processes by name, in starting order where it matters.
pub struct Processes {
    folder: PathBuf,
    running: BTreeMap<String, Process>,
    /// Number of starts, which makes the names of log files distinct.
    started: usize,
}

/// One running process.
pub struct Process {
    child: Child,
    /// What it wrote to its `--addr-file`.
    pub addresses: Value,
    log: PathBuf,
}

impl Process {
    /// One of its addresses, `127.0.0.1:port`.
    pub fn address(&self, name: &str) -> anyhow::Result<String> {
        let value = self.addresses.get(name).and_then(Value::as_str);
        value.map(str::to_owned).with_context(|| format!("no address {name:?} in {}", self.addresses))
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}

impl Processes {
    /// None yet; addresses and logs go to `folder`.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_path_buf(), running: BTreeMap::new(), started: 0 })
    }

    /// Starts `program` and waits until it has written its addresses. `--addr-file FILE` is appended to the arguments.
    pub async fn start(&mut self, name: &str, program: &Path, args: &[String]) -> anyhow::Result<&Process> {
        self.start_with(name, program, args, &[]).await
    }

    /// Like [`Self::start`], with environment variables.
    pub async fn start_with(
        &mut self,
        name: &str,
        program: &Path,
        args: &[String],
        variables: &[(&str, &str)],
    ) -> anyhow::Result<&Process> {
        let addr_file = self.folder.join(format!("{name}.addr.json"));
        self.started += 1;
        let log = self.folder.join(format!("{name}-{}.log", self.started));
        match std::fs::remove_file(&addr_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let out = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        without_settings(&mut command);
        let child = command
            .args(args)
            .arg("--addr-file")
            .arg(&addr_file)
            .env("PACT_DO_NOT_TRACK", "1")
            .envs(variables.iter().copied())
            // A Ctrl-C at the terminal goes to whoever started this, who then asks each process to drain, once.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {name} ({})", program.display()))?;
        self.running.insert(name.to_owned(), Process { child, addresses: Value::Null, log });
        let started = until(START_TIMEOUT, &format!("{name} to write its addresses"), async || {
            self.alive(name)?;
            let text = match std::fs::read_to_string(&addr_file) {
                Ok(text) => text,
                Err(_) => return Ok(None),
            };
            Ok(serde_json::from_str::<Value>(&text).ok())
        })
        .await?;
        let process = self.running.get_mut(name).context("just started")?;
        process.addresses = started;
        Ok(process)
    }

    /// Fails, with the end of its log, when the process has ended by itself.
    pub fn alive(&mut self, name: &str) -> anyhow::Result<()> {
        let process = self.running.get_mut(name).with_context(|| format!("{name} is not running"))?;
        if let Some(status) = process.child.try_wait()? {
            bail!(
                "{name} ended with {status}; the end of {}:\n{}",
                process.log.display(),
                tail(&process.log)
            );
        }
        Ok(())
    }

    /// Fails when any process has ended by itself.
    pub fn all_alive(&mut self) -> anyhow::Result<()> {
        let names: Vec<String> = self.running.keys().cloned().collect();
        names.iter().try_for_each(|name| self.alive(name))
    }

    /// The running process of this name.
    pub fn get(&self, name: &str) -> anyhow::Result<&Process> {
        self.running.get(name).with_context(|| format!("{name} is not running"))
    }

    /// The names of all running processes.
    pub fn names(&self) -> Vec<String> {
        self.running.keys().cloned().collect()
    }

    /// Gives a running process another name, so that its successor can have this one.
    pub fn rename(&mut self, from: &str, to: &str) -> anyhow::Result<()> {
        let process = self.running.remove(from).with_context(|| format!("{from} is not running"))?;
        self.running.insert(to.to_owned(), process);
        Ok(())
    }

    /// Asks the process to drain, waits for its end, and returns what it wrote to its log.
    pub async fn stop(&mut self, name: &str) -> anyhow::Result<String> {
        let mut process = self.running.remove(name).with_context(|| format!("{name} is not running"))?;
        signal(&process, rustix::process::Signal::TERM);
        if tokio::time::timeout(DRAIN_TIMEOUT, process.child.wait()).await.is_err() {
            process.child.kill().await?;
            bail!("{name} did not end within {} s of SIGTERM and was killed", DRAIN_TIMEOUT.as_secs());
        }
        Ok(std::fs::read_to_string(&process.log).unwrap_or_default())
    }

    /// Ends the process as a power cut of the process would: SIGKILL, nothing is flushed.
    pub async fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let Some(mut process) = self.running.remove(name) else { bail!("{name} is not running") };
        process.child.kill().await?;
        Ok(())
    }

    /// Stops everything. The processes of each group are asked at once, then waited for; `last` names those that the
    /// others need to drain, in the order in which they may go.
    pub async fn stop_all(&mut self, last: &[&str]) {
        let first: Vec<String> = self.names().into_iter().filter(|n| !last.contains(&n.as_str())).collect();
        self.stop_group(&first).await;
        for name in last {
            self.stop_group(&[(*name).to_owned()]).await;
        }
    }

    async fn stop_group(&mut self, names: &[String]) {
        let group: Vec<_> = names.iter().filter_map(|n| Some((n, self.running.remove(n)?))).collect();
        group.iter().for_each(|(_, process)| signal(process, rustix::process::Signal::TERM));
        let deadline = tokio::time::Instant::now() + DRAIN_TIMEOUT;
        for (name, mut process) in group {
            if tokio::time::timeout_at(deadline, process.child.wait()).await.is_err() {
                eprintln!("{name} did not drain in time and was killed; its log: {}", process.log.display());
                let _already_gone = process.child.kill().await;
            }
        }
    }
}

/// Keeps settings of whoever runs the tests from the command: it sees only what it is given afterwards.
pub fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEPACT_"))
    {
        command.env_remove(name);
    }
}

fn signal(process: &Process, signal: rustix::process::Signal) {
    let pid = process.pid().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended in between, which is what is wanted.
        let _ended = rustix::process::kill_process(pid, signal);
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
