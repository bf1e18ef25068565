//! Orders proposes its contract, products accepts it.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::demo::screen::{Observed, step};
use crate::demo::shop::PACT;
use crate::demo::world::World;

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    world.record_deployment("products", "v1").await?;
    world.record_deployment("orders", "v1").await?;
    let file = world.pact(PACT).display().to_string();
    let title = "orders reads a product's price and must learn its name when it changes";
    let proposed = world
        .tracepact(&["contract", "propose", &file, "--branch", "product-price", "--title", title], &[])
        .await?
        .succeeded("contract propose")?;
    let id = proposed.answer.get("id").map(plain).context("the proposal has no id")?;
    step(&format!("orders proposed its contract with products as {id}"));
    world.tracepact(&["contract", "accept", &id], &[]).await?.succeeded("contract accept")?;
    step("products accepted it");
    let url = world.products.url.clone();
    let verified = world.verify_products("v1", &url).await?.succeeded("verification of products v1")?;
    let interactions = verified.answer.get("interactions").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(interactions >= 2, "only {interactions} interactions were verified: {}", verified.answer);
    let list = world.api.get("/tracepact/v1/proposals").await?;
    let state = list
        .get("proposals")
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find(|p| p.get("id").map(plain).as_deref() == Some(&id)).cloned())
        .and_then(|p| p.get("state").map(plain));
    // Accepted; and enforced since the running version was verified against it.
    ensure!(
        matches!(state.as_deref(), Some("accepted" | "enforced")),
        "the proposal is {state:?}, neither accepted nor enforced"
    );
    Ok(Observed {
        text: format!(
            "proposal {id} is {}; products v1 keeps all {interactions} interactions of it",
            state.unwrap_or_default()
        ),
        page: "/contracts".into(),
        proof: "/tracepact/v1/proposals".into(),
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
