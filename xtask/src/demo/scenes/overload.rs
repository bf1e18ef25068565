//! Payments at its limit: orders are accepted with 202, the queue rises, drains, and nothing is lost.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tracepact_tests::{until, until_ok};

use crate::demo::screen::{Observed, step};
use crate::demo::world::World;

const GROUP: &str = "payments";
/// Lag that counts as a rise.
const RISE_MESSAGES: u64 = 30;

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    let mark = world.load.mark();
    let rebalances = rebalances(world).await?;
    let lost = verdicts(world, "lost").await?;
    world
        .faults("payments")?
        .change("PUT", "/faults", &json!({ "kind": "latency", "ms": 2_000, "topic": "order-placed" }))
        .await?;
    world.load.set_rate(world.choices.rate_per_s * 3);
    step("payments takes two seconds an order, and three times as many orders come");
    let peak = until_ok(Duration::from_secs(40), "the lag of payments to rise", async || {
        let lag = lag_messages(world).await?;
        Ok((lag >= RISE_MESSAGES).then_some(lag))
    })
    .await?;
    until(Duration::from_secs(20), "orders to be accepted with 202", async || {
        Ok(world.load.since(mark).iter().any(|o| o.status == Some(202)).then_some(()))
    })
    .await?;
    step(&format!("the queue of payments is {peak} messages long; orders are answered 202"));
    world.faults("payments")?.send("DELETE", "/faults", None).await?;
    world.load.set_rate(world.choices.rate_per_s);
    until_ok(Duration::from_secs(60), "the queue of payments to drain", async || {
        Ok((lag_messages(world).await? < RISE_MESSAGES / 3).then_some(()))
    })
    .await?;
    let accepted = world.load.since(mark).iter().filter(|o| o.status == Some(202)).count();
    let again = self::rebalances(world).await?;
    ensure!(again == rebalances, "the group rebalanced {} times", again - rebalances);
    let lost_after = verdicts(world, "lost").await?;
    ensure!(
        lost_after == lost,
        "{} messages were called lost while they were only queued",
        lost_after - lost
    );
    Ok(Observed {
        text: format!(
            "{accepted} orders were accepted with 202; the lag rose to {peak} messages and drained; no rebalance, nothing lost"
        ),
        page: "/messages".into(),
        proof: "/tracepact/v1/lag".into(),
    })
}

async fn lag_messages(world: &World) -> anyhow::Result<u64> {
    let lag = world.api.get("/tracepact/v1/lag").await?;
    let groups = lag.get("groups").and_then(Value::as_array).context("no groups")?;
    let group = groups.iter().find(|g| g.get("group").and_then(Value::as_str) == Some(GROUP));
    let topics =
        group.and_then(|g| g.get("topics")?.as_array().cloned()).context("payments has no lag yet")?;
    Ok(topics.iter().filter_map(|t| t.get("lag_messages")?.as_u64()).sum())
}

async fn rebalances(world: &World) -> anyhow::Result<u64> {
    let lag = world.api.get("/tracepact/v1/lag").await?;
    let groups = lag.get("groups").and_then(Value::as_array).context("no groups")?;
    let group = groups.iter().find(|g| g.get("group").and_then(Value::as_str) == Some(GROUP));
    group
        .and_then(|g| g.get("rebalances")?.as_u64())
        .context("the number of rebalances of payments is unknown")
}

/// Number of messages with this verdict, over all flows.
pub(super) async fn verdicts(world: &World, verdict: &str) -> anyhow::Result<u64> {
    let messages = world.api.get("/tracepact/v1/messages").await?;
    let flows = messages.get("flows").and_then(Value::as_array).context("no flows")?;
    Ok(flows.iter().filter_map(|f| f.pointer(&format!("/counts/{verdict}"))?.as_u64()).sum())
}
