//! Fills the report from the public APIs once the story is over.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tracepact_tests::until_ok;

use super::load::{Load, Placed};
use super::report::{Breaker, Gate, Lag, Messages, Report, Transition};
use super::scenes::messages::{injected, reported};
use super::trees;
use super::world::World;

/// Most mismatches that the report quotes.
const MISMATCHES_MAX: usize = 10;

/// Stops the traffic, waits for everything to settle, and asks.
pub(crate) async fn fill(world: &mut World, report: &mut Report, begun_ms: u64) -> anyhow::Result<()> {
    let idle = Load::start(world.gateway.clone(), 0, 0);
    let placed = std::mem::replace(&mut world.load, idle).finish().await;
    addresses(world, report)?;
    settle(world).await?;
    traces(world, report, &placed, begun_ms).await?;
    report.outage.without_gate = world.facts.outage_without_gate;
    report.outage.with_gate = world.facts.outage_with_gate;
    report.kill = std::mem::take(&mut world.facts.kill);
    breakers(world, report).await?;
    lag(world, report, begun_ms).await?;
    messages(world, report).await?;
    gate(world, report).await?;
    check(world, report)
}

fn addresses(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let tracepact = world.processes.get("tracepact")?;
    for key in ["http", "otlp_grpc", "otlp_http", "broker"] {
        report.addresses.insert(key, tracepact.address(key)?);
    }
    report.addresses.insert("kafka", world.kafka.clone());
    Ok(())
}

/// Until no consumer has anything left to read.
async fn settle(world: &World) -> anyhow::Result<()> {
    until_ok(Duration::from_secs(60), "every consumer group to have read everything", async || {
        let lag = world.api.get("/tracepact/v1/lag").await?;
        let left: u64 = topics(&lag).iter().filter_map(|(_, t)| t.get("lag_messages")?.as_u64()).sum();
        ensure!(left == 0, "{left} messages are left");
        Ok(Some(()))
    })
    .await
}

