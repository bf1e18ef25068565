//! A compatible version goes out under load; one that breaks a message contract does not.

use anyhow::{Context, ensure};

use crate::demo::scenes::gate::broken_interaction;
use crate::demo::scenes::outage::felt;
use crate::demo::screen::{Observed, step};
use crate::demo::world::{ENVIRONMENT, World};

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    let mark = world.load.mark();
    let candidate = world.start_candidate("v3").await?;
    let verified = world.verify_products("v3", &candidate).await?;
    world.stop_candidate("v3").await?;
    verified.succeeded("verification of products v3")?;
    let gated = world.deploy_behind_gate("v3").await?.succeeded("the gate for v3")?;
    ensure!(world.products.version == "v3", "v3 is not running: {}", gated.said);
    world.orders_answered(20).await?;
    let outage = felt(&world.load.since(mark));
    ensure!(outage.failed_orders == 0, "{} orders failed during the rollout of v3", outage.failed_orders);
    step("v3 serves both paths: verified, let through, rolled out under load without a failed order");

    let candidate = world.start_candidate("v4").await?;
    let verified = world.verify_products("v4", &candidate).await?;
    world.stop_candidate("v4").await?;
    ensure!(verified.code == 1, "the verification of v4 ended with {}: {}", verified.code, verified.said);
    let gated = world.deploy_behind_gate("v4").await?;
    ensure!(gated.code == 1, "the gate ended with {} for v4: {}", gated.code, gated.said);
    ensure!(world.products.version == "v3", "v4 was rolled out");
    let interaction = broken_interaction(&gated.answer).context("the refusal of v4 names no interaction")?;
    Ok(Observed {
        text: format!(
            "v3 runs, no order failed; v4, whose productChanged lacks productName, was refused ({interaction})"
        ),
        page: "/contracts".into(),
        proof: format!(
            "/tracepact/v1/contracts/can-i-deploy?pacticipant=products&version=v4&environment={ENVIRONMENT}"
        ),
    })
}
