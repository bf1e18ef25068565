//! What there is to see after the story, for whoever looks at the pages next.

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::process::Command;

use super::scenes::messages::reported;
use super::world::{ENVIRONMENT, World};

/// Runs `command` with the dashboard's address and a facts file in its environment.
pub(crate) async fn run_then(world: &World, command: &str) -> anyhow::Result<()> {
    let file = world.folder.join("facts.json");
    std::fs::write(&file, serde_json::to_string_pretty(&facts(world).await?)?)?;
    println!("\n+ {command}");
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(crate::workspace::root())
        .env("TRACEPACT_URL", world.api.base())
        .env("TRACEPACT_HTTP_ADDR", world.api.base().trim_start_matches("http://"))
        .env("TRACEPACT_FACTS", &file)
        .status()
        .await
        .context("sh")?;
    if status.success() { Ok(()) } else { bail!("`{command}` ended with {status}") }
}

async fn facts(world: &World) -> anyhow::Result<Value> {
    let breakers = world.api.get("/tracepact/v1/breakers").await?;
    let opened = breakers
        .get("breakers")
        .and_then(Value::as_array)
        .and_then(|all| {
            all.iter().find(|b| b.get("transitions").and_then(Value::as_array).is_some_and(|t| !t.is_empty()))
        })
        .cloned();
    let decisions = world.api.get("/tracepact/v1/contracts/decisions?limit=50").await?;
    let refused = decisions
        .get("decisions")
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find(|d| d.get("deployable").and_then(Value::as_bool) == Some(false)))
        .cloned();
    Ok(json!({
        "url": world.api.base(),
        "order_trace_id": world.facts.order_trace_id,
        "breaker": opened.map(|b| json!({ "service": b.get("service"), "name": b.get("name") })),
        "consumer_group": "payments",
        "lost_orders": reported(world, "lost").await?,
        "late_orders": reported(world, "late").await?,
        "refused": refused.map(|d| json!({
            "pacticipant": d.get("pacticipant"), "version": d.get("version"), "environment": ENVIRONMENT,
        })),
    }))
}
