//! One order, one trace.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tracepact_tests::until_ok;

use crate::demo::load;
use crate::demo::screen::Observed;
use crate::demo::world::World;

/// Services a paid order passes through.
const TOUCHED: [&str; 6] = ["gateway", "orders", "products", "payments", "deliveries", "notifications"];

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    let gateway = world.gateway.clone();
    // A service that just started may still join its group: the first order may be answered 202.
    let mut number = 0;
    let order = until_ok(Duration::from_secs(30), "an order that is paid at once", async || {
        number += 1;
        let order = load::place(&gateway, &format!("first-{}-{number}", world.choices.seed), 1).await;
        Ok((order.status == Some(201)).then_some(order))
    })
    .await?;
    let trace_id = order.trace_id.context("the gateway's answer has no traceresponse header")?;
    let trace =
        until_ok(Duration::from_secs(20), &format!("trace {trace_id} to reach every service"), async || {
            let trace = world.api.get(&format!("/tracepact/v1/traces/{trace_id}")).await?;
            let services =
                trace.pointer("/header/services").and_then(Value::as_array).cloned().unwrap_or_default();
            let missing: Vec<&str> =
                TOUCHED.iter().filter(|t| !services.iter().any(|s| s.as_str() == Some(t))).copied().collect();
            anyhow::ensure!(missing.is_empty(), "the trace lacks {}", missing.join(", "));
            Ok(Some(trace))
        })
        .await?;
    world.facts.order_trace_id = Some(trace_id.clone());
    let number = |key: &str| trace.pointer(&format!("/header/{key}")).and_then(Value::as_u64).unwrap_or(0);
    Ok(Observed {
        text: format!(
            "order {} was paid at once; its trace has {} spans of {} services, {} levels deep",
            order.id,
            number("span_count"),
            TOUCHED.len(),
            number("depth")
        ),
        page: format!("/traces/{trace_id}"),
        proof: format!("/api/v2/trace/{trace_id}"),
    })
}
