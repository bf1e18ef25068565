//! The same spans in any order, split, repeated, sealed in between and read after a restart give the same answers: those
//! of a few lines of brute force over all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use proptest::prelude::*;
use tracepact_base::{ManualClock, TraceId};
use tracepact_model::{Span, SpanBatch};
use tracepact_store::{
    Completeness, Engine, EngineConfig, NameKind, NamesQuery, Predicate, ReadCtx, Scope, SpanQuery, SpanStore,
};

use crate::helpers::{DAY_NS, SECOND_NS, batch, span, tagged};
use crate::power::{Loss, PowerFs, root};

/// What happens to the spans on their way in.
#[derive(Debug, Clone)]
struct Arrangement {
    /// In the order in which they arrive.
    spans: Vec<Span>,
    /// Lengths of the requests; the last takes the rest.
    requests: Vec<usize>,
    /// Whether the request with this number is sealed after.
    seals: Vec<bool>,
    /// Requests that a sender repeats at the end.
    repeats: Vec<prop::sample::Index>,
    restarts: bool,
}

fn fragment() -> impl Strategy<Value = Span> {
    let trace = prop::sample::select(vec![5u128, 1 << 64 | 5, 2 << 64 | 5, 6, 9 << 64 | 7, 8]);
    let service = prop::sample::select(vec!["Front", "back", "Db"]);
    let tags = prop::collection::vec(
        (prop::sample::select(vec!["a", "b", "error"]), prop::sample::select(vec!["1", "2"])),
        0..3,
    );
    (trace, 1u64..5, service, prop::option::weighted(0.8, 0u64..20), prop::option::of(1u64..9), tags)
        .prop_map(|(trace, id, service, second, ms, tags)| {
            // One root in a trace at most: of several, the first that arrives decides, and order would matter.
            let mut row = span(trace, id, (id > 1).then_some(id - 1), 0, service);
            let start_ns = second.map(|second| DAY_NS + second * 8_000 * SECOND_NS);
            row.start_ns =
                if id == 1 { Some(DAY_NS + trace as u64 % 9 * 9_000 * SECOND_NS) } else { start_ns };
            row.duration_ns = ms.map(|ms| ms * 1_000_000);
            row.name = format!("Op {id}").into();
            let tags: BTreeMap<_, _> = tags.into_iter().collect();
            tags.into_iter().fold(row, |row, (key, value)| tagged(row, key, value))
        })
}

fn arrangement() -> impl Strategy<Value = Arrangement> {
    prop::collection::vec(fragment(), 1..24).prop_flat_map(|spans| {
        (
            Just(spans).prop_shuffle(),
            prop::collection::vec(1usize..6, 1..8),
            prop::collection::vec(any::<bool>(), 8),
            prop::collection::vec(any::<prop::sample::Index>(), 0..3),
            any::<bool>(),
        )
            .prop_map(|(spans, requests, seals, repeats, restarts)| Arrangement {
                spans,
                requests,
                seals,
                repeats,
                restarts,
            })
    })
}

impl Arrangement {
    fn batches(&self) -> Vec<SpanBatch> {
        let mut left = &self.spans[..];
        let mut batches = Vec::new();
        for (i, len) in self.requests.iter().enumerate() {
            let len = if i + 1 == self.requests.len() { left.len() } else { (*len).min(left.len()) };
            let (head, tail) = left.split_at(len);
            left = tail;
            if !head.is_empty() {
                batches.push(batch(head));
            }
        }
        let repeated: Vec<_> = self.repeats.iter().map(|index| index.get(&batches).clone()).collect();
        batches.into_iter().chain(repeated).collect()
    }

    async fn store(&self) -> Arc<Engine> {
        let fs = PowerFs::default();
        let engine = open(&fs);
        for (i, batch) in self.batches().into_iter().enumerate() {
            engine.append(batch).await.unwrap();
            if self.seals[i % self.seals.len()] {
                engine.seal().unwrap();
            }
        }
        if !self.restarts {
            return engine;
        }
        engine.close();
        drop(engine);
        open(&fs.power_off(Loss::Nothing))
    }
}

