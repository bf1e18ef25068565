//! `tracepact broker clean` and `tracepact broker backup`: what an administrator does with the broker's database.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use tracepact_verify::Error;

use super::{BrokerArgs, finish};

/// Delete versions nobody needs any more. Without --apply it only says which.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact broker clean --token-file tracepact-data/admin-token
  tracepact broker clean --keep max-age-days=30 --keep latest,branch --keep latest,tag=prod --apply \\
                         --token-file tracepact-data/admin-token

A selector is a list of what has to hold, all of it: latest, branch, branch=NAME, tag, tag=NAME, main-branch,
max-age-days=DAYS, pacticipant=NAME. A version that any selector fits is kept. Without --keep: the last 90 days, the head
of every branch and tag, and the newest version. What is deployed or released, or has results for a contract in use, is
always kept.")]
pub(crate) struct Clean {
    /// Keep what this selector fits.
    #[arg(long = "keep", value_name = "SELECTOR")]
    keep: Vec<String>,
    /// Most versions to delete.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    /// Really delete.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Clean {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.clean().await)
    }

    async fn clean(self) -> Result<u8, Error> {
        let mut request = json!({ "dry_run": !self.apply, "limit": self.limit });
        if !self.keep.is_empty() {
            request["keep"] =
                self.keep.iter().map(|text| selector(text)).collect::<Result<Vec<_>, _>>()?.into();
        }
        let answer =
            self.broker.peer()?.post("/tracepact/v1/contracts/clean", &request, "the clean-up").await?;
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("?").to_owned();
        let mut out = String::new();
        let deleted = answer["deleted"].as_array().cloned().unwrap_or_default();
        let verb = if self.apply { "deleted" } else { "would delete" };
        for one in &deleted {
            out.push_str(&format!("{verb} {} {}\n", text(one, "pacticipant"), text(one, "version")));
        }
        for (reason, count) in answer["kept"].as_object().into_iter().flatten() {
            out.push_str(&format!("kept {count}: {reason}\n"));
        }
        if answer["left"].as_u64().unwrap_or(0) > 0 {
            out.push_str(&format!("{} more could go: raise --limit or run it again\n", answer["left"]));
        }
        if !self.apply && !deleted.is_empty() {
            out.push_str("nothing was deleted: say --apply for that\n");
        }
        self.broker.show(&answer, &out);
        Ok(0)
    }
}

/// `latest,branch=main` as the API has it.
fn selector(text: &str) -> Result<Value, Error> {
    let mut selector = json!({});
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = match part.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (part, None),
        };
        let named = || value.map_or(Value::Bool(true), |value| value.into());
        match (key, value) {
            ("latest", None) => selector["latest"] = true.into(),
            ("main-branch", None) => selector["main_branch"] = true.into(),
            ("branch" | "tag", _) => selector[key] = named(),
            ("pacticipant", Some(name)) => selector["pacticipant"] = name.into(),
            ("max-age-days", Some(days)) => {
                let days: u32 = days.parse().map_err(|_| {
                    Error::Usage(format!("--keep {text}: max-age-days wants a whole number, not {days:?}"))
                })?;
                selector["max_age_days"] = days.into();
            }
            _ => {
                return Err(Error::Usage(format!(
                    "--keep {text}: {part:?} is not known; there are latest, branch[=NAME], tag[=NAME], main-branch, \
                     max-age-days=DAYS, pacticipant=NAME"
                )));
            }
        }
    }
    Ok(selector)
}

/// Write a copy of the broker's database to a file while it is in use. To restore it, stop the server, put the file in the
/// place of contracts.db in its data directory, delete contracts.db-wal and contracts.db-shm, and start it again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact broker backup contracts-2026-11-27.db --token-file tracepact-data/admin-token

A broker with its tables in PostgreSQL is backed up with pg_dump.")]
pub(crate) struct Backup {
    /// The file to write; it must not exist.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Backup {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.backup().await)
    }

    async fn backup(self) -> Result<u8, Error> {
        let peer = self.broker.peer()?;
        let bytes = peer.download("/tracepact/v1/contracts/backup", "the backup", &self.file).await?;
        let text = format!("wrote {bytes} bytes to {}\n", self.file.display());
        self.broker.show(&json!({ "file": self.file, "bytes": bytes }), &text);
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_from_words() {
        assert_eq!(
            selector("latest, branch=feat/x,max-age-days=30").unwrap(),
            json!({ "latest": true, "branch": "feat/x", "max_age_days": 30 })
        );
        assert_eq!(selector("tag").unwrap(), json!({ "tag": true }));
        for bad in ["newest", "max-age-days=x", "latest=1", "pacticipant"] {
            assert!(selector(bad).is_err(), "{bad}");
        }
    }
}
