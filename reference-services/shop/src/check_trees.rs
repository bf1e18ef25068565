//! `tracepact-shop check-trees`: holds the stored traces of orders against the table of outcomes.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use crate::outcomes::{Kind, Outcome, SpanNode, check};

/// Most spans of a trace that is looked at; no outcome has nearly as many.
const SPANS_MAX: usize = 500;
/// Most differences listed.
const MISMATCHES_MAX: usize = 50;
/// Traces asked for at once.
const AT_ONCE: usize = 8;

/// `tracepact-shop check-trees`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  tracepact-shop check-trees --http-addr 127.0.0.1:9411 --orders orders.json --json"
)]
pub struct CheckTreesArgs {
    /// tracepact's HTTP address.
    #[arg(long, default_value = "127.0.0.1:9411", value_name = "HOST:PORT")]
    pub http_addr: String,
    /// The orders: what `load --json` wrote, or an array of {order_id, trace_id, outcome, cancel_trace_id}.
    #[arg(long, value_name = "FILE")]
    pub orders: PathBuf,
    /// File with a token that may read, where reading needs one.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// How long to look again at traces that do not fit yet: their last spans may still be on their way.
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    pub wait_ms: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct Order {
    order_id: Option<String>,
    trace_id: Option<String>,
    outcome: Option<Outcome>,
    #[serde(default)]
    cancel_trace_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OrdersFile {
    List(Vec<Order>),
    Run { orders: Vec<Order> },
}

/// A trace to look at.
#[derive(Debug, Clone)]
struct Task {
    order_id: String,
    trace_id: String,
    outcome: Outcome,
}

/// How many traces of an outcome there are, and how many of them are as prescribed.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Traces.
    pub traces: usize,
    /// Those that are exactly a tree of the table.
    pub prescribed: usize,
}

/// A trace that differs.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The order.
    pub order_id: String,
    /// The trace.
    pub trace_id: String,
    /// What became of the order.
    pub outcome: Outcome,
    /// How it differs.
    pub reason: String,
}

/// What is printed.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether every trace is as prescribed.
    pub ok: bool,
    /// Orders in the file.
    pub orders: usize,
    /// Orders without a known outcome or trace; they are not checked.
    pub unknown: usize,
    /// Orders of which every trace is as prescribed.
    pub orders_with_prescribed_tree: usize,
    /// By outcome.
    pub outcomes: BTreeMap<Outcome, Tally>,
    /// The first differences.
    pub mismatches: Vec<Difference>,
}

/// Fetches, compares, prints.
///
/// # Errors
/// When something cannot be read, or a trace differs.
pub async fn run(args: CheckTreesArgs) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.orders)
        .with_context(|| format!("cannot read {}", args.orders.display()))?;
    let orders = match serde_json::from_str(&text)
        .with_context(|| format!("{} is not a list of orders", args.orders.display()))?
    {
        OrdersFile::List(orders) | OrdersFile::Run { orders } => orders,
    };
    let token = match &args.token_file {
        Some(file) => {
            Some(std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?)
        }
        None => None,
    };
    let source = Source {
        http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?,
        base: format!("http://{}/tracepact/v1/traces", args.http_addr),
        token: token.map(|token| token.trim().to_owned()),
    };
    let report = compare(&source, &orders, Duration::from_millis(args.wait_ms)).await;
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        for (outcome, tally) in &report.outcomes {
            writeln!(out, "{outcome:?}: {} of {} traces as prescribed", tally.prescribed, tally.traces)?;
        }
        for difference in &report.mismatches {
            writeln!(
                out,
                "  {} {:?} {}: {}",
                difference.order_id, difference.outcome, difference.trace_id, difference.reason
            )?;
        }
    }
    if report.ok { Ok(()) } else { bail!("some traces are not as prescribed") }
}

