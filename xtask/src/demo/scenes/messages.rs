//! Lost, late, dead-lettered, duplicated: injected at payments, told apart by reading Kafka alone.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tracepact_tests::until_ok;

use crate::demo::scenes::overload::verdicts;
use crate::demo::screen::{Observed, step};
use crate::demo::world::{FLOW_WINDOW_MS, World};

/// Each fault, what it strikes with, and the verdict it must lead to.
pub(crate) const FAULTS: [(&str, &str); 4] =
    [("drop", "lost"), ("dead_letter", "dead_lettered"), ("duplicate", "duplicated"), ("delay", "late")];
/// Orders struck by each fault.
const COUNT: u64 = 2;

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    let mut before = 0;
    for (_, verdict) in FAULTS {
        before += verdicts(world, verdict).await?;
    }
    world.facts.verdicts_in_fault_free_phase = before;
    for (kind, _) in FAULTS {
        let mut rule =
            json!({ "kind": kind, "count": COUNT, "seed": world.choices.seed, "topic": "order-placed" });
        if kind == "delay" {
            rule["ms"] = json!(FLOW_WINDOW_MS + 4_000);
        }
        world.faults("payments")?.change("PUT", "/faults", &rule).await?;
        until_ok(Duration::from_secs(20), &format!("{kind} to strike {COUNT} orders"), async || {
            Ok((injected(world, kind).await?.len() as u64 >= COUNT).then_some(()))
        })
        .await?;
        // Off again before the next one, so that no order is struck by two of them.
        world.faults("payments")?.send("DELETE", &format!("/faults?kind={kind}"), None).await?;
        step(&format!("{kind}: {}", list(&injected(world, kind).await?)));
    }
    let wait = Duration::from_millis(FLOW_WINDOW_MS) + Duration::from_secs(40);
    let mut texts = Vec::new();
    for (kind, verdict) in FAULTS {
        let done = injected(world, kind).await?;
        let told =
            until_ok(wait, &format!("the orders struck by {kind} to be called {verdict}"), async || {
                let told = reported(world, verdict).await?;
                ensure!(told == done, "{verdict}: {}; struck: {}", list(&told), list(&done));
                Ok(Some(told))
            })
            .await?;
        texts.push(format!("{} {verdict}", told.len()));
    }
    ensure!(before == 0, "{before} verdicts were there before any fault on a message");
    Ok(Observed {
        text: format!("told apart, exactly the injected orders: {}", texts.join(", ")),
        page: "/messages".into(),
        proof: "/tracepact/v1/messages?verdict=lost".into(),
    })
}

/// Keys of the records that a fault struck, as payments itself recorded them.
pub(crate) async fn injected(world: &World, kind: &str) -> anyhow::Result<BTreeSet<String>> {
    let faults = world.faults("payments")?.get("/faults").await?;
    let all =
        faults.get("injected").and_then(Value::as_array).context("payments does not say what it injected")?;
    let keys = all.iter().filter(|i| i.get("kind").and_then(Value::as_str) == Some(kind));
    Ok(keys.filter_map(|i| i.get("key")?.as_str().map(str::to_owned)).collect())
}

/// Keys of the messages with a verdict, as tracepact reports them.
pub(crate) async fn reported(world: &World, verdict: &str) -> anyhow::Result<BTreeSet<String>> {
    let answer = world.api.get(&format!("/tracepact/v1/messages?verdict={verdict}&limit=500")).await?;
    let all = answer.get("messages").and_then(Value::as_array).context("no messages")?;
    Ok(all.iter().filter_map(|m| m.get("key")?.as_str().map(str::to_owned)).collect())
}

fn list(keys: &BTreeSet<String>) -> String {
    keys.iter().cloned().collect::<Vec<_>>().join(", ")
}
