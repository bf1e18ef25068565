//! What a team's pipeline would run: the `tracepact` command line, as its own process.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::process::Command;

use super::world::{ENVIRONMENT, World};

/// How a step of a pipeline ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Its `--json` answer.
    pub(crate) answer: Value,
    /// What it said on standard error.
    pub(crate) said: String,
}

impl Ran {
    /// Fails unless the step ended with 0.
    pub(crate) fn succeeded(self, what: &str) -> anyhow::Result<Self> {
        if self.code != 0 {
            bail!("{what} ended with {}: {} {}", self.code, self.said.trim(), self.answer);
        }
        Ok(self)
    }
}

impl World {
    /// Runs `tracepact ARGS --json` against the demo's broker with the admin's token.
    pub(crate) async fn tracepact(&self, args: &[&str], command: &[String]) -> anyhow::Result<Ran> {
        let mut run = Command::new(&self.binaries.tracepact);
        run.args(args)
            .args(["--json", "--broker-url", &self.broker_url()?, "--token-file"])
            .arg(self.admin_token_file())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if !command.is_empty() {
            run.arg("--").args(command);
        }
        let output =
            run.output().await.with_context(|| format!("could not run tracepact {}", args.join(" ")))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            answer: last_json(&text),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Records what runs in production.
    pub(crate) async fn record_deployment(&self, pacticipant: &str, version: &str) -> anyhow::Result<()> {
        let args =
            ["record-deployment", "--pacticipant", pacticipant, "--version", version, "--to", ENVIRONMENT];
        self.tracepact(&[&args[..], &["--create"]].concat(), &[]).await?.succeeded("record-deployment")?;
        Ok(())
    }

    /// Verifies a running provider and publishes the result.
    pub(crate) async fn verify_products(&self, version: &str, url: &str) -> anyhow::Result<Ran> {
        self.tracepact(
            &[
                "verify",
                "--provider",
                "products",
                "--provider-url",
                url,
                "--version",
                version,
                "--branch",
                "main",
                "--message-path",
                super::shop::MESSAGE_PATH,
                "--publish",
            ],
            &[],
        )
        .await
    }

    /// Runs the deploy of a version behind the gate. The deploy command asks this process for the rollout by a file,
    /// and waits for it by another: whoever operates the processes does the same with a real orchestrator.
    pub(crate) async fn deploy_behind_gate(&mut self, version: &str) -> anyhow::Result<Ran> {
        let request = self.folder.join(format!("rollout-{version}.request"));
        let done = self.folder.join(format!("rollout-{version}.done"));
        let script =
            format!("touch '{}'; until [ -e '{}' ]; do sleep 0.1; done", request.display(), done.display());
        let command = ["sh".to_owned(), "-c".to_owned(), script];
        let args = ["deploy-gate", "--pacticipant", "products", "--version", version, "--to", ENVIRONMENT];
        if self.choices.sabotage == Some(super::world::Sabotage::Gate) {
            self.roll_out_products(version).await?;
            return Ok(Ran { code: 0, answer: Value::Null, said: String::new() });
        }
        let mut run = Command::new(&self.binaries.tracepact);
        run.args(args)
            .args(["--json", "--broker-url", &self.broker_url()?])
            .arg("--")
            .args(&command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = run.spawn().context("could not run tracepact deploy-gate")?;
        // The answer is small; it fits the pipe while nobody reads.
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if request.exists() && !done.exists() {
                self.roll_out_products(version).await?;
                std::fs::write(&done, "")?;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        let output = child.wait_with_output().await?;
        Ok(Ran {
            code: status.code().unwrap_or(-1),
            answer: last_json(&String::from_utf8_lossy(&output.stdout)),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// The pact files of the shop.
    pub(crate) fn pact(&self, file: &str) -> std::path::PathBuf {
        Path::new(&crate::workspace::root()).join("reference-services/shop/pacts").join(file)
    }
}

/// The JSON document at the end of a text: the verifier prints its own report before ours.
fn last_json(text: &str) -> Value {
    let starts = text.match_indices('{').map(|(i, _)| i);
    starts.filter_map(|i| serde_json::from_str(text.get(i..)?).ok()).next().unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_found_behind_other_output() {
        assert_eq!(last_json("Verifying {a pact}\n{\"ok\": true}\n"), serde_json::json!({"ok": true}));
        assert_eq!(last_json("nothing"), Value::Null);
    }
}
