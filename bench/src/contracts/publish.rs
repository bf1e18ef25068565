//! Publications: one, and many at a fixed rate of which none may be lost.

use std::time::{Duration, Instant};

use anyhow::ensure;
use base64::Engine;
use serde_json::json;
use tracepact_tests::Api;

use crate::latency::Latency;

/// Publications a second.
const RATE: f64 = 200.0;
/// Services that publish.
const PUBLISHERS: usize = 400;

/// Publishes a contract of `service` with a content that nobody published before.
pub(crate) async fn publish(
    api: &Api,
    service: u32,
    provider: &str,
    version: &str,
    n: usize,
) -> anyhow::Result<()> {
    let consumer = format!("service-{service}");
    let pact = json!({
        "consumer": { "name": consumer }, "provider": { "name": provider },
        "interactions": [{ "description": format!("item {n}"), "request": { "method": "GET", "path": format!("/new/{n}") },
                           "response": { "status": 200, "body": { "n": n } } }],
        "metadata": { "pactSpecification": { "version": "2.0.0" } },
    });
    let body = json!({
        "pacticipantName": consumer, "pacticipantVersionNumber": version, "branch": "main",
        "contracts": [{ "consumerName": consumer, "providerName": provider, "specification": "pact",
                        "contentType": "application/json",
                        "content": base64::engine::general_purpose::STANDARD.encode(pact.to_string()) }],
    });
    let answer = api.send("POST", "/contracts/publish", Some(&body)).await?;
    ensure!(answer.status == 200, "publish answered {}: {}", answer.status, answer.text);
    Ok(())
}

/// Publishes at a fixed rate, whatever the answers take, and reads everything back.
pub(crate) async fn steadily(api: &Api, publications: usize) -> anyhow::Result<()> {
    let began = Instant::now();
    let service = |n: usize| u32::try_from(n % PUBLISHERS + 2);
    let mut running = tokio::task::JoinSet::new();
    for n in 0..publications {
        let due = began + Duration::from_secs_f64(n as f64 / RATE);
        tokio::time::sleep_until(due.into()).await;
        let (api, service) = (api.clone(), service(n)?);
        running.spawn(async move {
            publish(&api, service, "service-1", &format!("steady-{n}"), n).await?;
            anyhow::Ok(due.elapsed())
        });
    }
    let mut latency = Latency::default();
    let mut failed = 0;
    while let Some(done) = running.join_next().await {
        match done? {
            Ok(took) => latency.add(took),
            Err(error) => {
                failed += 1;
                eprintln!("{error:#}");
            }
        }
    }
    let took_s = began.elapsed().as_secs_f64();
    let mut lost = 0;
    for n in 0..publications {
        let path = format!("/pacts/provider/service-1/consumer/service-{}/version/steady-{n}", service(n)?);
        // Each has a content of its own, which says whose it is.
        let found = api.send("GET", &path, None).await?;
        if found.status != 200 || !found.text.contains(&format!("/new/{n}\"")) {
            lost += 1;
        }
    }
    println!(
        "  {publications} publications at {RATE}/s in {took_s:.1} s: {failed} refused, {lost} lost; p50 {:.1} ms, p99 {:.1} ms, \
         max {:.1} ms after each was due",
        latency.quantile_ms(0.5),
        latency.quantile_ms(0.99),
        latency.quantile_ms(1.0),
    );
    ensure!(failed == 0 && lost == 0, "publications were refused or lost");
    Ok(())
}
