//! Whether each order's stored trace is the tree its outcome prescribes, as `tracepact-shop check-trees` sees it.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::process::Command;

use super::load::Placed;
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
    let orders: Vec<Value> = placed
        .iter()
        .filter(|o| o.trace_id.is_some())
        .map(|o| json!({ "order_id": o.id, "trace_id": o.trace_id, "status": o.status }))
        .collect();
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
    Ok(Checked {
        orders: number("orders"),
        prescribed: number("prescribed"),
        outcomes: outcomes.into_iter().map(|(k, v)| (k, v.as_u64().unwrap_or(0))).collect(),
        mismatches: mismatches
            .iter()
            .map(|m| m.as_str().map_or_else(|| m.to_string(), str::to_owned))
            .collect(),
    })
}
