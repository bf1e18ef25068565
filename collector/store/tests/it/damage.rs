//! Flipped bytes in every kind of file, lost files, clocks that jump, disks that are full or read-only: what is wrong is
//! named, and no answer is short or wrong and calls itself complete.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracepact_base::{ErrorKind, Event, EventKind, ManualClock, TraceId};
use tracepact_model::{DecodeLimits, Span};
use tracepact_store::fs::Fs;
use tracepact_store::{
    Completeness, Deletion, Engine, EngineConfig, EventQuery, EventStore, Labels, NameKind, NamesQuery,
    Point, ReadCtx, SeriesQuery, SeriesStore, SpanStore, StoreAdmin, StoreError, check_on,
};

use crate::helpers::{DAY_NS, SECOND_NS, all, batch, hits, rows, span, tagged};
use crate::power::{Loss, PowerFs, root};

const HOUR_NS: u64 = 3_600 * SECOND_NS;

fn open(fs: &PowerFs) -> Result<Arc<Engine>, StoreError> {
    let config = EngineConfig { threads: 1, ..EngineConfig::default() };
    Engine::open_on(Arc::new(fs.clone()), root(), config, ManualClock::at(DAY_NS))
}

fn point(number: u64) -> Point {
    Point { name: "lag".into(), labels: Labels::new(), at_ns: DAY_NS + number, value: number as f64 }
}

/// A store with every kind of file: blocks of spans, series, events and deletions, and a log.
async fn everything() -> PowerFs {
    let fs = PowerFs::default();
    let engine = open(&fs).unwrap();
    for number in 1..=3u64 {
        let row =
            tagged(span(u128::from(number), number, None, number, "a"), "order.id", &number.to_string());
        engine.append(batch(&[row])).await.unwrap();
        engine.append_points(vec![point(number)]).await.unwrap();
        let mut event = Event::new(EventKind::Deploy, DAY_NS + number, "deployed");
        event.id = format!("event-{number}");
        engine.append_events(vec![event]).await.unwrap();
        if number == 1 {
            engine
                .delete(Deletion::Traces(vec![TraceId::new(1).unwrap()]), false, ReadCtx::default())
                .await
                .unwrap();
        }
        if number == 2 {
            engine.seal().unwrap();
        }
    }
    engine.close();
    fs
}

