//! `tracepact store stats`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use tracepact_base::time_format::to_rfc3339;
use tracepact_store::{TableCensus, census_closed};

use super::TENANT;
use crate::commands::operator::{Failed, ServerArgs, bytes, finish, show};

/// Count what is stored, by kind and by day, and what waits to be removed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact store stats
  tracepact store stats --data-dir tracepact-data --json

Exit codes: 0 done, 1 refused or something cannot be read, 2 wrong usage, 3 the server cannot be reached or the directory
cannot be used.")]
pub(crate) struct Stats {
    #[command(flatten)]
    server: ServerArgs,
    /// Count a closed data directory or a snapshot instead of asking a server.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print the counts as JSON.
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub(super) async fn run(self) -> ExitCode {
        finish(self.count().await)
    }

    async fn count(&self) -> Result<u8, Failed> {
        let answer = match &self.data_dir {
            Some(dir) => of_closed(dir)?,
            None => self.server.ask(Method::GET, "/tracepact/v1/store").await?,
        };
        show(self.json, &answer, &text(&answer))?;
        let damaged = answer["damage"].as_array().is_some_and(|damage| !damage.is_empty());
        Ok(u8::from(damaged))
    }
}

/// The same answer as a server's, of a closed directory.
fn of_closed(dir: &std::path::Path) -> Result<Value, Failed> {
    let census = census_closed(dir, TENANT)?;
    let blocks = |tables: &BTreeMap<String, TableCensus>| -> Value {
        tables
            .iter()
            .map(|(name, census)| (name.clone(), of_table(census)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut answer = json!({
        "tables": blocks(&census.tables),
        "days": blocks(&census.days),
        "log_segments": census.log_segments,
        "log_bytes": census.log_bytes,
        "unsealed_records": census.unsealed,
        "pending_traces": census.pending.traces,
        "pending_bytes": census.pending_bytes,
        "damage": census.damage,
    });
    if let Some(oldest) = census.pending.oldest_ns {
        answer["pending_since"] = to_rfc3339(oldest).into();
    }
    Ok(answer)
}

fn of_table(census: &TableCensus) -> Value {
    let mut table = json!({ "blocks": census.blocks, "rows": census.rows, "bytes": census.bytes });
    for (name, ns) in [("from", census.from_ns), ("to", census.to_ns)] {
        if ns > 0 {
            table[name] = to_rfc3339(ns).into();
        }
    }
    table
}

fn text(answer: &Value) -> String {
    let count = |value: &Value, name: &str| value[name].as_u64().unwrap_or(0);
    let mut text = String::new();
    for (title, tables) in [("kind", &answer["tables"]), ("spans of", &answer["days"])] {
        for (name, table) in tables.as_object().into_iter().flatten() {
            let time = |name: &str| table[name].as_str().unwrap_or("-").to_owned();
            text.push_str(&format!(
                "{title} {name:<11} {:>5} blocks {:>10} rows {:>11}  {} to {}\n",
                count(table, "blocks"),
                count(table, "rows"),
                bytes(count(table, "bytes")),
                time("from"),
                time("to"),
            ));
        }
    }
    let unsealed = match answer.get("unsealed_rows") {
        Some(rows) => format!("{rows} span rows"),
        None => format!("{} records", answer["unsealed_records"]),
    };
    text.push_str(&format!(
        "log: {} segments, {}, {unsealed} not in a block yet\n",
        answer["log_segments"],
        bytes(count(answer, "log_bytes")),
    ));
    match count(answer, "pending_traces") {
        0 => text.push_str("pending: no deletion\n"),
        traces => text.push_str(&format!(
            "pending: {traces} deleted traces, hidden and in part still on disk (at most {} to rewrite), since {}\n",
            bytes(count(answer, "pending_bytes")),
            answer["pending_since"].as_str().unwrap_or("-"),
        )),
    }
    for damage in answer["damage"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("damaged: {damage}\n"));
    }
    text
}