/// (group, topic) pairs of a lag answer.
fn topics(lag: &Value) -> Vec<(Value, Value)> {
    let groups = lag.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
    groups
        .into_iter()
        .flat_map(|g| {
            let topics = g.get("topics").and_then(Value::as_array).cloned().unwrap_or_default();
            topics.into_iter().map(move |t| (g.clone(), t))
        })
        .collect()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn traces(world: &World, report: &mut Report, placed: &[Placed], begun_ms: u64) -> anyhow::Result<()> {
    let counts = world.spans_ended().await?;
    let ended = counts.ended;
    let stored = until_ok(Duration::from_secs(30), "every ended span to be stored", async || {
        let stored = world.spans_stored(begun_ms, super::now_ms()).await?;
        ensure!(
            stored >= ended,
            "{ended} spans ended, {stored} are stored, {} were given up",
            counts.given_up
        );
        Ok(Some(stored))
    })
    .await;
    report.traces.spans_ended = ended;
    report.traces.spans_stored = match stored {
        Ok(stored) => stored,
        Err(_) => world.spans_stored(begun_ms, super::now_ms()).await?,
    };
    let checked = trees::check(world, placed).await?;
    report.traces.orders_placed = checked.orders;
    report.traces.orders_with_prescribed_tree = checked.prescribed;
    report.traces.outcomes = checked.outcomes;
    report.traces.mismatches = checked.mismatches.into_iter().take(MISMATCHES_MAX).collect();
    Ok(())
}

async fn breakers(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let answer = world.api.get("/tracepact/v1/breakers").await?;
    for breaker in answer.get("breakers").and_then(Value::as_array).context("no breakers")? {
        let transitions = breaker.get("transitions").and_then(Value::as_array).cloned().unwrap_or_default();
        report.breakers.push(Breaker {
            service: text(breaker, "service"),
            name: text(breaker, "name"),
            transitions: transitions
                .iter()
                .map(|t| Transition {
                    at: text(t, "at"),
                    from: text(t, "from"),
                    to: text(t, "to"),
                    cause: text(t, "cause"),
                })
                .collect(),
        });
    }
    Ok(())
}

/// The highest value of a lag series for each (group, topic): at each instant the sum over partitions, or their maximum.
async fn lag(world: &World, report: &mut Report, begun_ms: u64) -> anyhow::Result<()> {
    let messages = peaks(world, "tracepact_consumer_lag_messages", begun_ms, |a, b| a + b).await?;
    let seconds = peaks(world, "tracepact_consumer_lag_seconds", begun_ms, f64::max).await?;
    let now = world.api.get("/tracepact/v1/lag").await?;
    for (group, topic) in topics(&now) {
        let key = (text(&group, "group"), text(&topic, "topic"));
        report.lag.push(Lag {
            max_messages: messages.get(&key).copied().unwrap_or(0.0) as u64,
            max_seconds: seconds.get(&key).copied().unwrap_or(0.0),
            final_messages: topic.get("lag_messages").and_then(Value::as_u64).unwrap_or(0),
            rebalances: group.get("rebalances").and_then(Value::as_u64).unwrap_or(0),
            group: key.0,
            topic: key.1,
        });
    }
    Ok(())
}

async fn peaks(
    world: &World,
    name: &str,
    begun_ms: u64,
    join: fn(f64, f64) -> f64,
) -> anyhow::Result<BTreeMap<(String, String), f64>> {
    let answer =
        world.api.get(&format!("/tracepact/v1/series?name={name}&start={}", rfc3339(begun_ms)?)).await?;
    let mut at: BTreeMap<(String, String, u64), f64> = BTreeMap::new();
    for series in answer.get("series").and_then(Value::as_array).context("no series")? {
        let label = |key: &str| text(series.get("labels").unwrap_or(&Value::Null), key);
        for point in series.get("points").and_then(Value::as_array).into_iter().flatten() {
            let (Some(ms), Some(value)) =
                (point.get(0).and_then(Value::as_u64), point.get(1).and_then(Value::as_f64))
            else {
                continue;
            };
            let sum = at.entry((label("group"), label("topic"), ms)).or_default();
            *sum = join(*sum, value);
        }
    }
    let mut peaks: BTreeMap<(String, String), f64> = BTreeMap::new();
    for ((group, topic, _), value) in at {
        let peak = peaks.entry((group, topic)).or_default();
        *peak = peak.max(value);
    }
    Ok(peaks)
}

async fn messages(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let list = |set: std::collections::BTreeSet<String>| set.into_iter().collect::<Vec<_>>();
    report.messages = Messages {
        dropped: list(injected(world, "drop").await?),
        delayed: list(injected(world, "delay").await?),
        dead_lettered: list(injected(world, "dead_letter").await?),
        duplicated: list(injected(world, "duplicate").await?),
        reported_lost: list(reported(world, "lost").await?),
        reported_late: list(reported(world, "late").await?),
        reported_dead_lettered: list(reported(world, "dead_lettered").await?),
        reported_duplicated: list(reported(world, "duplicated").await?),
        verdicts_in_fault_free_phase: world.facts.verdicts_in_fault_free_phase,
    };
    Ok(())
}

async fn gate(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let answer = world.api.get("/tracepact/v1/contracts/decisions?limit=100").await?;
    for decision in answer.get("decisions").and_then(Value::as_array).context("no decisions")? {
        let trace = decision.get("trace").filter(|t| !t.is_null());
        report.gate.push(Gate {
            pacticipant: text(decision, "pacticipant"),
            version: text(decision, "version"),
            environment: text(decision, "environment"),
            deployable: decision.get("deployable").and_then(Value::as_bool),
            reason: text(decision, "reason"),
            trace: trace.map(|t| t.get("href").unwrap_or(t)).and_then(Value::as_str).map(str::to_owned),
        });
    }
    Ok(())
}

/// What must hold whatever scenes were played.
fn check(world: &World, report: &Report) -> anyhow::Result<()> {
    let traces = &report.traces;
    ensure!(
        traces.spans_stored == traces.spans_ended,
        "{} spans ended in the services, {} are stored",
        traces.spans_ended,
        traces.spans_stored
    );
    ensure!(
        traces.orders_with_prescribed_tree == traces.orders_placed,
        "{} of {} orders have the tree their outcome prescribes; the first others: {}",
        traces.orders_with_prescribed_tree,
        traces.orders_placed,
        traces.mismatches.join("; ")
    );
    let given_up = world.facts.spans_given_up_before;
    ensure!(given_up == 0, "{given_up} spans were given up by exporters");
    Ok(())
}

/// The end of the story in a few lines.
pub(crate) fn print(report: &Report) {
    println!();
    for scene in &report.scenes {
        println!("{} {}: {}", if scene.ok { "ok    " } else { "FAILED" }, scene.name, scene.observed);
    }
    let traces = &report.traces;
    println!(
        "{} orders, {} with the prescribed tree; {} spans ended, {} stored",
        traces.orders_placed, traces.orders_with_prescribed_tree, traces.spans_ended, traces.spans_stored
    );
}

/// Milliseconds since 1970 as the native API takes instants.
fn rfc3339(ms: u64) -> anyhow::Result<String> {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)?;
    Ok(at.format(&time::format_description::well_known::Rfc3339)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        assert_eq!(rfc3339(0).unwrap(), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_790_000_000_000).unwrap(), "2026-09-21T14:13:20Z");
    }
}
