//! What was acknowledged survives a power loss at every point of a run, and every sync is there because it must be.

use std::io;
use std::sync::Arc;

use tracepact_base::{ErrorKind, Event, EventKind, ManualClock, TraceId};
use tracepact_store::{
    Completeness, Deletion, Dimension, Engine, EngineConfig, EventQuery, EventStore, Health, Labels, Point,
    ReadCtx, RedQuery, RedStore, SeriesQuery, SeriesStore, SpanStore, StoreAdmin,
};

use crate::helpers::{DAY_NS, all, batch, hits, rows, span, tagged};
use crate::power::{Loss, Op, PowerFs, root};

fn open(fs: &PowerFs) -> Result<Arc<Engine>, tracepact_store::StoreError> {
    let config = EngineConfig { threads: 1, ..EngineConfig::default() };
    Engine::open_on(Arc::new(fs.clone()), root(), config, ManualClock::at(DAY_NS))
}

fn point(number: u64) -> Point {
    Point { name: "lag".into(), labels: Labels::new(), at_ns: DAY_NS + number, value: number as f64 }
}

fn event(number: u64) -> Event {
    let mut event = Event::new(EventKind::Deploy, DAY_NS + number, "deployed");
    event.id = format!("event-{number:03}");
    event
}

/// Marks of acknowledgements: kind and number.
const SPAN: u64 = 1_000;
const POINT: u64 = 2_000;
const EVENT: u64 = 3_000;
/// A deletion of the span was asked for, and answered.
const DELETING: u64 = 4_000;
const DELETED: u64 = 5_000;

/// Appends one of each kind under `number` and marks the run when each was acknowledged.
async fn put(fs: &PowerFs, engine: &Engine, number: u64) {
    let mut span = span(u128::from(number), number, None, number, "a");
    // Two different exemplars in one block of counts, which is written anew for each that is deleted.
    match number {
        4 => span.duration_ns = Some(5_000_000),
        5 => span = tagged(span, "error", ""),
        _ => {}
    }
    engine.append(batch(&[span])).await.unwrap();
    fs.mark(SPAN + number);
    engine.append_points(vec![point(number)]).await.unwrap();
    fs.mark(POINT + number);
    engine.append_events(vec![event(number)]).await.unwrap();
    fs.mark(EVENT + number);
}

/// A run with everything in it: appends, a seal, more appends, another seal, a restart's worth of log.
async fn recorded() -> Vec<Op> {
    let fs = PowerFs::default();
    let engine = open(&fs).unwrap();
    for number in 1..=3 {
        put(&fs, &engine, number).await;
    }
    engine.seal().unwrap();
    for number in 4..=5 {
        put(&fs, &engine, number).await;
    }
    engine.seal().unwrap();
    put(&fs, &engine, 6).await;
    let ops = fs.ops();
    engine.close();
    ops
}

/// A run that deletes: whole blocks, parts of a block, rows in memory, and what a block was rewritten to; and one that
/// expires.
async fn recorded_deletions() -> Vec<Op> {
    let fs = PowerFs::default();
    let engine = open(&fs).unwrap();
    let mut old = span(100, 100, None, 1, "a");
    old.start_ns = Some(DAY_NS - 8 * 86_400 * 1_000_000_000);
    engine.append(batch(&[old])).await.unwrap();
    fs.mark(SPAN + 100);
    // By itself: of two days that one seal creates, the second one's sync of their folder covers the first.
    engine.seal().unwrap();
    for number in 1..=2 {
        put(&fs, &engine, number).await;
    }
    engine.seal().unwrap();
    put(&fs, &engine, 7).await;
    engine.seal().unwrap();
    fs.mark(DELETING + 100);
    engine.expire();
    for number in 1..=2 {
        delete(&fs, &engine, number).await;
    }
    for number in 3..=5 {
        put(&fs, &engine, number).await;
    }
    delete(&fs, &engine, 3).await;
    engine.seal().unwrap();
    engine.purge().unwrap();
    assert_eq!(engine.pending().traces, 0);
    delete(&fs, &engine, 4).await;
    engine.seal().unwrap();
    engine.purge().unwrap();
    delete(&fs, &engine, 5).await;
    engine.seal().unwrap();
    engine.purge().unwrap();
    assert_eq!((engine.pending().traces, engine.stats().blocks), (0, 1));
    put(&fs, &engine, 6).await;
    let ops = fs.ops();
    engine.close();
    ops
}