fn open(fs: &PowerFs) -> Arc<Engine> {
    let config = EngineConfig { threads: 1, ..EngineConfig::default() };
    Engine::open_on(Arc::new(fs.clone()), root(), config, ManualClock::at(DAY_NS)).unwrap()
}

fn has(row: &Span, key: &str, value: Option<&str>) -> bool {
    row.attributes.iter().any(|(k, v)| **k == *key && value.is_none_or(|value| v.text() == value))
}

fn holds(row: &Span, predicate: &Predicate) -> bool {
    let same = |name: &Option<Arc<str>>, wanted: &str| {
        name.as_deref().is_some_and(|name| name.to_lowercase() == wanted.to_lowercase())
    };
    match predicate {
        Predicate::Service(name) => same(&row.local.service_name, name),
        Predicate::RemoteService(name) => same(&row.remote.service_name, name),
        Predicate::Name(name) => same(&Some(row.name.clone()), name),
        Predicate::Tag(key, value) => has(row, key, Some(value)),
        Predicate::AnnotationOrKey(key) => has(row, key, None),
        Predicate::Duration { min_ns, max_ns } => {
            row.duration_ns.is_some_and(|d| d >= *min_ns && d <= max_ns.unwrap_or(u64::MAX))
        }
        Predicate::Error => has(row, "error", None),
    }
}

/// Rows by trace, each distinct row once.
fn traces(spans: &[Span], strict: bool) -> BTreeMap<u128, Vec<Span>> {
    let mut traces: BTreeMap<u128, Vec<Span>> = BTreeMap::new();
    for row in spans {
        let id = if strict { row.trace_id.as_u128() } else { u128::from(row.trace_id.low()) };
        let rows = traces.entry(id).or_default();
        if !rows.contains(row) {
            rows.push(row.clone());
        }
    }
    traces
}

/// Timestamps of the traces that match, by trace.
fn expected(spans: &[Span], query: &SpanQuery, strict: bool) -> BTreeMap<u128, u64> {
    let mut found = BTreeMap::new();
    for (id, rows) in traces(spans, strict) {
        let roots = rows.iter().filter(|row| row.parent_id.is_none()).filter_map(|row| row.start_ns).min();
        let Some(at) = roots.or(rows.iter().filter_map(|row| row.start_ns).min()) else { continue };
        let service = query.predicates.iter().find(|p| matches!(p, Predicate::Service(_)));
        let counted: Vec<&Span> = match (query.scope, service) {
            (Scope::ServiceSpans, Some(service)) => rows.iter().filter(|row| holds(row, service)).collect(),
            _ => rows.iter().collect(),
        };
        let met = if query.scope == Scope::SameSpan {
            counted.iter().any(|row| query.predicates.iter().all(|p| holds(row, p)))
        } else {
            query.predicates.iter().all(|p| counted.iter().any(|row| holds(row, p)))
        };
        if met && at >= query.start_ns && at <= query.end_ns {
            found.insert(id, at);
        }
    }
    found
}

fn questions() -> Vec<SpanQuery> {
    let service = |name: &str| Predicate::Service(name.to_owned());
    let tag = |key: &str, value: &str| Predicate::Tag(key.to_owned(), value.to_owned());
    let long = Predicate::Duration { min_ns: 3_000_000, max_ns: Some(7_000_000) };
    let key = Predicate::AnnotationOrKey("b".to_owned());
    let conditions = [
        vec![],
        vec![service("front")],
        vec![service("BACK"), tag("a", "1")],
        vec![tag("a", "1"), tag("b", "2")],
        vec![service("db"), long.clone()],
        vec![long, key.clone()],
        vec![Predicate::Error],
        vec![Predicate::Name("op 2".to_owned()), key],
    ];
    let mut questions = Vec::new();
    for predicates in conditions {
        for scope in [Scope::ServiceSpans, Scope::SameSpan, Scope::Trace] {
            for (start, end) in [(0, 200_000), (20_000, 60_000)] {
                let (start_ns, end_ns) = (DAY_NS + start * SECOND_NS, DAY_NS + end * SECOND_NS);
                questions.push(SpanQuery { start_ns, end_ns, scope, ..crate::helpers::all(&predicates) });
            }
        }
    }
    questions
}

