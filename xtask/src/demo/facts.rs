//! What there is to see after the story, for whoever looks at the pages next: things are broken again, a file says what
//! is true (`dashboard/ui/e2e/README.md`), the command runs, and everything is mended.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::process::Command;
use tracepact_tests::until_ok;

use super::screen::step;
use super::world::{ENVIRONMENT, World};

const GROUP: &str = "payments";
const TOPIC: &str = "order-placed";

/// Runs `command` with the dashboard's address and a facts file in its environment, while a breaker is open and a group
/// is behind.
pub(crate) async fn run_then(world: &mut World, command: &str) -> anyhow::Result<()> {
    let before = world.products.version.clone();
    step("products v2 without the gate, and payments stops consuming: for whoever looks at the pages");
    world.roll_out_products("v2").await?;
    world.faults(GROUP)?.change("PUT", "/faults", &json!({ "kind": "stop_consuming" })).await?;
    let looked = look(world, command).await;
    world.faults(GROUP)?.send("DELETE", "/faults", None).await?;
    world.roll_out_products(&before).await?;
    until_ok(Duration::from_secs(60), "the queue of payments to drain", async || {
        Ok((lag_messages(world).await? < 10).then_some(()))
    })
    .await?;
    looked
}

async fn look(world: &World, command: &str) -> anyhow::Result<()> {
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
    let patience = Duration::from_secs(60);
    let breaker = until_ok(patience, "a breaker of orders to be open", async || {
        let answer = world.api.get("/tracepact/v1/breakers").await?;
        Ok(find(&answer, "breakers", |b| text(b, "service") == "orders" && text(b, "state") == "open"))
    })
    .await?;
    until_ok(patience, "payments to be behind", async || Ok((lag_messages(world).await? > 0).then_some(())))
        .await?;
    let trace_id = world.facts.order_trace_id.clone().context("no order's trace is known")?;
    let trace = world.api.get(&format!("/tracepact/v1/traces/{trace_id}")).await?;
    let spans = trace.get("spans").and_then(Value::as_array).cloned().unwrap_or_default();
    let order = spans
        .iter()
        .find_map(|s| s.pointer("/tags/shop.order_id")?.as_str())
        .context("no span of the order carries shop.order_id")?;
    let lost = world.api.get("/tracepact/v1/messages?verdict=lost&limit=500").await?;
    let lost = find(&lost, "messages", |m| !text(m, "trace_id").is_empty()).context("no order was lost")?;
    let decisions = world.api.get("/tracepact/v1/contracts/decisions?limit=50").await?;
    let refused =
        find(&decisions, "decisions", |d| d.get("deployable").and_then(Value::as_bool) == Some(false))
            .context("the gate refused nothing")?;
    Ok(json!({
        "order": {
            "trace_id": trace_id,
            "search": format!("service=orders&tag=shop.order_id%3D{order}"),
            "consumers": consumers(world).await?,
        },
        "breaker": { "service": text(&breaker, "service"), "name": text(&breaker, "name") },
        "lag": { "group": GROUP, "topic": TOPIC },
        "lost": { "key": text(&lost, "key"), "trace_id": text(&lost, "trace_id") },
        "refused": {
            "pacticipant": text(&refused, "pacticipant"),
            "version": text(&refused, "version"),
            "environment": ENVIRONMENT,
        },
    }))
}

/// The Kafka consumers of an order that was paid at once and the levels they stand at, the root at 1: from the table of
/// outcomes that the shop was written by, never from a stored trace.
async fn consumers(world: &World) -> anyhow::Result<Vec<Value>> {
    let output = Command::new(&world.binaries.shop).args(["outcomes", "--json"]).output().await?;
    let table: Value = serde_json::from_slice(&output.stdout).context("tracepact-shop outcomes")?;
    let root = table.pointer("/paid_at_once/0/root").context("no tree of an order that is paid at once")?;
    let mut found = Vec::new();
    collect(root, 1, &mut found);
    Ok(found)
}

fn collect(span: &Value, level: usize, found: &mut Vec<Value>) {
    if text(span, "kind") == "consumer" {
        found.push(json!({ "service": text(span, "service"), "level": level }));
    }
    for child in span.get("children").and_then(Value::as_array).into_iter().flatten() {
        collect(child, level + 1, found);
    }
}

fn find(answer: &Value, list: &str, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    answer.get(list)?.as_array()?.iter().find(|one| wanted(one)).cloned()
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

async fn lag_messages(world: &World) -> anyhow::Result<u64> {
    let lag = world.api.get("/tracepact/v1/lag").await?;
    let group = find(&lag, "groups", |g| text(g, "group") == GROUP).context("payments has no lag yet")?;
    let topic = find(&group, "topics", |t| text(t, "topic") == TOPIC).context("no lag on the topic yet")?;
    topic.get("lag_messages").and_then(Value::as_u64).context("the lag is unknown")
}
