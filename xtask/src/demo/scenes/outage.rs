//! A one-sided change takes the consumer down: what the gate is for, without the gate.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tracepact_tests::{until, until_ok};

use crate::demo::load::Placed;
use crate::demo::report::Outage;
use crate::demo::screen::{Observed, step};
use crate::demo::world::World;

/// The breaker of orders on its calls to products.
pub(crate) const BREAKER_OWNER: &str = "orders";

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    let mark = world.load.mark();
    step("products v2 serves only /item/{id}; it is rolled out with the gate switched OFF");
    world.roll_out_products("v2").await?;
    world.record_deployment("products", "v2").await?;

    let failed = until(Duration::from_secs(20), "orders to fail", async || {
        Ok(world.load.since(mark).into_iter().find(|o| !o.served() && o.trace_id.is_some()))
    })
    .await?;
    let trace_id = failed.trace_id.context("a trace id")?;
    step(&format!("orders fail; trace {trace_id} shows why"));
    until_ok(Duration::from_secs(20), "the failing trace to show the 404 of products", async || {
        let trace = world.api.get(&format!("/tracepact/v1/traces/{trace_id}")).await?;
        let spans = trace.get("spans").and_then(Value::as_array).cloned().unwrap_or_default();
        let shows = spans.iter().any(|s| {
            s.get("service").and_then(Value::as_str) == Some("products")
                && s.pointer("/tags/http.response.status_code").map(|v| v.to_string().contains("404"))
                    == Some(true)
        });
        Ok(shows.then_some(()))
    })
    .await?;

    until_ok(Duration::from_secs(40), "the breaker of orders to open", async || {
        Ok(has_transition(&world.api.get("/tracepact/v1/breakers").await?, "open").then_some(()))
    })
    .await?;
    step("the breaker opened; orders are served by fallback");
    let after_open = world.load.mark();
    until(Duration::from_secs(20), "orders to be served by fallback", async || {
        let orders = world.load.since(after_open);
        Ok((orders.iter().filter(|o| o.served()).count() >= 5).then_some(()))
    })
    .await?;

    step("rollback to v1");
    world.roll_out_products("v1").await?;
    world.record_deployment("products", "v1").await?;
    until_ok(Duration::from_secs(40), "the breaker of orders to close", async || {
        let breakers = world.api.get("/tracepact/v1/breakers").await?;
        Ok(all_closed(&breakers).then_some(()))
    })
    .await?;

    let outage = felt(&world.load.since(mark));
    ensure!(outage.failed_orders > 0, "no order failed");
    world.facts.outage_without_gate = outage;
    Ok(Observed {
        text: format!(
            "{} orders failed over {:.1} s; the breaker opened, fallback served, and it closed after the rollback",
            outage.failed_orders, outage.seconds
        ),
        page: "/breakers".into(),
        proof: "/tracepact/v1/breakers".into(),
    })
}

/// What callers felt: how many orders failed, and the time from the first to the last of them.
pub(super) fn felt(orders: &[Placed]) -> Outage {
    let failed: Vec<&Placed> = orders.iter().filter(|o| !o.served()).collect();
    let seconds = match (failed.first(), failed.last()) {
        (Some(first), Some(last)) => last.at.duration_since(first.at).as_secs_f64(),
        _ => 0.0,
    };
    Outage { failed_orders: failed.len() as u64, seconds }
}

fn of_orders(breakers: &Value) -> Vec<Value> {
    let all = breakers.get("breakers").and_then(Value::as_array).cloned().unwrap_or_default();
    all.into_iter()
        .filter(|b| {
            b.get("service").and_then(Value::as_str) == Some(BREAKER_OWNER)
                && b.get("callee").and_then(Value::as_str).is_none_or(|c| c == "products")
        })
        .collect()
}

fn has_transition(breakers: &Value, to: &str) -> bool {
    of_orders(breakers).iter().any(|b| {
        let transitions = b.get("transitions").and_then(Value::as_array).cloned().unwrap_or_default();
        transitions.iter().any(|t| t.get("to").and_then(Value::as_str) == Some(to))
    })
}

fn all_closed(breakers: &Value) -> bool {
    let own = of_orders(breakers);
    !own.is_empty() && own.iter().all(|b| b.get("state").and_then(Value::as_str) == Some("closed"))
}
