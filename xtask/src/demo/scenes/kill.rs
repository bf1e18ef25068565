//! Acknowledged means durable: tracepact is killed while it is being sent spans.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tracepact_tests::{Api, until_ok};

use crate::demo::report::Kill;
use crate::demo::screen::{Observed, step};
use crate::demo::world::World;

/// Spans in one request of the probe.
const SPANS_PER_REQUEST: usize = 20;
/// Requests that must be acknowledged before the kill.
const ACKED_REQUESTS_MIN: usize = 60;
/// Senders of the probe.
const SENDERS: u64 = 4;

pub(super) async fn play(world: &mut World) -> anyhow::Result<Observed> {
    let acked: Arc<Mutex<Vec<String>>> = Arc::default();
    let senders: Vec<_> =
        (0..SENDERS).map(|sender| tokio::spawn(send(world.api.clone(), sender, acked.clone()))).collect();
    let count = || acked.lock().unwrap_or_else(PoisonError::into_inner).len();
    until_ok(Duration::from_secs(20), "the probe's spans to be acknowledged", async || {
        Ok((count() >= ACKED_REQUESTS_MIN).then_some(()))
    })
    .await?;
    let addresses = world.processes.get("tracepact")?.addresses.clone();
    world.processes.kill("tracepact").await?;
    senders.iter().for_each(|s| s.abort());
    let acked = acked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    step(&format!("killed with -9 after {} acknowledged requests", acked.len()));
    let begun = tokio::time::Instant::now();
    world.restart_tracepact(&addresses).await?;
    until_ok(Duration::from_secs(30), "tracepact to be healthy again", async || {
        Ok((world.api.send("GET", "/health", None).await?.status == 200).then_some(()))
    })
    .await?;
    let took = begun.elapsed();

    let mut found = 0;
    for chunk in acked.chunks(20) {
        let traces = match chunk {
            [one] => json!([world.api.get(&format!("/api/v2/trace/{one}")).await?]),
            many => world.api.get(&format!("/api/v2/traceMany?traceIds={}", many.join(","))).await?,
        };
        found += traces
            .as_array()
            .context("not a list")?
            .iter()
            .filter_map(Value::as_array)
            .map(Vec::len)
            .sum::<usize>();
    }
    let sent = acked.len() * SPANS_PER_REQUEST;
    world.facts.kill = Kill { acked_spans: sent as u64, found_after_restart: found as u64 };
    ensure!(found == sent, "{sent} spans were acknowledged, {found} are there after the restart");
    let mark = world.load.mark();
    until_ok(Duration::from_secs(20), "orders to go on", async || {
        Ok((world.load.since(mark).iter().filter(|o| o.served()).count() >= 5).then_some(()))
    })
    .await?;
    Ok(Observed {
        text: format!(
            "all {sent} acknowledged spans are there; serving again {:.1} s after the kill",
            took.as_secs_f64()
        ),
        page: format!("/traces/{}", acked.first().map_or("", String::as_str)),
        proof: format!("/api/v2/trace/{}", acked.first().map_or("", String::as_str)),
    })
}

/// Sends one trace a request until it is aborted; only what was acknowledged is remembered.
async fn send(api: Api, sender: u64, acked: Arc<Mutex<Vec<String>>>) {
    for number in 1u64.. {
        let trace_id = format!("{:016x}", (sender + 1) << 32 | number);
        let now_us = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_micros() as u64);
        let spans: Vec<Value> = (0..SPANS_PER_REQUEST)
            .map(|i| {
                json!({
                    "traceId": trace_id, "id": format!("{:016x}", i + 1), "name": "probe", "kind": "SERVER",
                    "timestamp": now_us + i as u64, "duration": 10, "localEndpoint": { "serviceName": "demo-probe" },
                })
            })
            .collect();
        match api.send("POST", "/api/v2/spans", Some(&Value::Array(spans))).await {
            Ok(answer) if answer.status == 202 => {
                acked.lock().unwrap_or_else(PoisonError::into_inner).push(trace_id)
            }
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
