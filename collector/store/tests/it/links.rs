//! Dependency links of the store are those of a few lines of brute force over all rows that were acknowledged and not
//! deleted, whatever happened to them: order, splits, repetition, sealing, compaction, deletion, restarts, questions
//! in between, lost or damaged files of links.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tracepact_analysis::{DependencyLink, dependency_links, sum_links};
use tracepact_base::{ManualClock, TraceId};
use tracepact_model::{Kind, Span, trace_timestamp_ns};
use tracepact_store::fs::Fs;
use tracepact_store::{Completeness, Deletion, Engine, EngineConfig, ReadCtx, SpanStore, StoreAdmin};

use crate::helpers::{DAY_NS, SECOND_NS, batch, span, tagged};
use crate::power::{Loss, PowerFs, root};

/// What happens, one after the other.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Span>),
    /// The batch that was appended this many appends ago, again.
    Repeat(usize),
    Seal,
    Delete(u128),
    Purge,
    /// A question for a window, in seconds.
    Ask(u64, u64),
    Restart,
}

fn row() -> impl Strategy<Value = Span> {
    let trace = prop::sample::select(vec![5u128, 1 << 64 | 5, 6, 7, 9 << 64 | 7, 8]);
    let kind = prop::sample::select(vec![
        Kind::Unset,
        Kind::Server,
        Kind::Server,
        Kind::Client,
        Kind::Client,
        Kind::Producer,
        Kind::Consumer,
    ]);
    let name = || prop::sample::select(vec!["Front", "back", "Db", ""]);
    (trace, 1u64..7, 0u64..7, kind, (name(), name()), 0u64..300, 0u8..6).prop_map(
        |(trace, id, parent, kind, (local, remote), second, more)| {
            let mut row = span(trace, id, (parent != id && parent > 0).then_some(parent), second, local);
            row.kind = kind;
            row.local.service_name = (!local.is_empty()).then(|| local.into());
            row.remote.service_name = (!remote.is_empty()).then(|| remote.into());
            match more {
                0 => row.start_ns = None,
                1 => row = tagged(row, "error", "boom"),
                2 => row.flags.shared = true,
                3 => row.local.port = Some(80),
                _ => row = tagged(row, "a", "\"error\","),
            }
            row
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let window = (0u64..300, 0u64..300).prop_map(|(a, b)| Step::Ask(a.min(b), a.max(b)));
    prop_oneof![
        6 => prop::collection::vec(row(), 1..10).prop_map(Step::Append),
        1 => (0usize..4).prop_map(Step::Repeat),
        3 => Just(Step::Seal),
        1 => prop::sample::select(vec![5u128, 6, 7, 8]).prop_map(Step::Delete),
        1 => Just(Step::Purge),
        3 => window,
        1 => Just(Step::Restart),
    ]
}

/// The store, and all rows that it must have in their order of arrival.
struct Subject {
    fs: PowerFs,
    engine: Arc<Engine>,
    rows: Vec<Span>,
    batches: Vec<Vec<Span>>,
    /// Takes every file of links away at a restart.
    forgetful: bool,
}

fn open(fs: &PowerFs) -> Arc<Engine> {
    // Few small blocks are put together soon.
    let config = EngineConfig { threads: 1, compact_blocks: 3, ..EngineConfig::default() };
    Engine::open_on(Arc::new(fs.clone()), root(), config, ManualClock::at(DAY_NS)).unwrap()
}

impl Subject {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Append(rows) => {
                self.batches.push(rows.clone());
                self.append(&rows).await;
            }
            Step::Repeat(ago) => {
                if let Some(rows) = self.batches.iter().rev().nth(ago).cloned() {
                    self.append(&rows).await;
                }
            }
            Step::Seal => self.engine.seal().unwrap(),
            Step::Delete(trace) => {
                let ctx = ReadCtx { strict_trace_id: true, ..ReadCtx::default() };
                let trace = TraceId::new(trace).unwrap();
                self.engine.delete(Deletion::Traces(vec![trace]), false, ctx).await.unwrap();
                self.rows.retain(|row| row.trace_id != trace);
            }
            Step::Purge => self.engine.purge().unwrap(),
            Step::Ask(from, to) => self.check(DAY_NS + from * SECOND_NS, DAY_NS + to * SECOND_NS).await,
            Step::Restart => {
                self.engine.close();
                self.fs = self.fs.power_off(Loss::Nothing);
                if self.forgetful {
                    let files: Vec<_> = self.fs.files().into_iter().map(|(path, _)| path).collect();
                    for path in files.iter().filter(|path| path.ends_with("links.bin")) {
                        self.fs.remove(path).unwrap();
                    }
                }
                self.engine = open(&self.fs);
            }
        }
    }

    async fn append(&mut self, rows: &[Span]) {
        // Of one request, rows of one trace with ids of both lengths come back by their ids: contradicting fragments
        // would depend on that order.
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| row.trace_id.high());
        let batch = batch(&rows);
        self.rows.extend(batch.spans.spans().unwrap());
        self.engine.append(batch).await.unwrap();
    }

    async fn check(&self, start_ns: u64, end_ns: u64) {
        let answer = self.engine.links(start_ns, end_ns, ReadCtx::default()).await.unwrap();
        assert_eq!(answer.completeness, Completeness::Complete);
        assert_eq!(answer.links, brute_force(&self.rows, start_ns, end_ns));
    }
}

