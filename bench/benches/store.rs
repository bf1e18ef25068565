//! What the store's parts cost: the log with its syncs, sealing with its index, a lookup, a search.

#![allow(missing_docs, reason = "Criterion's macros make public items")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the machine's clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use tokio::runtime::Runtime;
use tracepact_base::SystemClock;
use tracepact_bench::generate::{self, Work};
use tracepact_model::{Admission, Codec, DecodeLimits, SpanBatch, decode_chunk};
use tracepact_store::{Engine, EngineConfig, Predicate, ReadCtx, Scope, SpanQuery, SpanStore};

const SPANS: usize = 100_000;
const PER_REQUEST: usize = 500;

fn batch(body: &[u8]) -> SpanBatch {
    SpanBatch {
        codec: Codec::OtlpProto,
        body: body.to_vec().into(),
        received_at_ns: tracepact_base::Clock::now_ns(&SystemClock::new()),
        admission: Admission::default(),
        spans: decode_chunk(Codec::OtlpProto, body, &DecodeLimits::default()).unwrap().chunk,
    }
}

fn filled(runtime: &Runtime, work: &Work) -> (tempfile::TempDir, Arc<Engine>) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), EngineConfig::default(), SystemClock::shared()).unwrap();
    for body in work.bodies.iter() {
        runtime.block_on(engine.append(batch(body))).unwrap();
    }
    (folder, engine)
}

fn writing(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let work = generate::requests(SPANS, PER_REQUEST, 7);
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10).measurement_time(Duration::from_secs(15));
    let (_folder, engine) = filled(&runtime, &work);
    group.throughput(Throughput::Elements(PER_REQUEST as u64));
    group.bench_function("log: one request of 500 spans, synced", |bench| {
        bench.iter_custom(|times| {
            let batches: Vec<_> =
                (0..times).map(|i| batch(&work.bodies[i as usize % work.bodies.len()])).collect();
            let begun = Instant::now();
            for batch in batches {
                runtime.block_on(engine.append(batch)).unwrap();
            }
            begun.elapsed()
        });
    });
    group.throughput(Throughput::Elements(SPANS as u64));
    group.bench_function("seal: 100,000 spans with their index", |bench| {
        bench.iter_custom(|times| {
            let mut sealing = Duration::ZERO;
            for _ in 0..times {
                let (_folder, engine) = filled(&runtime, &work);
                let begun = Instant::now();
                engine.seal().unwrap();
                sealing += begun.elapsed();
            }
            sealing
        });
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let work = generate::requests(SPANS, PER_REQUEST, 7);
    let (_folder, engine) = filled(&runtime, &work);
    engine.seal().unwrap();
    let mut next = work.traces.iter().cycle();
    criterion.bench_function("index and rows: a trace by id", |bench| {
        bench.iter(|| {
            let id = next.next().unwrap().id.parse().unwrap();
            let found = runtime.block_on(engine.traces(vec![id], ReadCtx::default()).collect::<Vec<_>>());
            assert!(found.into_iter().all(|trace| !trace.unwrap().rows.is_empty()));
        });
    });
    let mut ask = |name: &str, predicates: &dyn Fn(&generate::TraceFact) -> Vec<Predicate>| {
        let mut next = work.traces.iter().cycle();
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                let query = SpanQuery {
                    start_ns: 0,
                    end_ns: u64::MAX,
                    predicates: predicates(next.next().unwrap()),
                    scope: Scope::ServiceSpans,
                    limit: 20,
                };
                assert!(!runtime.block_on(engine.search(query, ReadCtx::default())).unwrap().hits.is_empty());
            });
        });
    };
    let service = |fact: &generate::TraceFact| Predicate::Service(fact.service.clone());
    ask("search: a unique tag", &|fact| vec![Predicate::Tag("order.id".to_owned(), fact.order.clone())]);
    ask("search: service and operation", &|fact| {
        vec![service(fact), Predicate::Name("get /operation/1".to_owned())]
    });
    ask("search: service and error", &|fact| vec![service(fact), Predicate::Error]);
}

criterion_group!(benches, writing, reading);
criterion_main!(benches);
