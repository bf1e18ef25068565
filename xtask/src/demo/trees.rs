//! Whether each order's stored trace is the tree its outcome prescribes, as `tracepact-shop check-trees` sees it.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::process::Command;

use super::load::Placed;
use super::scenes::messages::injected;
use super::world::World;

/// What the check found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) orders: u64,
    pub(crate) prescribed: u64,
    pub(crate) outcomes: BTreeMap<String, u64>,
    pub(crate) mismatches: Vec<String>,
}

/// Hands the orders to the shop's own check, which fetches their traces and compares them with its table.
pub(crate) async fn check(world: &World, placed: &[Placed]) -> anyhow::Result<Checked> {
    let struck = struck(world).await?;
    let mut orders = Vec::new();
    for order in placed.iter().filter(|o| o.trace_id.is_some()) {
        let outcome = match struck.get(&order.id) {
            Some(outcome) => Some(*outcome),
            None => outcome(world, order).await?,
        };
        orders.push(json!({ "order_id": order.id, "trace_id": order.trace_id, "outcome": outcome }));
    }
    let file = world.folder.join("orders.json");
    std::fs::write(&file, serde_json::to_string(&orders)?)?;
    let output = Command::new(&world.binaries.shop)
        .args([
            "check-trees",
            "--json",
            "--http-addr",
            world.api.base().trim_start_matches("http://"),
            "--orders",
        ])
        .arg(&file)
        .output()
        .await
        .context("tracepact-shop check-trees")?;
    let Ok(answer) = serde_json::from_slice::<Value>(&output.stdout) else {
        bail!("tracepact-shop check-trees: {}", String::from_utf8_lossy(&output.stderr));
    };
    let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
    let outcomes = answer.get("outcomes").and_then(Value::as_object).cloned().unwrap_or_default();
    let mismatches = answer.get("mismatches").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut mismatches: Vec<String> = mismatches.iter().map(Value::to_string).collect();
    let unknown = orders.iter().filter(|o| o.get("outcome").is_none_or(Value::is_null));
    mismatches.extend(unknown.map(|o| format!("an order of no known outcome: {o}")));
    Ok(Checked {
        orders: number("orders"),
        prescribed: number("orders_with_prescribed_tree"),
        outcomes: outcomes
            .into_iter()
            .map(|(k, v)| (k, v.get("traces").and_then(Value::as_u64).unwrap_or(0)))
            .collect(),
        mismatches,
    })
}

/// Orders that payments' fault switches struck so that something else became of them.
async fn struck(world: &World) -> anyhow::Result<BTreeMap<String, &'static str>> {
    let mut struck = BTreeMap::new();
    let outcomes =
        [("drop", "dropped_at_payments"), ("dead_letter", "dead_lettered"), ("duplicate", "duplicated")];
    for (kind, outcome) in outcomes {
        struck.extend(injected(world, kind).await?.into_iter().map(|order| (order, outcome)));
    }
    Ok(struck)
}

/// What the shop says became of an order, together with what its caller was answered.
async fn outcome(world: &World, order: &Placed) -> anyhow::Result<Option<&'static str>> {
    let paid_as = |paid_outcome: &'static str| async move {
        let answer = world.gateway.get(&format!("/orders/{}", order.id)).await?;
        let fallback = answer.get("served_by_fallback").and_then(Value::as_bool) == Some(true);
        Ok::<_, anyhow::Error>(match answer.get("state").and_then(Value::as_str) {
            Some("paid" | "delivering") if fallback => Some("served_by_fallback"),
            Some("paid" | "delivering") => Some(paid_outcome),
            Some("refused") => Some("refused"),
            _ => None,
        })
    };
    match order.status {
        Some(201) => paid_as("paid_at_once").await,
        Some(202) => paid_as("paid_later").await,
        Some(402) => Ok(Some("refused")),
        Some(409 | 422) => Ok(Some("rejected")),
        Some(502) => Ok(Some("failed")),
        Some(503) => Ok(Some("turned_away")),
        _ => Ok(None),
    }
}
