//! Counts by minute are those of every request that was acknowledged, each body once between two seals, whatever
//! happened to its rows: sampling, sealing, restarts, deletion.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use proptest::prelude::*;
use tracepact_base::{ManualClock, TraceId};
use tracepact_model::{Admission, Kind, Span, SpanBatch};
use tracepact_store::{
    Completeness, Deletion, Dimension, Engine, EngineConfig, ReadCtx, RedAnswer, RedCounts, RedQuery,
    RedStore, SpanStore, StoreAdmin,
};

use crate::helpers::{DAY_NS, SECOND_NS, batch, span, tagged};
use crate::power::{Loss, PowerFs, root};

const MINUTE_NS: u64 = 60 * SECOND_NS;

fn open(fs: &PowerFs) -> Arc<Engine> {
    // Few small blocks are put together soon.
    let config = EngineConfig { threads: 1, compact_blocks: 2, ..EngineConfig::default() };
    Engine::open_on(Arc::new(fs.clone()), root(), config, ManualClock::at(DAY_NS)).unwrap()
}

async fn red(engine: &Engine, dimension: Dimension, minutes: std::ops::RangeInclusive<u64>) -> RedAnswer {
    let (start_ns, end_ns) = (DAY_NS + minutes.start() * MINUTE_NS, DAY_NS + minutes.end() * MINUTE_NS);
    let query = RedQuery { dimension, service: None, start_ns, end_ns };
    engine.red(query, ReadCtx::default()).await.unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    /// Spans, the minute of their receipt, and whether sampling takes each of them away.
    Append(Vec<(Span, bool)>, u64),
    Repeat(usize),
    Seal,
    Delete(u128),
    Purge,
    Restart,
}

