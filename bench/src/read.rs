//! How long answers take, and whether they are right.

use std::time::Instant;

use anyhow::ensure;
use serde_json::Value;
use tracepact_tests::Api;

use crate::generate::{self, TraceFact, Work};
use crate::latency::Latency;
use crate::send;

/// Traces that are looked up.
pub(crate) const SAMPLE: usize = 200;
/// Times that each search is asked.
const SEARCHES: usize = 50;
/// Traces that a common search wants.
const LIMIT: usize = 20;
/// Times that spans are sent and asked for at once.
const FRESH: usize = 20;

/// A search about a sampled trace, and how many traces it has to find.
struct Search {
    what: &'static str,
    query: fn(&TraceFact) -> String,
    finds: usize,
}

const COMMON: [Search; 6] = [
    Search {
        what: "service and a unique tag",
        query: |t| format!("serviceName={}&annotationQuery=order.id%3D{}&limit=10", t.service, t.order),
        finds: 1,
    },
    Search {
        what: "service, limit 20",
        query: |t| format!("serviceName={}&limit=20", t.service),
        finds: LIMIT,
    },
    Search {
        what: "service and operation, limit 20",
        query: |t| format!("serviceName={}&spanName=get%20%2Foperation%2F1&limit=20", t.service),
        finds: LIMIT,
    },
    Search {
        what: "service and minDuration, limit 20",
        query: |t| format!("serviceName={}&minDuration=50000&limit=20", t.service),
        finds: LIMIT,
    },
    Search {
        what: "service and error, limit 20",
        query: |t| format!("serviceName={}&annotationQuery=error&limit=20", t.service),
        finds: LIMIT,
    },
    Search {
        what: "service, operation, two tags and minDuration, limit 20",
        query: |t| {
            format!(
                "serviceName={}&spanName=get%20%2Foperation%2F2&minDuration=10000&limit=20&annotationQuery=\
                 http.request.method%3DGET%20and%20http.response.status_code%3D200",
                t.service
            )
        },
        finds: LIMIT,
    },
];

pub(crate) async fn run(address: &str, work: &Work) -> anyhow::Result<()> {
    let api = Api::new(address)?;
    let mut by_id = Latency::default();
    for fact in sample(work) {
        by_id.add(find(&api, fact).await?);
    }
    print("trace by id", &by_id);

    let mut largest = Latency::default();
    if let Some(fact) = work.traces.iter().max_by_key(|fact| fact.spans) {
        for _ in 0..FRESH {
            largest.add(find(&api, fact).await?);
        }
        print(&format!("the largest trace by id ({} spans)", fact.spans), &largest);
    }
    for search in &COMMON {
        let mut took = Latency::default();
        for fact in sample(work).take(SEARCHES) {
            let path = format!("/api/v2/traces?lookback=7200000&{}", (search.query)(fact));
            let begun = Instant::now();
            let traces = api.get(&path).await?;
            took.add(begun.elapsed());
            let found = traces.as_array().map_or(0, Vec::len);
            // A small run may not have as many matches as were asked for.
            let enough = found == search.finds || search.finds == LIMIT && work.traces.len() < 20_000;
            ensure!(enough, "{path} found {found} traces, not {}", search.finds);
        }
        print(search.what, &took);
    }
    Ok(())
}

/// Asks for spans the moment they were acknowledged: by id and by search they have to be there.
pub(crate) async fn fresh(address: &str, otlp: &str, seed: u64) -> anyhow::Result<()> {
    let api = Api::new(address)?;
    let mut took = Latency::default();
    for round in 1..=FRESH as u64 {
        let work = generate::requests(10, 10, seed + round * 1_000);
        let begun = Instant::now();
        send::all(otlp, send::Format::Otlp, &work.bodies, 1).await?;
        for fact in &work.traces {
            find(&api, fact).await?;
            let path = format!("/api/v2/traces?lookback=7200000&annotationQuery=order.id%3D{}", fact.order);
            ensure!(len(&api.get(&path).await?) == 1, "{path} does not find what was just acknowledged");
        }
        took.add(begun.elapsed());
    }
    print("sent, acknowledged, then found by id and by search", &took);
    Ok(())
}

/// How many of the sampled traces are there whole.
pub(crate) async fn count_found(address: &str, work: &Work) -> anyhow::Result<usize> {
    let api = Api::new(address)?;
    let mut found = 0;
    for fact in sample(work) {
        let answer = api.send("GET", &format!("/api/v2/trace/{}", fact.id), None).await?;
        let spans = if answer.status == 200 { len(&answer.json()?) } else { 0 };
        found += usize::from(spans == fact.spans);
    }
    Ok(found)
}

async fn find(api: &Api, fact: &TraceFact) -> anyhow::Result<std::time::Duration> {
    let begun = Instant::now();
    let spans = api.get(&format!("/api/v2/trace/{}", fact.id)).await?;
    let took = begun.elapsed();
    let found = len(&spans);
    ensure!(found == fact.spans, "trace {} has {} spans, {found} were answered", fact.id, fact.spans);
    Ok(took)
}

fn len(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn sample(work: &Work) -> impl Iterator<Item = &TraceFact> {
    let step = (work.traces.len() / SAMPLE).max(1);
    work.traces.iter().step_by(step).take(SAMPLE)
}

fn print(what: &str, latency: &Latency) {
    println!("{what}: p50 {:.1} ms, p99 {:.1} ms", latency.quantile_ms(0.5), latency.quantile_ms(0.99));
}