/// Whether the answers are the true ones, and whether every answer that is not says so.
async fn silently_wrong(engine: &Engine) -> Option<String> {
    let answer = engine.search(all(&[]), ReadCtx::default()).await.unwrap();
    let found: Vec<u128> = answer.hits.iter().map(|hit| hit.trace_id.as_u128()).collect();
    if found != [3, 2] && answer.completeness == Completeness::Complete {
        return Some(format!("a search found {found:?}"));
    }
    for (id, count) in [(1, 0), (2, 1), (3, 1)] {
        use futures::StreamExt;
        let traces: Vec<_> =
            engine.traces(vec![TraceId::new(id).unwrap()], ReadCtx::default()).collect().await;
        let mut found: Vec<Span> = Vec::new();
        let mut complete = true;
        for trace in traces {
            let trace = trace.unwrap();
            complete &= trace.completeness == Completeness::Complete;
            found.extend(trace.rows);
        }
        if found.len() != count && complete {
            return Some(format!("trace {id} has {} rows", found.len()));
        }
    }
    let names = NamesQuery {
        kind: NameKind::TagValues { key: "order.id".into() },
        start_ns: 0,
        end_ns: u64::MAX,
        limit: 9,
    };
    let names = engine.values(names, ReadCtx::default()).await.unwrap();
    if names.values != ["2", "3"] && names.completeness == Completeness::Complete {
        return Some(format!("values are {:?}", names.values));
    }
    let query = SeriesQuery { start_ns: 0, end_ns: u64::MAX, ..SeriesQuery::default() };
    let answer = engine.select(query, ReadCtx::default()).await.unwrap();
    let points: Vec<u64> = answer.series.iter().flat_map(|s| &s.points).map(|(at, _)| at - DAY_NS).collect();
    if points != [1, 2, 3] && answer.completeness == Completeness::Complete {
        return Some(format!("points are {points:?}"));
    }
    let query = EventQuery { limit: 9, ..EventQuery::default() };
    let events: BTreeSet<String> =
        engine.events(query, ReadCtx::default()).await.unwrap().into_iter().map(|event| event.id).collect();
    if events.len() != 3 && engine.health().damage.is_empty() {
        return Some(format!("events are {events:?}"));
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_byte_is_named_and_nothing_is_wrong_in_silence() {
    let whole = everything().await;
    assert_eq!(silently_wrong(&open(&whole.power_off(Loss::Nothing)).unwrap()).await, None);
    let shared: Arc<dyn Fs> = Arc::new(whole.power_off(Loss::Nothing));
    let sound = check_on(&shared, root(), "default", &DecodeLimits::default()).unwrap();
    let records = sound.log_records;
    assert!(sound.is_sound() && records > 0, "{sound:?}");
    let mut kinds = BTreeSet::new();
    for (path, len) in whole.files() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !(path.starts_with("/store/data") || path.starts_with("/store/log")) || len == 0 {
            continue;
        }
        kinds.insert(if name.ends_with(".log") { "log".to_owned() } else { name.clone() });
        let relative = path.strip_prefix(root()).unwrap().display().to_string();
        // All of the small ones; forty places of the others.
        for at in (0..len).step_by(len.div_ceil(40)) {
            let fs = whole.power_off(Loss::Nothing);
            fs.flip(&path, at);
            let shared: Arc<dyn Fs> = Arc::new(fs.power_off(Loss::Nothing));
            let named = match check_on(&shared, root(), "default", &DecodeLimits::default()) {
                Ok(report) => {
                    report.damage.iter().any(|found| found.file == relative)
                    // The newest records of a log that were damaged look like those that were never acknowledged.
                    || (name.ends_with(".log")
                        && report.notes.iter().any(|note| note.contains("never acknowledged")))
                    // A segment's header, and marks of what is durable, are not needed to read its records.
                    || (name.ends_with(".log") && report.log_records == records)
                }
                Err(error) => error.reason.contains(&name),
            };
            assert!(named, "{relative} at {at} of {len}: the check does not name it");
            match open(&fs) {
                Ok(engine) => {
                    let wrong = silently_wrong(&engine).await;
                    let cut = name.ends_with(".log") && engine.stats().cut_bytes > 0;
                    assert!(wrong.is_none() || cut, "{relative} at {at} of {len}: {wrong:?}");
                }
                Err(error) => {
                    let block = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
                    let named = error.reason.contains(block) || error.reason.contains(&name);
                    assert!(named, "{relative} at {at}: refused without its name: {error}");
                }
            }
        }
    }
    let wanted = [
        "events.json.zst",
        "index.bin",
        "links.bin",
        "log",
        "meta.json",
        "points.bin",
        "red.bin",
        "spans.parquet",
        "sums.bin",
        "tombstones.bin",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_file_is_named_and_what_it_held() {
    let whole = everything().await;
    for (path, _) in whole.files() {
        if !path.starts_with("/store/data") || path.ends_with("meta.json") {
            continue;
        }
        let relative = path.strip_prefix(root()).unwrap().display().to_string();
        let fs = whole.power_off(Loss::Nothing);
        fs.remove(&path).unwrap();
        let shared: Arc<dyn Fs> = Arc::new(fs.power_off(Loss::Nothing));
        let report = check_on(&shared, root(), "default", &DecodeLimits::default()).unwrap();
        let found = report.damage.iter().find(|found| found.file == relative);
        let found = found.unwrap_or_else(|| panic!("{relative} is not in {report:?}"));
        assert!(found.what.contains("missing") && !found.lost.is_empty(), "{found:?}");
        if let Ok(engine) = open(&fs) {
            assert_eq!(silently_wrong(&engine).await, None, "{relative}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_clock_drops_nothing() {
    let fs = PowerFs::default();
    let clock = ManualClock::at(DAY_NS);
    let engine = Engine::open_on(Arc::new(fs), root(), EngineConfig::default(), clock.clone()).unwrap();
    engine.append(batch(&[span(1, 1, None, 1, "a")])).await.unwrap();
    engine.seal().unwrap();
    clock.set_wall_ns(DAY_NS + 365 * 24 * HOUR_NS);
    engine.expire();
    clock.advance_ns(HOUR_NS / 2);
    engine.expire();
    assert_eq!(hits(&*engine, all(&[])).await, [1], "a year ahead for half an hour");
    clock.set_wall_ns(DAY_NS - 24 * HOUR_NS);
    engine.expire();
    engine.append(batch(&[span(2, 1, None, 2, "a")])).await.unwrap();
    engine.seal().unwrap();
    assert_eq!(hits(&*engine, all(&[])).await, [2, 1], "a day back");
    clock.set_wall_ns(DAY_NS + 30 * 24 * HOUR_NS);
    engine.expire();
    clock.advance_ns(HOUR_NS);
    engine.expire();
    assert_eq!(engine.stats().blocks, 0, "after an hour it is the time");
    let stats = engine.stats();
    assert_eq!(
        (stats.expired_rows, stats.expired_until_ns),
        (2, DAY_NS + 2 * SECOND_NS),
        "and it says what went"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bound_on_bytes_takes_the_oldest_day_and_says_so() {
    let fs = PowerFs::default();
    let clock = ManualClock::at(DAY_NS + 3 * 24 * HOUR_NS);
    let open = |max| {
        let config = EngineConfig { disk_bytes_max: max, ..EngineConfig::default() };
        Engine::open_on(Arc::new(fs.clone()), root(), config, clock.clone()).unwrap()
    };
    let engine = open(None);
    for day in 0..3u64 {
        engine.append(batch(&[span(u128::from(day + 1), 1, None, day * 86_400, "a")])).await.unwrap();
        engine.seal().unwrap();
    }
    let bytes = engine.stats().block_bytes;
    engine.close();
    drop(engine);
    let engine = open(Some(bytes - 1));
    engine.expire();
    assert_eq!(hits(&*engine, all(&[])).await, [3, 2]);
    let stats = engine.stats();
    assert_eq!((stats.expired_rows, stats.expired_blocks, stats.expired_until_ns), (1, 1, DAY_NS));
    assert!(stats.block_bytes < bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_is_refused_by_name_and_can_still_be_checked() {
    let fs = everything().await.power_off(Loss::Nothing);
    fs.fail(io::ErrorKind::ReadOnlyFilesystem);
    let error = open(&fs).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.reason.contains("/store") && error.reason.contains("read-only"), "{error}");
    let shared: Arc<dyn Fs> = Arc::new(fs);
    assert!(check_on(&shared, root(), "default", &DecodeLimits::default()).unwrap().is_sound());
}

/// The disk fills up at every call of a run: what was acknowledged before is there, later appends are refused with the
/// reason, and with room again a restart goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_at_any_moment_takes_nothing_acknowledged() {
    let calls = {
        let fs = PowerFs::default();
        run(&fs).await;
        fs.ops().len()
    };
    for at in 12..calls {
        let fs = PowerFs::default();
        fs.fail_from(at, io::ErrorKind::StorageFull);
        let (acknowledged, deleted) = run(&fs).await;
        let fs = fs.power_off(Loss::Nothing);
        let engine = open(&fs).unwrap();
        assert!(engine.health().is_ok(), "full at {at}: {:?}", engine.health());
        for id in &acknowledged {
            let found = rows(&*engine, *id).await.len();
            match deleted.get(id) {
                None => assert_eq!(found, 1, "full at {at}: {id} of {acknowledged:?} is lost"),
                Some(true) => assert_eq!(found, 0, "full at {at}: {id} was deleted and is back"),
                // The deletion was refused while it was written: it may have happened.
                Some(false) => {}
            }
        }
        engine.append(batch(&[span(9, 1, None, 9, "a")])).await.unwrap();
    }
}

/// Appends, deletes, seals and rewrites as far as it goes; what was acknowledged of it, and which deletions were asked for
/// and whether they were answered.
async fn run(fs: &PowerFs) -> (Vec<u128>, BTreeMap<u128, bool>) {
    let (mut acknowledged, mut deleted) = (Vec::new(), BTreeMap::new());
    let Ok(engine) = open(fs) else { return (acknowledged, deleted) };
    for id in 1..=4u128 {
        match engine.append(batch(&[span(id, 1, None, id as u64, "a")])).await {
            Ok(_) => acknowledged.push(id),
            Err(error) => assert!(error.reason.contains("read-only"), "{error}"),
        }
        if id % 2 == 0 {
            let _ = engine.seal();
            let ids = Deletion::Traces(vec![TraceId::new(id - 1).unwrap()]);
            let answer = engine.delete(ids, false, ReadCtx::default()).await;
            if !answer.as_ref().is_ok_and(|done| done.traces.is_empty()) {
                deleted.insert(id - 1, answer.is_ok());
            }
            let _ = engine.purge();
        }
    }
    engine.close();
    (acknowledged, deleted)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_leave_whole_with_an_export() {
    let fs = everything().await.power_off(Loss::Nothing);
    let engine = open(&fs).unwrap();
    let mut ids = Vec::new();
    let exported = engine
        .export(0, u64::MAX, |rows| {
            ids.extend(rows.iter().map(|row| row.span().trace_id.as_u128()));
            Ok(())
        })
        .unwrap();
    assert_eq!(
        (ids.as_slice(), exported.rows, exported.completeness),
        (&[2, 3][..], 2, Completeness::Complete)
    );
    let mut windowed = 0;
    engine
        .export(DAY_NS + 3 * SECOND_NS, DAY_NS + 3 * SECOND_NS, |rows| {
            windowed += rows.len();
            Ok(())
        })
        .unwrap();
    assert_eq!(windowed, 1);
    let full = StoreError::new(ErrorKind::Internal, "the other disk is full");
    let error = engine.export(0, u64::MAX, |_| Err(full.clone())).unwrap_err();
    assert_eq!(error.reason, "the other disk is full");
    let file = tempfile::tempdir().unwrap().path().join("spans.parquet");
    parquet_of(&engine, &file);
}

fn parquet_of(engine: &Engine, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = tracepact_store::ParquetFile::create(path).unwrap();
    engine
        .export(0, u64::MAX, |rows| {
            file.write(&rows).map_err(|e| StoreError::new(ErrorKind::Internal, e.to_string()))
        })
        .unwrap();
    file.finish().unwrap();
    let reader = parquet::file::reader::SerializedFileReader::try_from(path).unwrap();
    use parquet::file::reader::FileReader;
    assert_eq!(reader.metadata().file_metadata().num_rows(), 2);
    assert!(tracepact_store::ParquetFile::create(path).is_err(), "a file that is there is not overwritten");
}

#[test]
fn retention_is_a_week_unless_set() {
    let week = Duration::from_secs(7 * 24 * 3_600);
    let config = EngineConfig::default();
    assert_eq!(
        (config.spans_retention, config.series_retention, config.events_retention),
        (week, week, week)
    );
}