async fn delete(fs: &PowerFs, engine: &Engine, number: u64) {
    fs.mark(DELETING + number);
    let ids = vec![TraceId::new(u128::from(number)).unwrap()];
    let deleted = engine.delete(Deletion::Traces(ids), false, ReadCtx::default()).await.unwrap();
    assert_eq!(deleted.traces.len(), 1);
    fs.mark(DELETED + number);
}

/// Spans of the whole run.
fn ops_spans(ops: &[Op]) -> u64 {
    ops.iter().filter(|op| matches!(op, Op::Mark(mark) if mark / 1_000 * 1_000 == SPAN)).count() as u64
}

/// What is wrong after the first `count` calls and a power loss; `None` when everything acknowledged is there.
async fn wrong_after(ops: &[Op], count: usize, skipped: Option<usize>, loss: Loss) -> Option<String> {
    let fs = PowerFs::after(ops, count, skipped, loss);
    let acknowledged: Vec<u64> = ops[..count]
        .iter()
        .filter_map(|op| if let Op::Mark(number) = op { Some(*number) } else { None })
        .collect();
    let engine = match open(&fs) {
        Ok(engine) => engine,
        Err(error) => return Some(format!("it does not open: {error}")),
    };
    if engine.health() != Health::default() {
        return Some(format!("{:?}", engine.health()));
    }
    let query = SeriesQuery { start_ns: 0, end_ns: u64::MAX, ..SeriesQuery::default() };
    let series = engine.select(query, ReadCtx::default()).await.unwrap().series;
    let points: Vec<u64> =
        series.iter().flat_map(|series| &series.points).map(|(at, _)| at - DAY_NS).collect();
    let query = EventQuery { limit: 100, ..EventQuery::default() };
    let events = engine.events(query, ReadCtx::default()).await.unwrap();
    let answer = engine.search(all(&[]), ReadCtx::default()).await.unwrap();
    if answer.completeness != Completeness::Complete {
        return Some(format!("{:?}", answer.completeness));
    }
    let found: Vec<u128> = answer.hits.iter().map(|hit| hit.trace_id.as_u128()).collect();
    // No answer needs it, but a block with a file that is not what was written is a damaged block.
    let files = fs.files();
    let published =
        |path: &std::path::Path| files.iter().any(|(other, _)| *other == path.with_file_name("meta.json"));
    if files.iter().any(|(path, len)| path.ends_with("links.bin") && *len == 0 && published(path)) {
        return Some("the links of a published block are lost".to_owned());
    }
    let query = RedQuery { dimension: Dimension::Operation, service: None, start_ns: 0, end_ns: u64::MAX };
    let red = engine.red(query, ReadCtx::default()).await.unwrap();
    let counted: u64 = red.rows.iter().map(|(_, row)| row.durations.count()).sum();
    let (spans, all) = (|mark: &&u64| **mark / 1_000 * 1_000 == SPAN, ops_spans(ops));
    if red.completeness != Completeness::Complete
        || counted < acknowledged.iter().filter(spans).count() as u64
        || counted > all
    {
        return Some(format!("{counted} of {all} spans are counted: {:?}", red.completeness));
    }
    for mark in acknowledged.iter().copied() {
        let (kind, number) = (mark / 1_000 * 1_000, mark % 1_000);
        if kind == DELETED
            && (!rows(&*engine, u128::from(number)).await.is_empty() || found.contains(&u128::from(number)))
        {
            return Some(format!("span {number} was deleted and is back"));
        }
        if kind == SPAN
            && !acknowledged.contains(&(DELETING + number))
            && (rows(&*engine, u128::from(number)).await.len() != 1 || !found.contains(&u128::from(number)))
        {
            return Some(format!("span {number} is lost or doubled"));
        }
        if kind == POINT && points.iter().filter(|at| **at == number).count() != 1 {
            return Some(format!("point {number} is lost"));
        }
        if kind == EVENT && events.iter().filter(|found| **found == event(number)).count() != 1 {
            return Some(format!("event {number} is lost"));
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_acknowledged_survives_at_every_point() {
    survives_at_every_point(&recorded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_survive_at_every_point_and_take_nothing_else() {
    survives_at_every_point(&recorded_deletions().await).await;
}

async fn survives_at_every_point(ops: &[Op]) {
    for count in 0..=ops.len() {
        for loss in Loss::EACH {
            if let Some(wrong) = wrong_after(ops, count, None, loss).await {
                panic!(
                    "after {count} of {} calls ({loss:?}): {wrong}\nlast: {:?}",
                    ops.len(),
                    ops[..count].last()
                );
            }
        }
    }
}

/// The proof that the test above can fail: without any one sync, some power loss takes something.
#[tokio::test(flavor = "multi_thread")]
async fn no_sync_is_idle() {
    every_sync_protects(&recorded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sync_of_deleting_and_rewriting_is_idle() {
    every_sync_protects(&recorded_deletions().await).await;
}

async fn every_sync_protects(ops: &[Op]) {
    let syncs: Vec<usize> = (0..ops.len()).filter(|i| ops[*i].is_sync()).collect();
    assert!(syncs.len() > 30, "only {} syncs", syncs.len());
    let mut idle = Vec::new();
    'next: for skipped in syncs {
        for count in skipped + 1..=ops.len() {
            for loss in [Loss::All, Loss::LateEntry] {
                if wrong_after(ops, count, Some(skipped), loss).await.is_some() {
                    continue 'next;
                }
            }
        }
        // Counts only ever leave when a block takes their place, and that one's folder is synced: the sync of a removal,
        // which is the same for every kind of block, protects the other kinds.
        let of_counts =
            matches!(&ops[skipped], Op::SyncDir(path) if path.starts_with("/store/data/default/red"));
        if of_counts && matches!(ops[..skipped].last(), Some(Op::Remove(_))) {
            continue;
        }
        idle.push(format!("call {skipped}: {:?} after {:?}", ops[skipped], ops[..skipped].last().map(short)));
    }
    assert!(idle.is_empty(), "these syncs protect nothing:\n{}", idle.join("\n"));
}

fn short(op: &Op) -> String {
    format!("{op:?}").chars().take(120).collect()
}

/// A second power loss, right after the first recovery, takes nothing that the recovery showed.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_recovery_showed_stays() {
    let ops = recorded().await;
    for count in (0..=ops.len()).step_by(3) {
        for loss in Loss::EACH {
            let fs = PowerFs::after(&ops, count, None, loss);
            let engine = open(&fs).unwrap();
            let before = hits(&*engine, all(&[])).await;
            engine.append(batch(&[span(777, 7, None, 9, "a")])).await.unwrap();
            // The state on disk now, as if the power went before any further sync.
            let after = fs.power_off(Loss::All);
            let engine = open(&after).unwrap();
            assert_eq!(engine.health(), Health::default(), "after {count} ({loss:?})");
            let found = hits(&*engine, all(&[])).await;
            assert!(
                before.iter().all(|id| found.contains(id)),
                "after {count} ({loss:?}): {before:?} → {found:?}"
            );
            assert!(found.contains(&777));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_byte_of_the_log_is_reported() {
    let fs = PowerFs::default();
    let engine = open(&fs).unwrap();
    for number in 1..=3 {
        put(&fs, &engine, number).await;
    }
    engine.close();
    let ops = fs.ops();
    let log = |fs: &PowerFs| {
        fs.files().into_iter().find(|(path, _)| path.extension().is_some_and(|e| e == "log")).unwrap()
    };
    let (path, len) = log(&PowerFs::after(&ops, ops.len(), None, Loss::All));
    let mut unreported = Vec::new();
    for at in 0..len {
        let fs = PowerFs::after(&ops, ops.len(), None, Loss::All);
        fs.flip(&path, at);
        let Ok(engine) = open(&fs) else { continue };
        let answer = engine.search(all(&[]), ReadCtx::default()).await.unwrap();
        let lost = answer.hits.len() < 3;
        assert!(
            !lost || answer.completeness != Completeness::Complete,
            "at {at} a short answer called itself complete"
        );
        let points = engine.stats().hot_points < 3;
        if (lost || points) && engine.health().damage.is_empty() {
            unreported.push(at);
        }
    }
    assert!(unreported.is_empty(), "flips at {unreported:?} of {len} lost something in silence");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_makes_the_store_read_only_and_it_says_so() {
    let fs = PowerFs::default();
    let engine = open(&fs).unwrap();
    put(&fs, &engine, 1).await;
    fs.fail(io::ErrorKind::StorageFull);
    for _ in 0..2 {
        let error = engine.append(batch(&[span(2, 2, None, 2, "a")])).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.reason.contains("read-only"), "{error}");
    }
    assert!(engine.health().read_only.is_some());
    assert_eq!(hits(&*engine, all(&[])).await, [1]);
    assert!(engine.seal().is_err());
    assert_eq!(hits(&*engine, all(&[])).await, [1]);
}