/// The trace of a hit, as it is grouped.
fn grouped(id: TraceId, strict: bool) -> u128 {
    if strict { id.as_u128() } else { u128::from(id.low()) }
}

async fn check(engine: &Engine, spans: &[Span]) {
    // What the codec makes of them is what the store is given.
    let spans = &batch(spans).spans.spans().unwrap()[..];
    for strict in [true, false] {
        let ctx = ReadCtx { strict_trace_id: strict, ..ReadCtx::default() };
        for query in questions() {
            let wanted = expected(spans, &query, strict);
            let answer = engine.search(query.clone(), ctx.clone()).await.unwrap();
            assert_eq!(answer.completeness, Completeness::Complete);
            let order: Vec<u64> = answer.hits.iter().map(|hit| hit.timestamp_ns).collect();
            assert!(order.is_sorted_by(|a, b| a >= b), "{query:?}: {order:?}");
            let found: BTreeMap<_, _> =
                answer.hits.iter().map(|hit| (grouped(hit.trace_id, strict), hit.timestamp_ns)).collect();
            assert_eq!((found.len(), &found), (answer.hits.len(), &wanted), "{query:?}");
            let few = SpanQuery { limit: 2, ..query.clone() };
            let answer = engine.search(few, ctx.clone()).await.unwrap();
            let mut newest: Vec<u64> = wanted.values().copied().collect();
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(2);
            let found: Vec<u64> = answer.hits.iter().map(|hit| hit.timestamp_ns).collect();
            assert_eq!(found, newest, "the newest two of {query:?}");
        }
        for (id, rows) in traces(spans, strict) {
            let mut found = Vec::new();
            let mut stream = engine.traces(vec![TraceId::new(id).unwrap()], ctx.clone());
            while let Some(trace) = stream.next().await {
                found.extend(trace.unwrap().rows);
            }
            assert_eq!(found.len(), rows.len(), "{id:x}");
            assert!(found.iter().all(|row| rows.contains(row)), "{id:x}");
        }
    }
    names(engine, spans).await;
}

async fn names(engine: &Engine, spans: &[Span]) {
    let texts = |found: BTreeSet<String>| found.into_iter().collect::<Vec<_>>();
    let of = |row: &Span| row.local.service_name.as_deref().unwrap_or_default().to_owned();
    let mut asked = vec![(NameKind::Services, texts(spans.iter().map(of).collect()))];
    for service in ["FRONT", "back", "db"] {
        let named = spans.iter().filter(|row| of(row).eq_ignore_ascii_case(service));
        let wanted = texts(named.map(|row| row.name.as_ref().to_owned()).collect());
        asked.push((NameKind::Spans { service: service.to_owned() }, wanted));
    }
    let keys = spans.iter().flat_map(|row| &row.attributes).map(|(key, _)| key.as_ref().to_owned());
    asked.push((NameKind::TagKeys, texts(keys.collect())));
    for key in ["a", "b"] {
        let values = spans.iter().flat_map(|row| &row.attributes).filter(|(k, _)| **k == *key);
        let wanted = texts(values.map(|(_, value)| value.text().into_owned()).collect());
        asked.push((NameKind::TagValues { key: key.to_owned() }, wanted));
    }
    for (kind, wanted) in asked {
        let query = NamesQuery { kind: kind.clone(), start_ns: 0, end_ns: u64::MAX, limit: 100 };
        assert_eq!(engine.values(query, ReadCtx::default()).await.unwrap().values, wanted, "{kind:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_order_split_and_repetition_gives_the_same_answers(arrangement in arrangement()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let engine = arrangement.store().await;
            check(&engine, &arrangement.spans).await;
        });
    }
}