fn row() -> impl Strategy<Value = (Span, bool)> {
    let kind =
        prop::sample::select(vec![Kind::Server, Kind::Server, Kind::Consumer, Kind::Client, Kind::Internal]);
    let name = || prop::sample::select(vec!["orders", "payments", "db"]);
    (1u128..6, 1u64..1_000, kind, name(), name(), 0u64..5, any::<bool>(), any::<bool>()).prop_map(
        |(trace, id, kind, service, remote, ms, failed, sampled_out)| {
            let mut row = span(trace, id, None, 1, service);
            row.kind = kind;
            row.name = format!("op {}", id % 3).into();
            row.remote.service_name = (id % 4 > 0).then(|| remote.into());
            row.duration_ns = (ms > 0).then_some(ms * 1_000_000);
            (if failed { tagged(row, "error", "") } else { row }, sampled_out)
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (prop::collection::vec(row(), 1..8), 0u64..4).prop_map(|(rows, minute)| Step::Append(rows, minute)),
        2 => (0usize..4).prop_map(Step::Repeat),
        2 => Just(Step::Seal),
        1 => (1u128..6).prop_map(Step::Delete),
        1 => Just(Step::Purge),
        2 => Just(Step::Restart),
    ]
}

/// What the store must know.
#[derive(Default)]
struct Model {
    /// Counts of each minute.
    minutes: [RedCounts; 4],
    /// Since the last seal.
    bodies: HashSet<Vec<u8>>,
    /// Traces with rows that can be read.
    traces: BTreeSet<u128>,
}

async fn append(engine: &Engine, model: &mut Model, rows: &[(Span, bool)], minute: u64) {
    let spans: Vec<Span> = rows.iter().map(|(span, _)| span.clone()).collect();
    let SpanBatch { codec, body, spans, .. } = batch(&spans);
    let rejected: Vec<u32> = (0u32..).zip(rows).filter(|(_, (_, out))| *out).map(|(at, _)| at).collect();
    let counts = RedCounts::of(&spans, &rejected);
    let all_out = rejected.len() == rows.len();
    if all_out || model.bodies.insert(body.to_vec()) {
        model.minutes[minute as usize].merge(&counts);
    }
    let kept = rows.iter().filter(|(_, out)| !*out);
    model.traces.extend(kept.map(|(span, _)| span.trace_id.as_u128()));
    let admission = Admission { rejected };
    let spans = admission.admit_chunk(spans);
    let batch = SpanBatch { codec, body, received_at_ns: DAY_NS + minute * MINUTE_NS + 7, admission, spans };
    engine.append_counted(batch, counts).await.unwrap();
}

async fn check(engine: &Engine, model: &Model) {
    for dimension in Dimension::ALL {
        for (from, to) in [(0, 3), (1, 2), (3, 3)] {
            let answer = red(engine, dimension, from..=to).await;
            assert_eq!(answer.completeness, Completeness::Complete);
            let mut wanted = RedCounts::default();
            model.minutes[from as usize..=to as usize].iter().for_each(|minute| wanted.merge(minute));
            let plain = |row: &tracepact_store::RedRow| (row.errors, row.sum_ns, row.durations.clone());
            let mut wanted: Vec<_> = wanted
                .rows()
                .filter(|(key, _)| key.dimension == dimension)
                .map(|(key, row)| (key.clone(), plain(row)))
                .collect();
            let mut found: Vec<_> = answer.rows.iter().map(|(key, row)| (key.clone(), plain(row))).collect();
            wanted.sort_by(|a, b| a.0.cmp(&b.0));
            found.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(found, wanted, "{dimension:?} of minutes {from} to {to}");
            let exemplars = answer.rows.iter().flat_map(|(_, row)| [row.slowest, row.failed]).flatten();
            for exemplar in exemplars {
                assert!(
                    model.traces.contains(&exemplar.trace_id),
                    "{exemplar:?} is of no trace that is there"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn counts_are_those_of_all_requests(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut fs = PowerFs::default();
            let mut engine = open(&fs);
            let mut model = Model::default();
            let mut appended: Vec<(Vec<(Span, bool)>, u64)> = Vec::new();
            for step in steps {
                match step {
                    Step::Append(rows, minute) => {
                        append(&engine, &mut model, &rows, minute).await;
                        appended.push((rows, minute));
                    }
                    Step::Repeat(ago) => {
                        if let Some((rows, minute)) = appended.iter().rev().nth(ago) {
                            append(&engine, &mut model, rows, *minute).await;
                        }
                    }
                    Step::Seal => {
                        engine.seal().unwrap();
                        model.bodies.clear();
                    }
                    Step::Delete(trace) => {
                        let ids = vec![TraceId::new(trace).unwrap()];
                        engine.delete(Deletion::Traces(ids), false, ReadCtx::default()).await.unwrap();
                        model.traces.remove(&trace);
                    }
                    Step::Purge => engine.purge().unwrap(),
                    Step::Restart => {
                        engine.close();
                        fs = fs.power_off(Loss::All);
                        engine = open(&fs);
                    }
                }
                check(&engine, &model).await;
            }
        });
    }
}

/// Guarantees: exemplars of a deleted trace are gone from the disk as well once it is purged.
#[tokio::test(flavor = "multi_thread")]
async fn exemplars_go_with_their_trace_and_counts_stay() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    engine.append(batch(&[span(0xabc, 1, None, 1, "orders")])).await.unwrap();
    engine.seal().unwrap();
    let operations = red(&engine, Dimension::Operation, 0..=0).await;
    assert_eq!(operations.rows[0].1.slowest.unwrap().trace_id, 0xabc);
    let ids = vec![TraceId::new(0xabc).unwrap()];
    engine.delete(Deletion::Traces(ids), false, ReadCtx::default()).await.unwrap();
    let operations = red(&engine, Dimension::Operation, 0..=0).await;
    assert_eq!((operations.rows[0].1.slowest, operations.rows[0].1.durations.count()), (None, 1));
    engine.seal().unwrap();
    engine.purge().unwrap();
    assert_eq!(engine.pending().traces, 0);
    engine.close();
    let engine = open(&fs.power_off(Loss::All));
    let operations = red(&engine, Dimension::Operation, 0..=0).await;
    assert_eq!((operations.rows[0].1.slowest, operations.rows[0].1.durations.count()), (None, 1));
}

/// Guarantees: counts that cannot be read are named, and not missing in silence.
#[tokio::test(flavor = "multi_thread")]
async fn damaged_counts_are_named() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    engine.append(batch(&[span(1, 1, None, 1, "orders")])).await.unwrap();
    engine.seal().unwrap();
    engine.close();
    let files = fs.files();
    let (path, len) = files.iter().find(|(path, _)| path.ends_with("red.bin")).unwrap();
    fs.flip(path, len / 2);
    let answer = red(&open(&fs.power_off(Loss::Nothing)), Dimension::Operation, 0..=0).await;
    assert!(matches!(answer.completeness, Completeness::Damaged { .. }), "{answer:?}");
}

/// Guarantees: seals do not leave a block of counts each for ever.
#[tokio::test(flavor = "multi_thread")]
async fn small_blocks_of_counts_are_put_together() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    for number in 1..=10u64 {
        engine.append(batch(&[span(u128::from(number), number, None, 1, "orders")])).await.unwrap();
        engine.seal().unwrap();
    }
    let blocks = fs.files().iter().filter(|(path, _)| path.ends_with("red.bin")).count();
    assert!(blocks <= 4, "{blocks} blocks of counts");
    let operations = red(&engine, Dimension::Operation, 0..=0).await;
    assert_eq!(operations.rows[0].1.durations.count(), 10);
}