fn brute_force(rows: &[Span], start_ns: u64, end_ns: u64) -> Vec<DependencyLink> {
    let mut traces: BTreeMap<u64, Vec<Span>> = BTreeMap::new();
    for row in rows {
        traces.entry(row.trace_id.low()).or_default().push(row.clone());
    }
    let counts =
        |rows: &&Vec<Span>| trace_timestamp_ns(*rows).is_some_and(|at| at >= start_ns && at <= end_ns);
    sum_links(traces.values().filter(counts).map(|rows| dependency_links(rows)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn links_are_those_of_all_rows_whatever_happened_to_them(
        steps in prop::collection::vec(step(), 1..30),
        forgetful in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let fs = PowerFs::default();
            let engine = open(&fs);
            let mut subject = Subject { fs, engine, rows: Vec::new(), batches: Vec::new(), forgetful };
            for step in steps {
                subject.take(step).await;
            }
            subject.check(0, u64::MAX).await;
            subject.check(DAY_NS + 60 * SECOND_NS, DAY_NS + 199 * SECOND_NS).await;
        });
    }
}

/// Many traces in a block and some over two: read in runs, from the index as a whole, and remembered.
#[tokio::test(flavor = "multi_thread")]
async fn many_traces_over_two_blocks_are_counted_once() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    let mut subject = Subject { fs, engine, rows: Vec::new(), batches: Vec::new(), forgetful: true };
    for half in 0..2u64 {
        for hundred in 0..30u128 {
            let rows: Vec<Span> = (1..=100u128)
                // Every third trace has its second half in another block, and a repetition of its first.
                .flat_map(|trace| {
                    let trace =
                        (hundred * 100 + trace).wrapping_mul(0x9E37_79B9_7F4A_7C15) & u128::from(u64::MAX);
                    let front = span(trace, 1, None, 10 + half, "front");
                    let back = tagged(span(trace, 2, Some(1), 11, "back"), "error", "");
                    match (trace % 3, half) {
                        (0, 0) => vec![front],
                        (0, _) => vec![back, front],
                        (_, 0) => vec![front, back],
                        _ => vec![],
                    }
                })
                .collect();
            subject.append(&rows).await;
        }
        subject.check(0, u64::MAX).await;
        subject.engine.seal().unwrap();
        subject.check(0, u64::MAX).await;
    }
    let answer = subject.engine.links(0, u64::MAX, ReadCtx::default()).await.unwrap();
    assert_eq!(answer.links.len(), 1);
    assert_eq!((answer.links[0].call_count, answer.links[0].error_count), (3_000, 3_000));
    subject.take(Step::Restart).await;
    subject.check(0, u64::MAX).await;
    subject.check(0, DAY_NS + 10 * SECOND_NS).await;
}

/// Guarantees: what a damaged file of links said is computed from the rows, and damaged rows are named.
#[tokio::test(flavor = "multi_thread")]
async fn damage_is_computed_around_or_named() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    let mut subject = Subject { fs, engine, rows: Vec::new(), batches: Vec::new(), forgetful: false };
    subject.append(&[span(5, 1, None, 1, "front"), span(5, 2, Some(1), 2, "back")]).await;
    subject.engine.seal().unwrap();
    subject
        .append(&[span(5, 3, Some(2), 3, "db"), span(6, 1, None, 1, "front"), span(6, 2, Some(1), 1, "db")])
        .await;
    subject.engine.seal().unwrap();
    subject.engine.close();
    let wanted = brute_force(&subject.rows, 0, u64::MAX);
    let mut named = std::collections::BTreeSet::new();
    for (path, len) in subject.fs.files() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !["links.bin", "index.bin", "spans.parquet"].contains(&name.as_str()) {
            continue;
        }
        for at in (0..len).step_by(len.div_ceil(40)) {
            let fs = subject.fs.power_off(Loss::Nothing);
            fs.flip(&path, at);
            let answer = open(&fs).links(0, u64::MAX, ReadCtx::default()).await.unwrap();
            match answer.completeness {
                Completeness::Complete => assert_eq!(answer.links, wanted, "{} at {at}", path.display()),
                Completeness::Damaged { .. } => drop(named.insert(name.clone())),
                Completeness::Cut { .. } => panic!("{} at {at}: {answer:?}", path.display()),
            }
        }
    }
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["index.bin", "spans.parquet"]);
}
