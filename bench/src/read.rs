//! How long answers take, and whether they are right.

use std::time::Instant;

use anyhow::ensure;
use tracepact_tests::Api;

use crate::generate::{TraceFact, Work};
use crate::latency::Latency;

/// Traces that are looked up.
pub(crate) const SAMPLE: usize = 200;

pub(crate) async fn run(address: &str, work: &Work) -> anyhow::Result<()> {
    let api = Api::new(address)?;
    let mut by_id = Latency::default();
    for fact in sample(work) {
        let begun = Instant::now();
        let spans = api.get(&format!("/api/v2/trace/{}", fact.id)).await?;
        by_id.add(begun.elapsed());
        let found = spans.as_array().map_or(0, Vec::len);
        ensure!(found == fact.spans, "trace {} has {} spans, {found} were answered", fact.id, fact.spans);
    }
    print("trace by id", &by_id);

    let mut by_tag = Latency::default();
    for fact in sample(work).take(50) {
        let query = format!("order.id%3D{}", fact.order);
        let path = format!("/api/v2/traces?annotationQuery={query}&lookback=7200000&limit=10");
        let begun = Instant::now();
        let traces = api.get(&path).await?;
        by_tag.add(begun.elapsed());
        ensure!(traces.as_array().map_or(0, Vec::len) == 1, "{path} did not find its one trace");
    }
    print("search by a unique tag", &by_tag);

    let mut by_service = Latency::default();
    for fact in sample(work).take(50) {
        let path = format!("/api/v2/traces?serviceName={}&lookback=7200000&limit=20", fact.service);
        let begun = Instant::now();
        let traces = api.get(&path).await?;
        by_service.add(begun.elapsed());
        ensure!(traces.as_array().map_or(0, Vec::len) == 20.min(work.traces.len()), "{path} found too few");
    }
    print("search by service, limit 20", &by_service);
    Ok(())
}

/// How many of the sampled traces are there whole.
pub(crate) async fn count_found(address: &str, work: &Work) -> anyhow::Result<usize> {
    let api = Api::new(address)?;
    let mut found = 0;
    for fact in sample(work) {
        let answer = api.send("GET", &format!("/api/v2/trace/{}", fact.id), None).await?;
        let spans = if answer.status == 200 { answer.json()?.as_array().map_or(0, Vec::len) } else { 0 };
        found += usize::from(spans == fact.spans);
    }
    Ok(found)
}

fn sample(work: &Work) -> impl Iterator<Item = &TraceFact> {
    let step = (work.traces.len() / SAMPLE).max(1);
    work.traces.iter().step_by(step).take(SAMPLE)
}

fn print(what: &str, latency: &Latency) {
    println!("{what}: p50 {:.1} ms, p99 {:.1} ms", latency.quantile_ms(0.5), latency.quantile_ms(0.99));
}
