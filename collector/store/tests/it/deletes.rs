//! Deleted traces are hidden at once, stay hidden, and leave the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use tracepact_base::{ErrorKind, Event, EventKind, ManualClock, TraceId};
use tracepact_store::{
    Deletion, Engine, EngineConfig, EventQuery, EventStore, NameKind, NamesQuery, Pending, Predicate,
    ReadCtx, SpanQuery, SpanStore, StoreAdmin,
};

use crate::helpers::{DAY_NS, all, batch, hits, rows, span, tagged};
use crate::power::{Loss, PowerFs, root};

fn open(fs: &PowerFs) -> Arc<Engine> {
    let config = EngineConfig { threads: 1, tombstones_max: 50, ..EngineConfig::default() };
    Engine::open_on(Arc::new(fs.clone()), root(), config, ManualClock::at(DAY_NS)).unwrap()
}

fn restarted(fs: &PowerFs, engine: Arc<Engine>) -> (PowerFs, Arc<Engine>) {
    engine.close();
    drop(engine);
    let fs = fs.power_off(Loss::Nothing);
    let engine = open(&fs);
    (fs, engine)
}

fn ids(values: &[u128]) -> Vec<TraceId> {
    values.iter().map(|value| TraceId::new(*value).unwrap()).collect()
}

