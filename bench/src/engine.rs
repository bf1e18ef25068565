//! What each stage of the store costs, without a server around it: the walk over a body, the log, memory, sealing, and
//! reading back. All on generated spans, in this process.

use std::time::Instant;

use anyhow::ensure;
use futures::StreamExt;
use tracepact_base::{SystemClock, TraceId};
use tracepact_model::{Admission, Codec, DecodeLimits, SpanBatch, SpanChunk, decode_chunk};
use tracepact_store::{Completeness, Engine, EngineConfig, Predicate, ReadCtx, Scope, SpanQuery, SpanStore};

use crate::latency::Latency;
use crate::process;
use tracepact_bench::generate::{self, Work};

/// Traces looked up, and times each search is asked.
const QUESTIONS: usize = 200;

/// CPU-seconds of this process for `work`, per million spans.
fn cost<T>(million: f64, what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let pid = std::process::id();
    let (cpu, wall) = (process::cpu_s(pid)?, Instant::now());
    let done = work()?;
    let (cpu, wall) = (process::cpu_s(pid)? - cpu, wall.elapsed().as_secs_f64());
    println!("{what}: {:.2} CPU-s, {:.2} s per million spans", cpu / million, wall / million);
    Ok(done)
}

/// Runs all stages over `spans` generated spans.
pub(crate) async fn run(spans: usize, per_request: usize, seed: u64) -> anyhow::Result<()> {
    let million = spans as f64 / 1e6;
    println!("generating {spans} spans in requests of {per_request}");
    let work = generate::requests(spans, per_request, seed);
    let limits = DecodeLimits::default();
    decoding(&work, million, &limits)?;
    let folder = tempfile::tempdir()?;
    let open = || Engine::open(folder.path(), EngineConfig::default(), SystemClock::shared());
    let engine = open()?;
    let (cpu, wall) = (process::cpu_s(std::process::id())?, Instant::now());
    append(&engine, &work, &limits).await?;
    links(&engine, "while some are in memory", 20).await?;
    let appended = process::cpu_s(std::process::id())? - cpu;
    println!(
        "walk, log, memory and what was sealed meanwhile: {:.2} CPU-s, {:.2} s per million spans",
        appended / million,
        wall.elapsed().as_secs_f64() / million
    );
    let sealed = engine.clone();
    tokio::task::spawn_blocking(move || sealed.seal()).await??;
    let settled = process::cpu_s(std::process::id())? - cpu;
    let stats = engine.stats();
    println!(
        "settled: {:.2} CPU-s per million spans; {} blocks, {:.1} bytes per span; peak RSS {:.0} MB",
        settled / million,
        stats.blocks,
        stats.block_bytes as f64 / spans as f64,
        process::peak_rss_mb(std::process::id())?
    );
    drop(engine);
    let begun = Instant::now();
    let engine = open()?;
    println!("opened in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    links(&engine, "after a start", 100).await?;
    questions(&engine, &work).await
}

/// The dependency graph of everything, which lies in one hour.
async fn links(engine: &Engine, when: &str, times: usize) -> anyhow::Result<()> {
    let mut latency = Latency::default();
    let mut first_ms = 0.0;
    for number in 0..times {
        let begun = Instant::now();
        let answer = engine.links(1, u64::MAX, ReadCtx::default()).await?;
        ensure!(answer.completeness == Completeness::Complete && !answer.links.is_empty(), "{answer:?}");
        if number == 0 {
            first_ms = begun.elapsed().as_secs_f64() * 1e3;
        } else {
            latency.add(begun.elapsed());
        }
    }
    print(&format!("dependency graph {when}, the first time {first_ms:.1} ms, then"), &latency);
    Ok(())
}

fn decoding(work: &Work, million: f64, limits: &DecodeLimits) -> anyhow::Result<()> {
    let chunks = cost(million, "OTLP walk into columns", || {
        let chunks = work.bodies.iter().map(|body| decode_chunk(Codec::OtlpProto, body, limits));
        Ok(chunks.collect::<Result<Vec<_>, _>>()?)
    })?;
    cost(million, "merging into one dictionary", || {
        let mut merged = tracepact_model::columnar::Merged::default();
        for decoded in &chunks {
            merged.absorb(&decoded.chunk);
        }
        std::hint::black_box(merged.bytes());
        Ok(())
    })?;
    drop(chunks);
    let json = generate::as_zipkin_json(&work.bodies)?;
    let sent: usize = json.iter().map(Vec::len).sum();
    println!("the same as Zipkin JSON: {:.0} bytes per span", sent as f64 / (million * 1e6));
    cost(million, "Zipkin JSON into columns", || {
        for body in &json {
            std::hint::black_box(decode_chunk(Codec::ZipkinJsonV2, body, limits)?.chunk.len());
        }
        Ok(())
    })
}

async fn append(engine: &Engine, work: &Work, limits: &DecodeLimits) -> anyhow::Result<()> {
    const UNDER_WAY: usize = 8;
    let requests = work.bodies.iter().map(|body| async move {
        let spans: SpanChunk = decode_chunk(Codec::OtlpProto, body, limits)?.chunk;
        let batch = SpanBatch {
            codec: Codec::OtlpProto,
            body: body.clone().into(),
            received_at_ns: tracepact_base::Clock::now_ns(&SystemClock::new()),
            admission: Admission::default(),
            spans,
        };
        engine.append(batch).await?;
        anyhow::Ok(())
    });
    let mut requests = futures::stream::iter(requests).buffer_unordered(UNDER_WAY);
    while let Some(done) = requests.next().await {
        done?;
    }
    Ok(())
}

async fn questions(engine: &Engine, work: &Work) -> anyhow::Result<()> {
    let step = (work.traces.len() / QUESTIONS).max(1);
    let sample: Vec<_> = work.traces.iter().step_by(step).take(QUESTIONS).collect();
    let mut latency = Latency::default();
    for fact in &sample {
        let id: TraceId = fact.id.parse()?;
        let begun = Instant::now();
        let found: Vec<_> = engine.traces(vec![id], ReadCtx::default()).collect().await;
        latency.add(begun.elapsed());
        let rows: usize = found.into_iter().map(|trace| trace.map_or(0, |trace| trace.rows.len())).sum();
        ensure!(rows == fact.spans, "trace {} has {} spans, {rows} were read", fact.id, fact.spans);
    }
    print("trace by id", &latency);
    let tag = |key: &str, value: &str| Predicate::Tag(key.to_owned(), value.to_owned());
    let service = |fact: &generate::TraceFact| Predicate::Service(fact.service.clone());
    type Ask<'a> = &'a dyn Fn(&generate::TraceFact) -> Vec<Predicate>;
    let searches: [(&str, usize, Ask<'_>); 6] = [
        ("service and a unique tag", 1, &|fact| vec![service(fact), tag("order.id", &fact.order)]),
        ("service, limit 20", 20, &|fact| vec![service(fact)]),
        ("service and operation, limit 20", 20, &|fact| {
            vec![service(fact), Predicate::Name("get /operation/1".to_owned())]
        }),
        ("service and 50 ms, limit 20", 20, &|fact| {
            vec![service(fact), Predicate::Duration { min_ns: 50_000_000, max_ns: None }]
        }),
        ("service and error, limit 20", 20, &|fact| vec![service(fact), Predicate::Error]),
        ("service, operation, two tags and 10 ms, limit 20", 20, &|fact| {
            vec![
                service(fact),
                Predicate::Name("get /operation/2".to_owned()),
                tag("http.request.method", "GET"),
                tag("http.response.status_code", "200"),
                Predicate::Duration { min_ns: 10_000_000, max_ns: None },
            ]
        }),
    ];
    for (what, finds, ask) in searches {
        let mut latency = Latency::default();
        for fact in sample.iter().take(50) {
            let query = SpanQuery {
                start_ns: 0,
                end_ns: u64::MAX,
                predicates: ask(fact),
                scope: Scope::ServiceSpans,
                limit: finds,
            };
            let begun = Instant::now();
            let answer = engine.search(query, ReadCtx::default()).await?;
            latency.add(begun.elapsed());
            ensure!(answer.hits.len() == finds, "{what}: {} of {finds} traces found", answer.hits.len());
        }
        print(what, &latency);
    }
    Ok(())
}

fn print(what: &str, latency: &Latency) {
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms", latency.quantile_ms(0.5), latency.quantile_ms(0.99));
}