async fn compare(source: &Source, orders: &[Order], wait: Duration) -> Report {
    let mut tasks = Vec::new();
    let mut unknown = 0;
    for order in orders {
        let (Some(id), Some(trace_id), Some(outcome)) = (&order.order_id, &order.trace_id, order.outcome)
        else {
            // Without an order there is a trace all the same when products made it fail.
            match (&order.trace_id, order.outcome) {
                (Some(trace_id), Some(outcome)) => {
                    tasks.push(Task { order_id: String::new(), trace_id: trace_id.clone(), outcome });
                }
                _ => unknown += 1,
            }
            continue;
        };
        tasks.push(Task { order_id: id.clone(), trace_id: trace_id.clone(), outcome });
        if let Some(cancel) = &order.cancel_trace_id {
            tasks.push(Task { order_id: id.clone(), trace_id: cancel.clone(), outcome: Outcome::Cancelled });
        }
    }
    let deadline = Instant::now() + wait;
    let results: Vec<(Task, Result<(), String>)> = futures::stream::iter(tasks)
        .map(|task| async move {
            let result = source.until_right(&task, deadline).await;
            (task, result)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;

    let mut outcomes: BTreeMap<Outcome, Tally> = BTreeMap::new();
    let mut mismatches = Vec::new();
    let mut wrong: HashMap<String, usize> = HashMap::new();
    let checked = orders.len() - unknown;
    for (task, result) in results {
        let tally = outcomes.entry(task.outcome).or_default();
        tally.traces += 1;
        match result {
            Ok(()) => tally.prescribed += 1,
            Err(reason) => {
                let order = if task.order_id.is_empty() { &task.trace_id } else { &task.order_id };
                *wrong.entry(order.clone()).or_default() += 1;
                if mismatches.len() < MISMATCHES_MAX {
                    let Task { order_id, trace_id, outcome } = task;
                    mismatches.push(Difference { order_id, trace_id, outcome, reason });
                }
            }
        }
    }
    Report {
        ok: wrong.is_empty(),
        orders: orders.len(),
        unknown,
        orders_with_prescribed_tree: checked - wrong.len(),
        outcomes,
        mismatches,
    }
}

struct Source {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Source {
    async fn until_right(&self, task: &Task, deadline: Instant) -> Result<(), String> {
        loop {
            let result = match self.fetch(&task.trace_id).await {
                Ok(spans) => check(&spans, task.outcome).map_err(|mismatch| mismatch.to_string()),
                Err(error) => Err(error),
            };
            if result.is_ok() || Instant::now() >= deadline {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn fetch(&self, trace_id: &str) -> Result<Vec<SpanNode>, String> {
        let mut request = self.http.get(format!("{}/{trace_id}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("tracepact answered {}", answer.status()));
        }
        let trace: StoredTrace = answer.json().await.map_err(|error| error.to_string())?;
        nodes(&trace)
    }
}

/// What is read of tracepact's answer.
#[derive(Debug, Deserialize)]
struct StoredTrace {
    spans: Vec<StoredSpan>,
    #[serde(default)]
    missing_parents: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct StoredSpan {
    span_id: String,
    parent_id: Option<String>,
    /// The parent in the tree, where it is not `parent_id`: another fragment of a shared span, or a linked producer.
    row_parent_id: Option<String>,
    service: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, Value>,
}

fn nodes(trace: &StoredTrace) -> Result<Vec<SpanNode>, String> {
    if let Some(missing) = trace.missing_parents.first() {
        return Err(format!("the parent {missing} is missing"));
    }
    if trace.spans.len() > SPANS_MAX {
        return Err(format!("the trace has {} spans", trace.spans.len()));
    }
    let places: HashMap<&str, usize> =
        trace.spans.iter().enumerate().map(|(at, span)| (span.span_id.as_str(), at)).collect();
    if places.len() != trace.spans.len() {
        return Err("two spans have one id".into());
    }
    trace
        .spans
        .iter()
        .map(|span| {
            let parent = match span.row_parent_id.as_ref().or(span.parent_id.as_ref()) {
                None => None,
                Some(id) => match places.get(id.as_str()) {
                    Some(at) => Some(*at),
                    None => return Err(format!("the parent {id} is missing")),
                },
            };
            let text = |key: &str| {
                span.tags.get(key).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
            };
            Ok(SpanNode {
                service: span.service.clone().unwrap_or_default(),
                name: span.name.clone().unwrap_or_default(),
                kind: Kind::parse(span.kind.as_deref()),
                parent,
                http_status: text("http.response.status_code").and_then(|status| status.parse().ok()),
                connect_failed: matches!(text("error.type").as_deref(), Some("connect" | "request")),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(json: Value) -> Result<Vec<SpanNode>, String> {
        nodes(&serde_json::from_value(json).unwrap())
    }

    #[test]
    fn a_trace_is_read_with_its_tree_parents() {
        let spans = stored(serde_json::json!({"spans": [
            {"span_id": "a", "service": "gateway", "name": "POST /orders", "kind": "SERVER",
             "tags": {"http.response.status_code": 201}},
            {"span_id": "b", "parent_id": "zz", "row_parent_id": "a", "service": "x", "name": "y", "kind": "consumer",
             "tags": {"error.type": "connect"}}]}))
        .unwrap();
        assert_eq!((spans[0].http_status, spans[0].kind, spans[0].parent), (Some(201), Kind::Server, None));
        assert_eq!(
            (spans[1].parent, spans[1].kind, spans[1].connect_failed),
            (Some(0), Kind::Consumer, true)
        );
    }

    #[test]
    fn a_connection_that_broke_is_an_attempt_that_nobody_answered_and_a_timeout_is_not() {
        for (error, unanswered) in [("connect", true), ("request", true), ("timeout", false), ("503", false)]
        {
            let spans = stored(serde_json::json!({"spans": [
                {"span_id": "a", "kind": "CLIENT", "tags": {"error.type": error}}]}))
            .unwrap();
            assert_eq!(spans[0].connect_failed, unanswered, "{error}");
        }
    }

    #[test]
    fn missing_parents_and_double_ids_are_told() {
        let missing = stored(serde_json::json!({"spans": [{"span_id": "a", "parent_id": "b"}]}));
        assert!(missing.unwrap_err().contains("missing"));
        let twice = stored(serde_json::json!({"spans": [{"span_id": "a"}, {"span_id": "a"}]}));
        assert!(twice.is_err());
        let listed = stored(serde_json::json!({"spans": [{"span_id": "a"}], "missing_parents": ["c"]}));
        assert!(listed.is_err());
    }
}
