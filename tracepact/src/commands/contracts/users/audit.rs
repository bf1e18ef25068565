//! `tracepact broker audit`.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use tracepact_verify::Error;
use tracepact_verify::broker_client::encode;

use super::super::{BrokerArgs, finish};

/// Show who changed what at the broker, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact broker audit --token-file tracepact-data/admin-token
  tracepact broker audit --who orders-ci --limit 20 --json --token-file tracepact-data/admin-token
  tracepact broker audit --before 8120 --token-file tracepact-data/admin-token      # what was before that entry

Exit codes: 0 shown, 1 refused, 2 wrong usage, 3 the broker cannot be reached or lets nobody in.")]
pub(crate) struct Audit {
    /// Only what this user changed.
    #[arg(long, value_name = "USER")]
    who: Option<String>,
    /// Only entries with a smaller id.
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    /// At most this many, 1000 at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl Audit {
    pub(crate) async fn run(self) -> ExitCode {
        finish(self.show().await)
    }

    async fn show(self) -> Result<u8, Error> {
        let mut path = format!("/tracepact/v1/broker/audit?limit={}", self.limit);
        if let Some(who) = &self.who {
            path.push_str(&format!("&who={}", encode(who)));
        }
        if let Some(before) = self.before {
            path.push_str(&format!("&before={before}"));
        }
        let answer = self.broker.client()?.get(&path, "the audit log").await?;
        let entries = answer["entries"].as_array().cloned().unwrap_or_default();
        let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("?").to_owned();
        let mut text: String = entries
            .iter()
            .map(|entry| {
                format!(
                    "{}  {}  {}  {}\n",
                    entry["id"],
                    word(entry, "at"),
                    word(entry, "who"),
                    word(entry, "what")
                )
            })
            .collect();
        if answer["complete"] == false
            && let Some(last) = entries.last()
        {
            text.push_str(&format!("there is more: --before {}\n", last["id"]));
        }
        self.broker.show(&answer, &text);
        Ok(0)
    }
}
