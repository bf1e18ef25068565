//! `tracepact snapshot`: a backup of a running server, or of a closed data directory.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use tracepact_base::SystemClock;
use tracepact_store::snapshot_closed;

use super::operator::{Failed, ServerArgs, bytes, finish, show};

/// Back up spans, series and events: of a running server, or of a data directory that no server uses.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact snapshot --token-file tracepact-data/admin-token
  tracepact snapshot --token-file tracepact-data/admin-token --list
  tracepact snapshot --token-file tracepact-data/admin-token --remove 2026-11-21-01JD3XQZ5N8M5T4Y2W7K9C6B1A
  tracepact snapshot --data-dir tracepact-data --to /backup/2026-11-21

A running server makes its snapshot in DATA-DIR/snapshots, as hard links: it takes a moment and hardly any space until
retention drops what it still holds. Copy it to another disk with any tool. Each snapshot was read again and compared
with its checksums; `tracepact store check --data-dir SNAPSHOT` does so once more.

To restore: stop the server, copy the snapshot's `data` and `log` to an empty data directory, start the server with it.
Contracts (the broker's database), the configuration and tokens are not part of it.

Exit codes: 0 done, 1 refused or something in it is damaged, 2 wrong usage, 3 the server cannot be reached or the
directory cannot be used.")]
pub(crate) struct Snapshot {
    #[command(flatten)]
    server: ServerArgs,
    /// Back up this closed data directory instead of asking a server.
    #[arg(long, value_name = "DIR", requires = "to")]
    data_dir: Option<PathBuf>,
    /// Where to: a directory that is empty or not there yet.
    #[arg(long, value_name = "DIR", requires = "data_dir")]
    to: Option<PathBuf>,
    /// List the snapshots that the server keeps.
    #[arg(long, conflicts_with_all = ["remove", "data_dir"])]
    list: bool,
    /// Remove a snapshot that the server keeps.
    #[arg(long, value_name = "NAME", conflicts_with = "data_dir")]
    remove: Option<String>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const SNAPSHOTS: &str = "/tracepact/v1/snapshots";

impl Snapshot {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.make().await)
    }

    async fn make(&self) -> Result<u8, Failed> {
        if let Some(name) = &self.remove {
            self.server.ask(Method::DELETE, &format!("{SNAPSHOTS}/{name}")).await?;
            show(self.json, &json!({ "removed": name }), &format!("removed {name}\n"))?;
            return Ok(0);
        }
        if self.list {
            let answer = self.server.ask(Method::GET, SNAPSHOTS).await?;
            let lines = answer["snapshots"].as_array().into_iter().flatten().map(line).collect::<String>();
            show(self.json, &answer, if lines.is_empty() { "there is no snapshot\n" } else { &lines })?;
            return Ok(0);
        }
        let answer = match (&self.data_dir, &self.to) {
            (Some(from), Some(to)) => of_closed(from, to)?,
            _ => self.server.ask(Method::POST, SNAPSHOTS).await?,
        };
        let mut text = line(&answer);
        let damage: Vec<&str> =
            answer["damage"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for damage in &damage {
            text.push_str(&format!("damaged: {damage}\n"));
        }
        show(self.json, &answer, &text)?;
        Ok(u8::from(!damage.is_empty()))
    }
}

fn of_closed(from: &std::path::Path, to: &std::path::Path) -> Result<Value, Failed> {
    let made = snapshot_closed(from, super::store::TENANT, to, &SystemClock::shared())?;
    Ok(json!({
        "name": made.name,
        "path": std::path::absolute(to).unwrap_or_else(|_| to.to_path_buf()),
        "made_at": tracepact_base::time_format::to_rfc3339(made.made_at_ns),
        "last_lsn": made.last_lsn,
        "bytes": made.bytes,
        "file_count": made.files.len(),
        "damage": made.damage,
    }))
}

fn line(snapshot: &Value) -> String {
    let text = |name: &str| snapshot[name].as_str().unwrap_or_default().to_owned();
    format!(
        "{}  {}  {} in {} files, everything up to log record {}\n",
        text("made_at"),
        text("path"),
        bytes(snapshot["bytes"].as_u64().unwrap_or(0)),
        snapshot["file_count"],
        snapshot["last_lsn"],
    )
}
