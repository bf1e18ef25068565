//! The outage again, with the gate on: it does not happen.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::demo::scenes::outage::felt;
use crate::demo::screen::{Observed, step};
use crate::demo::world::{ENVIRONMENT, World};

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    let mark = world.load.mark();
    let before = world.processes.get("products")?.pid();
    let candidate = world.start_candidate("v2").await?;
    let verified = world.verify_products("v2", &candidate).await?;
    world.stop_candidate("v2").await?;
    ensure!(verified.code == 1, "the verification of v2 ended with {}: {}", verified.code, verified.said);
    step("the verifier ran against the live v2: it breaks the contract");

    let gated = world.deploy_behind_gate("v2").await?;
    ensure!(gated.code == 1, "the gate ended with {} and not with 1: {}", gated.code, gated.said);
    ensure!(
        world.processes.get("products")?.pid() == before && world.products.version == "v1",
        "the running products was replaced"
    );
    let interaction = broken_interaction(&gated.answer).context("the refusal names no interaction")?;
    step(&format!("the gate refused v2 because of {interaction:?}; v1 runs on"));

    let decisions = world.api.get("/tracepact/v1/contracts/decisions?limit=20").await?;
    let refused = decisions.get("decisions").and_then(Value::as_array).is_some_and(|all| {
        all.iter().any(|d| {
            d.get("version").and_then(Value::as_str) == Some("v2")
                && d.get("deployable").and_then(Value::as_bool) == Some(false)
        })
    });
    ensure!(refused, "the refusal is not among the gate's decisions: {decisions}");
    if world.facts.outage_without_gate.failed_orders > 0 {
        let trace = gated.answer.get("trace").filter(|t| !t.is_null());
        ensure!(trace.is_some(), "the refusal does not link the trace of the outage: {}", gated.answer);
    }
    let outage = felt(&world.load.since(mark));
    ensure!(outage.failed_orders == 0, "{} orders failed although the gate was on", outage.failed_orders);
    world.facts.outage_with_gate = outage;
    Ok(Observed {
        text: format!(
            "v2 was refused ({interaction}); the running process was not replaced and no order failed"
        ),
        page: "/contracts".into(),
        proof: format!(
            "/tracepact/v1/contracts/can-i-deploy?pacticipant=products&version=v2&environment={ENVIRONMENT}"
        ),
    })
}

/// The interaction that a refusal names.
pub(super) fn broken_interaction(verdict: &Value) -> Option<String> {
    let rows = verdict.get("rows")?.as_array()?;
    let mismatches = rows.iter().filter_map(|r| r.get("mismatches")?.as_array()).flatten();
    mismatches.filter_map(|m| m.get("interaction")?.as_str()).next().map(str::to_owned)
}
