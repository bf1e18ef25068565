//! `tracepact store delete`.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use crate::commands::operator::{Failed, ServerArgs, finish, show};

/// Delete traces from a running server, by id or by a search.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact store delete --trace-id 463ac35c9f6413ad48485a3953bb6124 --token-file tracepact-data/admin-token
  tracepact store delete --service orders --tag customer.id=4711 --start 2026-11-14T00:00:00Z --limit 1000 --dry-run \\
      --token-file tracepact-data/admin-token

The traces are hidden from every answer at once, durably. Their rows leave the disk with the next sealing and compaction;
`tracepact store stats` shows what is pending. Snapshots made before still hold them.

Exit codes: 0 deleted, 1 nothing was found, or refused, or more may match, 2 wrong usage, 3 the server cannot be reached.")]
pub(crate) struct Delete {
    #[command(flatten)]
    server: ServerArgs,
    /// This trace.
    #[arg(long, value_name = "ID", conflicts_with_all = ["service", "name", "tag", "errors", "start", "end"])]
    trace_id: Option<String>,
    /// Traces with this service.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// Traces with an operation of this name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Traces with a span that carries this (repeatable).
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// Traces with a span that failed.
    #[arg(long)]
    errors: bool,
    /// Traces that began at or after (RFC 3339) [default: an hour before --end].
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Traces that began at or before (RFC 3339) [default: now].
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// Most traces to delete.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    limit: u32,
    /// Only say which traces would go.
    #[arg(long)]
    dry_run: bool,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Delete {
    pub(super) async fn run(self) -> ExitCode {
        finish(self.delete().await)
    }

    async fn delete(&self) -> Result<u8, Failed> {
        let dry_run = if self.dry_run { "dry_run=true" } else { "" };
        let answer = match &self.trace_id {
            Some(id) => {
                self.server.ask(Method::DELETE, &format!("/tracepact/v1/traces/{id}?{dry_run}")).await?
            }
            None => {
                self.server
                    .ask(Method::POST, &format!("/tracepact/v1/traces/delete?{}", self.question()?))
                    .await?
            }
        };
        let traces: Vec<&str> =
            answer["traces"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let done = if self.dry_run { "would be deleted" } else { "deleted" };
        let mut text: String = traces.iter().map(|id| format!("{id}\n")).collect();
        text.push_str(&format!("{} traces {done}\n", traces.len()));
        if let Some(cut) = answer["cut"].as_str() {
            text.push_str(&format!("not all: {cut}\n"));
        }
        show(self.json, &answer, &text)?;
        Ok(u8::from(traces.is_empty() || answer["complete"] != true))
    }

    /// The parameters of the search.
    fn question(&self) -> Result<String, Failed> {
        let mut question = reqwest::Url::parse("http://localhost/")
            .map_err(|error| Failed::Usage(format!("the question cannot be written: {error}")))?;
        {
            let mut pairs = question.query_pairs_mut();
            let single = [
                ("service", &self.service),
                ("name", &self.name),
                ("start", &self.start),
                ("end", &self.end),
            ];
            for (name, value) in single {
                if let Some(value) = value {
                    pairs.append_pair(name, value);
                }
            }
            self.tag.iter().for_each(|tag| {
                pairs.append_pair("tag", tag);
            });
            if self.errors {
                pairs.append_pair("errors", "true");
            }
            if self.dry_run {
                pairs.append_pair("dry_run", "true");
            }
            pairs.append_pair("limit", &self.limit.to_string());
        }
        Ok(question.query().unwrap_or_default().to_owned())
    }
}