async fn delete(engine: &Engine, values: &[u128]) -> Vec<u128> {
    let deleted = engine.delete(Deletion::Traces(ids(values)), false, ReadCtx::default()).await.unwrap();
    deleted.traces.iter().map(|id| id.as_u128()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_trace_is_gone_at_once_and_from_the_disk_with_the_next_compaction() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    engine.append(batch(&[span(1, 1, None, 1, "a"), span(2, 1, None, 2, "a")])).await.unwrap();
    engine.seal().unwrap();
    engine.append(batch(&[span(1, 2, Some(1), 3, "a"), span(3, 1, None, 3, "a")])).await.unwrap();
    assert_eq!(delete(&engine, &[1, 99]).await, [1], "an unknown trace is left out");
    assert_eq!(hits(&*engine, all(&[])).await, [3, 2]);
    assert_eq!(rows(&*engine, 1).await, []);
    assert_eq!(engine.pending(), Pending { traces: 1, oldest_ns: Some(DAY_NS) });
    // Later rows of the trace are new data.
    engine.append(batch(&[span(1, 9, None, 9, "a")])).await.unwrap();
    assert_eq!(rows(&*engine, 1).await.len(), 1);

    let (fs, engine) = restarted(&fs, engine);
    assert_eq!(hits(&*engine, all(&[])).await, [1, 3, 2]);
    assert_eq!(rows(&*engine, 1).await.len(), 1);
    engine.seal().unwrap();
    assert_eq!(
        (engine.stats().deleted_rows, engine.stats().block_rows),
        (1, 4),
        "the hot row was not written"
    );
    assert_eq!(engine.pending().traces, 1, "a block still holds a row");
    let (fs, engine) = restarted(&fs, engine);
    assert_eq!((rows(&*engine, 1).await.len(), engine.pending().traces), (1, 1));
    engine.purge().unwrap();
    assert_eq!((engine.stats().block_rows, engine.stats().rewritten_blocks), (3, 1));
    assert_eq!(engine.pending(), Pending::default());
    // Nothing hides the row any more: it is really gone.
    let (_, engine) = restarted(&fs, engine);
    assert_eq!(hits(&*engine, all(&[])).await, [1, 3, 2]);
    assert_eq!(rows(&*engine, 1).await.len(), 1);
    assert!(engine.health().is_ok(), "{:?}", engine.health());
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_put_together_without_deleted_rows() {
    let fs = PowerFs::default();
    let config = EngineConfig { threads: 1, compact_blocks: 3, ..EngineConfig::default() };
    let engine = Engine::open_on(Arc::new(fs.clone()), root(), config, ManualClock::at(DAY_NS)).unwrap();
    for n in 1..=2u64 {
        engine.append(batch(&[span(u128::from(n), n, None, n, "a")])).await.unwrap();
        engine.seal().unwrap();
    }
    delete(&engine, &[1]).await;
    // The very row that was deleted comes once more: it is new data, no duplicate.
    engine.append(batch(&[span(1, 1, None, 1, "a"), span(3, 3, None, 3, "a")])).await.unwrap();
    engine.seal().unwrap();
    let stats = engine.stats();
    assert_eq!((stats.blocks, stats.block_rows, stats.deleted_rows), (1, 3, 1));
    assert_eq!(rows(&*engine, 1).await.len(), 1);
    engine.purge().unwrap();
    assert_eq!((engine.pending().traces, engine.stats().rewritten_blocks), (0, 0), "nothing was left to do");
    let (_, engine) = restarted(&fs, engine);
    assert_eq!(hits(&*engine, all(&[])).await, [3, 2, 1]);
    assert_eq!(rows(&*engine, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_only_deleted_rows_in_memory_say_are_not_offered() {
    let engine = open(&PowerFs::default());
    engine.append(batch(&[tagged(span(1, 1, None, 1, "gone"), "secret", "1")])).await.unwrap();
    engine.append(batch(&[tagged(span(2, 1, None, 2, "kept"), "user", "eve")])).await.unwrap();
    delete(&engine, &[1]).await;
    let names = async |kind| {
        let query = NamesQuery { kind, start_ns: 0, end_ns: u64::MAX, limit: 9 };
        engine.values(query, ReadCtx::default()).await.unwrap().values
    };
    assert_eq!(names(NameKind::Services).await, ["kept"]);
    assert_eq!(names(NameKind::TagKeys).await, ["user"]);
    assert!(names(NameKind::TagValues { key: "secret".into() }).await.is_empty());
    assert_eq!(names(NameKind::TagValues { key: "user".into() }).await, ["eve"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_with_nothing_left_goes_and_so_does_its_log() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    engine.append(batch(&[span(1, 1, None, 1, "a")])).await.unwrap();
    engine.seal().unwrap();
    delete(&engine, &[1]).await;
    engine.seal().unwrap();
    engine.purge().unwrap();
    assert_eq!((engine.stats().blocks, engine.stats().tombstones), (0, 0));
    // Counts are not of one trace; their exemplars went.
    let left = |path: &Path| path.starts_with("/store/data") && !path.starts_with("/store/data/default/red");
    let blocks: Vec<_> = fs.files().into_iter().filter(|(path, _)| left(path)).collect();
    assert_eq!(blocks, [], "no file of a block is left");
    let (_, engine) = restarted(&fs, engine);
    assert_eq!(rows(&*engine, 1).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_deletes_what_it_finds_within_its_limit_and_says_when_there_is_more() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    for n in 1..=5u64 {
        let user = if n == 3 { "eve" } else { "bob" };
        engine.append(batch(&[tagged(span(u128::from(n), 1, None, n, "a"), "user", user)])).await.unwrap();
        if n == 2 {
            engine.seal().unwrap();
        }
    }
    let bob = all(&[Predicate::Tag("user".into(), "bob".into())]);
    let three = Deletion::Matching(SpanQuery { limit: 3, ..bob.clone() });
    let dry = engine.delete(three.clone(), true, ReadCtx::default()).await.unwrap();
    assert_eq!((dry.traces.len(), dry.more, engine.pending().traces), (3, true, 0), "only looked");
    let first = engine.delete(three, false, ReadCtx::default()).await.unwrap();
    assert_eq!((first.traces, first.more), (ids(&[5, 4, 2]), true));
    let rest = engine.delete(Deletion::Matching(bob.clone()), false, ReadCtx::default()).await.unwrap();
    assert_eq!((rest.traces, rest.more), (ids(&[1]), false));
    assert_eq!(hits(&*engine, all(&[])).await, [3]);
    engine.seal().unwrap();
    engine.purge().unwrap();
    assert_eq!((engine.stats().block_rows, engine.stats().tombstones), (1, 0));
    let names = NamesQuery {
        kind: NameKind::TagValues { key: "user".into() },
        start_ns: 0,
        end_ns: u64::MAX,
        limit: 9,
    };
    let names = engine.values(names, ReadCtx::default()).await.unwrap().values;
    assert_eq!(names, ["eve"], "its tags are offered no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_as_wide_as_the_reader_takes_them() {
    let wide = |high: u128| high << 64 | 7;
    for lenient in [false, true] {
        let fs = PowerFs::default();
        let engine = open(&fs);
        engine
            .append(batch(&[
                span(7, 1, None, 1, "a"),
                span(wide(1), 2, None, 2, "a"),
                span(wide(2), 3, None, 3, "a"),
            ]))
            .await
            .unwrap();
        let ctx = ReadCtx { strict_trace_id: !lenient, ..ReadCtx::default() };
        engine.delete(Deletion::Traces(ids(&[wide(1)])), false, ctx).await.unwrap();
        let left: &[u128] = if lenient { &[] } else { &[wide(2), 7] };
        assert_eq!(hits(&*engine, all(&[])).await, left);
        let (_, engine) = restarted(&fs, engine);
        assert_eq!(hits(&*engine, all(&[])).await, left);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_were_derived_from_the_trace_go_with_it() {
    let trace = TraceId::new(1).unwrap();
    let event = |about: &str, id: TraceId| {
        Event::new(EventKind::MessageVerdict, DAY_NS, about).link("trace", format!("/traces/{id}"))
    };
    let titles = async |engine: &Engine| -> Vec<String> {
        let query = EventQuery { limit: 10, ..EventQuery::default() };
        let mut titles: Vec<_> = engine
            .events(query, ReadCtx::default())
            .await
            .unwrap()
            .into_iter()
            .map(|event| event.title)
            .collect();
        titles.sort();
        titles
    };
    let fs = PowerFs::default();
    let engine = open(&fs);
    engine.append(batch(&[span(1, 1, None, 1, "a")])).await.unwrap();
    engine
        .append_events(vec![event("sealed", trace), event("other", TraceId::new(2).unwrap())])
        .await
        .unwrap();
    engine.seal().unwrap();
    engine.append_events(vec![event("in memory", trace)]).await.unwrap();
    delete(&engine, &[1]).await;
    assert_eq!(titles(&engine).await, ["other"]);
    engine.append_events(vec![event("later", trace)]).await.unwrap();
    let (fs, engine) = restarted(&fs, engine);
    assert_eq!(titles(&engine).await, ["later", "other"]);
    engine.seal().unwrap();
    engine.purge().unwrap();
    assert_eq!(engine.pending().traces, 0);
    let (_, engine) = restarted(&fs, engine);
    assert_eq!(titles(&engine).await, ["later", "other"], "and nothing hides the others any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_are_bounded() {
    let engine = open(&PowerFs::default());
    let many: Vec<_> = (1..=51u64).map(|n| span(u128::from(n), 1, None, n, "a")).collect();
    engine.append(batch(&many)).await.unwrap();
    let all_of_them = Deletion::Traces(ids(&(1..=51).collect::<Vec<u128>>()));
    let error = engine.delete(all_of_them, false, ReadCtx::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exhausted);
    assert!(error.reason.contains("exceed 50") && error.retry_after_ms.is_some(), "{error}");
    assert_eq!(hits(&*engine, SpanQuery { limit: 100, ..all(&[]) }).await.len(), 51, "all or none");
    let error = engine
        .delete(Deletion::Traces(ids(&(1..=10_001).collect::<Vec<u128>>())), false, ReadCtx::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_list_of_deletions_keeps_the_store_shut() {
    let fs = PowerFs::default();
    let engine = open(&fs);
    engine.append(batch(&[span(1, 1, None, 1, "a"), span(2, 1, None, 1, "a")])).await.unwrap();
    delete(&engine, &[1]).await;
    engine.seal().unwrap();
    engine.close();
    let (path, len) = fs.files().into_iter().find(|(path, _)| path.ends_with("tombstones.bin")).unwrap();
    for at in 0..len {
        let fs = fs.power_off(Loss::Nothing);
        fs.flip(&path, at);
        let opened = Engine::open_on(Arc::new(fs), root(), EngineConfig::default(), ManualClock::at(DAY_NS));
        let error = opened.unwrap_err();
        assert!(error.reason.contains("tombstones.bin") && error.reason.contains("show again"), "{error}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(u8),
    Delete(u8),
    Seal,
    Purge,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u8..6).prop_map(Step::Append),
        2 => (1u8..6).prop_map(Step::Delete),
        1 => Just(Step::Seal),
        1 => Just(Step::Purge),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn only_what_came_after_the_last_deletion_is_seen(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut fs = PowerFs::default();
            let mut engine = open(&fs);
            let mut shown: BTreeMap<u8, Vec<u64>> = BTreeMap::new();
            for (n, step) in (1u64..).zip(steps) {
                match step {
                    Step::Append(trace) => {
                        engine.append(batch(&[span(u128::from(trace), n, None, n, "a")])).await.unwrap();
                        shown.entry(trace).or_default().push(n);
                    }
                    Step::Delete(trace) => {
                        delete(&engine, &[u128::from(trace)]).await;
                        shown.remove(&trace);
                    }
                    Step::Seal => engine.seal().unwrap(),
                    Step::Purge => engine.purge().unwrap(),
                    Step::Restart => (fs, engine) = restarted(&fs, engine),
                }
                for trace in 1..6u8 {
                    let found: Vec<u64> = rows(&*engine, u128::from(trace)).await.iter().map(|row| row.span_id.as_u64()).collect();
                    assert_eq!(found, shown.get(&trace).cloned().unwrap_or_default(), "trace {trace} after step {n}");
                }
                let found = hits(&*engine, all(&[])).await.len();
                assert_eq!(found, shown.len(), "after step {n}");
            }
            engine.seal().unwrap();
            engine.purge().unwrap();
            assert_eq!(engine.pending().traces, 0);
            let rows: usize = shown.values().map(Vec::len).sum();
            assert_eq!(engine.stats().block_rows, rows as u64, "what was deleted is off the disk");
        });
    }
}
