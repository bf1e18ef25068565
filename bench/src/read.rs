//! How long answers take, and whether they are right: each is compared with what going through all generated spans says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;
use tracepact_base::{Clock, SystemClock};
use tracepact_tests::Api;

use crate::figures::Figures;
use crate::latency::Latency;
use crate::send;
use tracepact_bench::generate::{self, RowFact, TraceFact, Work};

/// Traces that are looked up.
pub(crate) const SAMPLE: usize = 200;
/// Times that each search is asked.
const SEARCHES: usize = 50;
/// Traces that a common search wants.
const LIMIT: usize = 20;
/// Times that spans are sent and asked for at once.
const FRESH: usize = 20;

/// A search about a sampled trace.
struct Search {
    what: &'static str,
    query: fn(&TraceFact) -> String,
    /// Which spans of the queried service have to exist, each list by one of them.
    rows: &'static [fn(&RowFact) -> bool],
}

const SEARCHED: [Search; 5] = [
    Search { what: "service, limit 20", query: |_| String::new(), rows: &[] },
    Search {
        what: "service and operation, limit 20",
        query: |_| "&spanName=get%20%2Foperation%2F1".to_owned(),
        rows: &[|row| row.operation == 1],
    },
    Search {
        what: "service and minDuration, limit 20",
        query: |_| "&minDuration=50000".to_owned(),
        rows: &[|row| row.duration_ns >= 50_000_000],
    },
    Search {
        what: "service and error, limit 20",
        query: |_| "&annotationQuery=error".to_owned(),
        rows: &[|row| row.failed],
    },
    Search {
        what: "service, operation, two tags and minDuration, limit 20",
        query: |_| {
            "&spanName=get%20%2Foperation%2F2&minDuration=10000&annotationQuery=\
             http.request.method%3DGET%20and%20http.response.status_code%3D200"
                .to_owned()
        },
        rows: &[|row| row.operation == 2, |row| row.duration_ns >= 10_000_000],
    },
];

impl Search {
    /// The newest traces that match.
    fn answer<'w>(&self, work: &'w Work, asked: &TraceFact) -> BTreeSet<&'w str> {
        let service = asked.rows.first().map_or(0, |root| root.service);
        let matches = |fact: &&TraceFact| {
            let of_service = || fact.rows.iter().filter(|row| row.service == service);
            of_service().next().is_some() && self.rows.iter().all(|holds| of_service().any(holds))
        };
        let mut found: Vec<&TraceFact> = work.traces.iter().filter(matches).collect();
        found.sort_by_key(|fact| std::cmp::Reverse(fact.at_ns));
        found.into_iter().take(LIMIT).map(|fact| fact.id.as_str()).collect()
    }
}

/// Asks everything. With `exact` an answer that differs from the right one is an error; else it is counted.
pub(crate) async fn run(
    address: &str,
    work: &Work,
    exact: bool,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let api = Api::new(address)?;
    let (mut asked, mut wrong) = (0, 0);
    let mut by_id = Latency::default();
    for fact in sample(work) {
        let (took, right) = find(&api, fact).await?;
        by_id.add(took);
        asked += 1;
        wrong += usize::from(!right);
    }
    figures.latency("trace by id", &by_id);

    let mut largest = Latency::default();
    if let Some(fact) = work.traces.iter().max_by_key(|fact| fact.spans) {
        for _ in 0..FRESH {
            largest.add(find(&api, fact).await?.0);
        }
        figures.latency(&format!("the largest trace by id ({} spans)", fact.spans), &largest);
    }
    let mut took = Latency::default();
    for fact in sample(work).take(SEARCHES) {
        let query = format!("&annotationQuery=order.id%3D{}", fact.order);
        let (time, found) = search(&api, fact, &query, 10).await?;
        took.add(time);
        asked += 1;
        wrong += usize::from(found != BTreeSet::from([fact.id.clone()]));
    }
    figures.latency("service and a unique tag", &took);
    for kind in &SEARCHED {
        let mut took = Latency::default();
        for fact in sample(work).take(SEARCHES) {
            let (time, found) = search(&api, fact, &(kind.query)(fact), LIMIT).await?;
            took.add(time);
            let right = kind.answer(work, fact);
            let is_right = found.iter().map(String::as_str).eq(right.iter().copied());
            ensure!(is_right || !exact, "{}: found {found:?}, right is {right:?}", kind.what);
            asked += 1;
            wrong += usize::from(!is_right);
        }
        figures.latency(kind.what, &took);
    }
    let mut links = Latency::default();
    let now_ms = SystemClock::new().now_ns() / 1_000_000;
    for _ in 0..FRESH {
        let begun = Instant::now();
        api.text(&format!("/api/v2/dependencies?endTs={now_ms}&lookback=7200000")).await?;
        links.add(begun.elapsed());
    }
    figures.latency("dependency graph of an hour", &links);
    figures.add("wrong answers", format!("{wrong} of {asked}"));
    ensure!(wrong == 0 || !exact, "{wrong} of {asked} answers are wrong");
    Ok(())
}

