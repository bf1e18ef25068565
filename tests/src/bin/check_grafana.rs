//! Asks a real Prometheus every question of the Grafana dashboards and alert rules, while it scrapes a running
//! tracepact: `check_grafana --target 127.0.0.1:9411`. A panel without an answer fails; an alert rule may be silent.

#![allow(clippy::print_stdout, reason = "a test program talks on standard output")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tracepact_tests::prometheus::Prometheus;
use tracepact_tests::{Api, until_ok};

/// Prometheus needs some scrapes before a rate has an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(45);

#[tokio::main]
async fn main() -> ExitCode {
    match check().await {
        Ok((passed, failed)) => {
            println!("{passed} passed, {failed} failed");
            ExitCode::from(u8::from(failed > 0))
        }
        Err(error) => {
            eprintln!("check_grafana: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn check() -> anyhow::Result<(usize, usize)> {
    let mut args = std::env::args().skip(1);
    let (Some("--target"), Some(target)) = (args.next().as_deref(), args.next()) else {
        bail!("usage: check_grafana --target HOST:PORT");
    };
    let grafana = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grafana");
    let rules = grafana.join("alerts.yml");
    let prometheus = Prometheus::start(&target, &rules).await?;
    let (mut passed, mut failed) = (0, 0);
    for (panel, expr) in dashboards(&grafana.join("dashboards"))? {
        match until_ok(ANSWER_TIMEOUT, "an answer", async || answers(&prometheus.api, &expr).await).await {
            Ok(()) => passed += 1,
            Err(error) => {
                println!("no answer: {panel}: {expr}: {error:#}");
                failed += 1;
            }
        }
    }
    ensure!(passed + failed > 0, "no dashboard has a query");
    let loaded = until_ok(ANSWER_TIMEOUT, "the alert rules to be evaluated", async || {
        healthy_rules(&prometheus.api).await
    });
    passed += loaded.await?;
    Ok((passed, failed))
}

/// Every query of every panel, with the variables that Grafana would fill in.
fn dashboards(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut queries = Vec::new();
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<std::io::Result<_>>()?;
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "json")) {
        let dashboard: Value =
            serde_json::from_str(&std::fs::read_to_string(file)?).context(file.display().to_string())?;
        collect(&dashboard, &mut queries);
    }
    Ok(queries)
}

fn collect(value: &Value, queries: &mut Vec<(String, String)>) {
    for panel in value.get("panels").and_then(Value::as_array).into_iter().flatten() {
        let title = panel.get("title").and_then(Value::as_str).unwrap_or("untitled");
        for target in panel.get("targets").and_then(Value::as_array).into_iter().flatten() {
            if let Some(expr) = target.get("expr").and_then(Value::as_str) {
                queries.push((title.to_owned(), fill(expr)));
            }
        }
        collect(panel, queries);
    }
}

fn fill(expr: &str) -> String {
    let mut text =
        expr.replace("$__rate_interval", "1m").replace("$__range", "5m").replace("$__interval", "15s");
    // A template variable with "all" selected is the pattern that matches everything.
    while let Some(at) = text.find('$') {
        let end =
            text[at + 1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '{' || c == '}'));
        let end = end.map_or(text.len(), |n| at + 1 + n);
        text.replace_range(at..end, ".*");
    }
    text
}

async fn answers(prometheus: &Api, expr: &str) -> anyhow::Result<Option<()>> {
    let encoded: String = expr.bytes().map(|b| format!("%{b:02X}")).collect();
    let answer = prometheus.get(&format!("/api/v1/query?query={encoded}")).await?;
    let result = answer.pointer("/data/result").and_then(Value::as_array).context("no result")?;
    ensure!(!result.is_empty(), "the answer is empty");
    Ok(Some(()))
}

async fn healthy_rules(prometheus: &Api) -> anyhow::Result<Option<usize>> {
    let answer = prometheus.get("/api/v1/rules").await?;
    let groups = answer.pointer("/data/groups").and_then(Value::as_array).context("no rule groups")?;
    let rules: Vec<&Value> = groups.iter().filter_map(|g| g.get("rules")?.as_array()).flatten().collect();
    ensure!(!rules.is_empty(), "no alert rules are loaded");
    let sick: Vec<&&Value> =
        rules.iter().filter(|r| r.get("health").and_then(Value::as_str) != Some("ok")).collect();
    ensure!(sick.is_empty(), "rules that are not ok: {sick:?}");
    Ok(Some(rules.len()))
}