async fn search(
    api: &Api,
    fact: &TraceFact,
    query: &str,
    limit: usize,
) -> anyhow::Result<(Duration, BTreeSet<String>)> {
    let path = format!("/api/v2/traces?lookback=7200000&serviceName={}{query}&limit={limit}", fact.service);
    // Until the last byte is here; reading the JSON is the bench's own work.
    let begun = Instant::now();
    let body = api.text(&path).await?;
    let took = begun.elapsed();
    let traces: Value = serde_json::from_str(&body)?;
    let id = |trace: &Value| trace.get(0)?.get("traceId")?.as_str().map(str::to_owned);
    Ok((took, traces.as_array().into_iter().flatten().filter_map(id).collect()))
}

/// Asks for spans the moment they were acknowledged: by id and by search they have to be there.
pub(crate) async fn fresh(
    address: &str,
    to: &str,
    format: send::Format,
    seed: u64,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let api = Api::new(address)?;
    let (mut took, mut late) = (Latency::default(), 0);
    for round in 1..=FRESH as u64 {
        let work = generate::requests(10, 10, seed + round * 1_000);
        let begun = Instant::now();
        let pace = send::Pace { connections: 1, per_second: None };
        send::all(to, format, format.bodies(&work)?, pace).await?;
        for fact in &work.traces {
            let path = format!("/api/v2/traces?lookback=7200000&annotationQuery=order.id%3D{}", fact.order);
            late += usize::from(!find(&api, fact).await?.1 || len(&api.get(&path).await?) != 1);
        }
        took.add(begun.elapsed());
    }
    figures.latency("sent, acknowledged, then found by id and by search", &took);
    figures.add("not found at once after the acknowledgement", format!("{late}"));
    Ok(())
}

/// How many of the sampled traces are there whole.
pub(crate) async fn count_found(address: &str, work: &Work) -> anyhow::Result<usize> {
    let api = Api::new(address)?;
    let mut found = 0;
    for fact in sample(work) {
        found += usize::from(find(&api, fact).await?.1);
    }
    Ok(found)
}

/// Looks a trace up; whether all its spans are there.
async fn find(api: &Api, fact: &TraceFact) -> anyhow::Result<(Duration, bool)> {
    let begun = Instant::now();
    let answer = api.send("GET", &format!("/api/v2/trace/{}", fact.id), None).await?;
    let took = begun.elapsed();
    let spans = if answer.status == 200 { len(&answer.json()?) } else { 0 };
    Ok((took, spans == fact.spans))
}

fn len(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn sample(work: &Work) -> impl Iterator<Item = &TraceFact> {
    let step = (work.traces.len() / SAMPLE).max(1);
    work.traces.iter().step_by(step).take(SAMPLE)
}
