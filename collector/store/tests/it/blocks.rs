//! Blocks: what they hold, how little is read of them, what happens when they are damaged or too old.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use proptest::prelude::*;
use tracepact_base::{ManualClock, TraceId};
use tracepact_model::{Admission, Codec, DecodeLimits, Span, SpanBatch, decode_chunk, encode};
use tracepact_store::{Completeness, Engine, EngineConfig, Predicate, ReadCtx, SpanQuery, SpanStore};

use crate::helpers::{DAY_NS, SECOND_NS, all, batch, hits, rows, span, tagged};
use crate::power::{Loss, PowerFs, root};

const DAY: u64 = 24 * 3600;

fn open(fs: &PowerFs, config: EngineConfig, clock: &Arc<ManualClock>) -> Arc<Engine> {
    Engine::open_on(Arc::new(fs.clone()), root(), config, clock.clone()).unwrap()
}

/// One hundred thousand traces; the oldest alone has the tag that is searched for.
async fn many(fs: &PowerFs, traces: u64) -> Arc<Engine> {
    let config =
        EngineConfig { seal_bytes: usize::MAX, hot_bytes_max: usize::MAX, ..EngineConfig::default() };
    let engine = open(fs, config, &ManualClock::at(DAY_NS));
    let mut spans = vec![tagged(span(1, 1, None, 0, "a"), "order.id", "the one")];
    for trace in 2..=traces {
        let id = u128::from(trace) << 40 | u128::from(trace.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24);
        spans.push(tagged(span(id, trace, None, trace % 3_600 + 1, "a"), "order.id", &trace.to_string()));
    }
    for spans in spans.chunks(10_000) {
        engine.append(batch(spans)).await.unwrap();
    }
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rare_match_behind_100_000_others_is_found_and_little_is_read() {
    let fs = PowerFs::default();
    let engine = many(&fs, 100_000).await;
    let query = SpanQuery {
        limit: 1,
        ..all(&[Predicate::Service("a".into()), Predicate::Tag("order.id".into(), "the one".into())])
    };
    assert_eq!(hits(&*engine, query.clone()).await, [1], "in memory");
    tokio::task::spawn_blocking({
        let engine = engine.clone();
        move || engine.seal().unwrap()
    })
    .await
    .unwrap();
    let stats = engine.stats();
    assert_eq!((stats.hot_rows, stats.block_rows), (0, 100_000));
    // The first read opens the block: footer, page index, fences.
    let opened = fs.bytes_read();
    assert_eq!(rows(&*engine, 1).await.len(), 1);
    let open_bytes = fs.bytes_read() - opened;
    let (before, size) = (fs.bytes_read(), stats.block_bytes);
    assert_eq!(hits(&*engine, query).await, [1], "in a block");
    let search_bytes = fs.bytes_read() - before;
    let before = fs.bytes_read();
    assert_eq!(rows(&*engine, 1).await.len(), 1);
    let lookup_bytes = fs.bytes_read() - before;
    println!("block {size}, opening {open_bytes}, search {search_bytes}, lookup {lookup_bytes} bytes");
    // Pages of some 35 columns, each rounded to checked chunks of 4 KiB: as much from a block of any size.
    assert!(size > 5_000_000, "the block has only {size} bytes");
    for (what, bytes) in [("opening", open_bytes), ("the search", search_bytes), ("the lookup", lookup_bytes)]
    {
        assert!(bytes < 600_000, "{what} read {bytes} of {size} bytes");
    }
    // A budget ends the read, and the answer says so.
    let ctx = ReadCtx { bytes_max: 4_096, ..ReadCtx::default() };
    let answer = engine.search(all(&[Predicate::Service("a".into())]), ctx).await.unwrap();
    assert_eq!(answer.completeness, Completeness::Cut { limit: "bytes_max".into() });
}

/// Guarantees: a trace that went on for minutes in a later block is not taken for a new one, so that a search for the
/// newest looks at the newest.
#[tokio::test(flavor = "multi_thread")]
async fn late_spans_in_another_block_do_not_make_a_search_look_at_every_trace() {
    const TRACES: u64 = 1_000;
    let fs = PowerFs::default();
    let engine = open(&fs, EngineConfig::default(), &ManualClock::at(DAY_NS));
    let roots: Vec<Span> = (1..=TRACES).map(|n| span(u128::from(n), n, None, n, "orders")).collect();
    engine.append(batch(&roots)).await.unwrap();
    engine.seal().unwrap();
    // Every trace but the newest hundred has a span that begins an hour and a half later.
    let late: Vec<Span> =
        (1..=TRACES - 100).map(|n| span(u128::from(n), TRACES + n, Some(n), 5_400 + n, "payments")).collect();
    engine.append(batch(&late)).await.unwrap();
    engine.seal().unwrap();
    assert_eq!(hits(&*engine, SpanQuery { limit: 1, ..all(&[]) }).await, [1_000], "opens the blocks");
    let before = fs.bytes_read();
    assert_eq!(hits(&*engine, SpanQuery { limit: 3, ..all(&[]) }).await, [1_000, 999, 998]);
    let read = fs.bytes_read() - before;
    let before = fs.bytes_read();
    assert_eq!(rows(&*engine, 1_000).await.len(), 1);
    let one = fs.bytes_read() - before;
    assert!(read < 10 * one, "the search read {read} bytes, one trace takes {one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_damaged_file_of_a_block_is_reported() {
    let fs = PowerFs::default();
    let clock = ManualClock::at(DAY_NS);
    let engine = open(&fs, EngineConfig::default(), &clock);
    engine.append(batch(&[span(1, 1, None, 1, "a"), span(2, 2, None, 1, "a")])).await.unwrap();
    engine.seal().unwrap();
    engine.close();
    let ops = fs.ops();
    let (mut asked, mut reported) = (0, 0);
    for name in ["spans.parquet", "index.bin", "sums.bin"] {
        let copy = || PowerFs::after(&ops, ops.len(), None, Loss::All);
        let (path, len) = copy().files().into_iter().find(|(path, _)| path.ends_with(name)).unwrap();
        for at in (0..len).step_by(len.div_ceil(40)) {
            let fs = copy();
            fs.flip(&path, at);
            let engine = open(&fs, EngineConfig::default(), &clock);
            let answer = engine.search(all(&[]), ReadCtx::default()).await.unwrap();
            let ids = vec![TraceId::new(1).unwrap()];
            let found: Vec<_> = engine.traces(ids, ReadCtx::default()).collect().await;
            let [Ok(trace)] = &found[..] else { panic!("{name} at {at}: {found:?}") };
            for (whole, completeness) in
                [(answer.hits.len() == 2, &answer.completeness), (trace.rows.len() == 1, &trace.completeness)]
            {
                asked += 1;
                match completeness {
                    Completeness::Damaged { .. } => reported += 1,
                    // A flip in bytes that no answer needs: other readers' part of the Parquet file.
                    Completeness::Complete => {
                        assert!(name == "spans.parquet" && whole, "{name} at {at}: {answer:?} {trace:?}");
                    }
                    other => panic!("{name} at {at}: {other:?}"),
                }
            }
        }
    }
    assert!(reported * 3 > asked * 2, "only {reported} of {asked} answers from a damaged block say so");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_blocks_go_and_are_counted() {
    let fs = PowerFs::default();
    let clock = ManualClock::at(DAY_NS);
    let config = EngineConfig { spans_retention: Duration::from_secs(2 * DAY), ..EngineConfig::default() };
    let engine = open(&fs, config.clone(), &clock);
    engine.append(batch(&[span(1, 1, None, 10, "a"), span(2, 1, None, DAY + 10, "a")])).await.unwrap();
    engine.seal().unwrap();
    assert_eq!(engine.stats().blocks, 2, "one for each day");
    clock.advance_ns((2 * DAY + 11) * SECOND_NS);
    engine.expire();
    assert_eq!(hits(&*engine, all(&[])).await, [2]);
    assert_eq!((engine.stats().expired_rows, engine.stats().expired_blocks), (1, 1));
    drop(engine);
    let engine = open(&fs, config, &clock);
    assert_eq!(hits(&*engine, all(&[])).await, [2], "also after a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_use_is_bounded_oldest_day_first() {
    let fs = PowerFs::default();
    let config = EngineConfig { disk_bytes_max: Some(1), ..EngineConfig::default() };
    let engine = open(&fs, config, &ManualClock::at(DAY_NS));
    engine.append(batch(&[span(1, 1, None, 10, "a"), span(2, 1, None, DAY + 10, "a")])).await.unwrap();
    engine.seal().unwrap();
    engine.expire();
    assert_eq!(engine.stats().blocks, 0);
    assert_eq!(engine.stats().expired_rows, 2);
    // Counts by minute, like series and events, are small and answer for longer.
    let of_spans = |path: &Path| path.starts_with("/store/data/default/spans");
    let left: Vec<_> = fs.files().into_iter().filter(|(path, _)| of_spans(path)).collect();
    assert_eq!(left, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_format_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(DAY_NS);
    let engine = Engine::open(dir.path(), EngineConfig::default(), clock.clone()).unwrap();
    engine.append(batch(&[span(1, 1, None, 10, "a")])).await.unwrap();
    engine.seal().unwrap();
    drop(engine);
    let day = dir.path().join("data/default/spans/2026-11-21");
    let block = std::fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    let meta = std::fs::read_to_string(block.join("meta.json")).unwrap();
    let (_, rest) = meta.split_once(",\n").unwrap();
    let newer = format!("{{\n{rest}").replacen("\"format_version\": 2", "\"format_version\": 99", 1);
    std::fs::write(block.join("meta.json"), newer).unwrap();
    let error = Engine::open(dir.path(), EngineConfig::default(), clock).unwrap_err();
    assert!(error.reason.contains("format 99"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_are_refused_while_memory_is_full_and_nothing_is_kept_of_them() {
    let fs = PowerFs::default();
    let config = EngineConfig {
        hot_bytes_max: 1,
        seal_bytes: usize::MAX,
        append_wait: Duration::from_millis(20),
        ..EngineConfig::default()
    };
    let engine = open(&fs, config, &ManualClock::at(DAY_NS));
    engine.append(batch(&[span(1, 1, None, 1, "a")])).await.unwrap();
    let error = engine.append(batch(&[span(2, 1, None, 1, "a")])).await.unwrap_err();
    assert_eq!(error.kind, tracepact_base::ErrorKind::Exhausted);
    assert!(error.retry_after_ms.is_some());
    assert_eq!(engine.stats().refused_appends, 1);
    engine.seal().unwrap();
    engine.append(batch(&[span(3, 1, None, 2, "a")])).await.unwrap();
    assert_eq!(hits(&*engine, all(&[])).await, [3, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_sealed_without_being_asked() {
    let fs = PowerFs::default();
    let config = EngineConfig { seal_bytes: 1, ..EngineConfig::default() };
    let engine = open(&fs, config, &ManualClock::at(DAY_NS));
    engine.append(batch(&[span(1, 1, None, 1, "a")])).await.unwrap();
    let sealed = async {
        while engine.stats().blocks == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sealed).await.expect("nothing was sealed");
    assert_eq!(hits(&*engine, all(&[])).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_seen_exactly_once_while_they_are_sealed() {
    let fs = PowerFs::default();
    let config = EngineConfig { seal_bytes: 2_000, ..EngineConfig::default() };
    let engine = open(&fs, config.clone(), &ManualClock::at(DAY_NS));
    for trace in 1..=60u64 {
        engine.append(batch(&[span(u128::from(trace), 1, None, trace, "a")])).await.unwrap();
        let found = hits(&*engine, SpanQuery { limit: 1_000, ..all(&[]) }).await;
        assert_eq!(found, (1..=u128::from(trace)).rev().collect::<Vec<_>>());
        assert_eq!(rows(&*engine, u128::from(trace)).await.len(), 1);
    }
    assert!(engine.stats().blocks > 0, "nothing was sealed meanwhile");
    drop(engine);
    let engine = open(&fs, config, &ManualClock::at(DAY_NS));
    assert_eq!(hits(&*engine, SpanQuery { limit: 1_000, ..all(&[]) }).await.len(), 60);
}

pub(crate) fn otlp_batch(rows: &[Span]) -> SpanBatch {
    let body = encode(Codec::OtlpProto, rows).unwrap();
    SpanBatch {
        codec: Codec::OtlpProto,
        spans: decode_chunk(Codec::OtlpProto, &body, &DecodeLimits::unbounded()).unwrap().chunk,
        body: body.into(),
        received_at_ns: DAY_NS,
        admission: Admission::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn rows_survive_blocks(rows in proptest::collection::vec(crate::arbitrary::otlp_row(), 1..5),
                           more in proptest::collection::vec(crate::arbitrary::zipkin_row(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let fs = PowerFs::default();
            let engine = open(&fs, EngineConfig::default(), &ManualClock::at(DAY_NS));
            let one = TraceId::new(5).unwrap();
            // Rows of one request that began on several days stand in several blocks, which keep the order of requests
            // and not the order within one.
            const LENGTH_NS: u64 = 86_400 * SECOND_NS;
            let is_near = |at: u64| at.abs_diff(DAY_NS) < 40 * LENGTH_NS;
            let on_one_day = |at: u64| if is_near(at) { DAY_NS + at % LENGTH_NS } else { at };
            let set = |mut row: Span| { row.trace_id = one; row.start_ns = row.start_ns.map(on_one_day); row };
            let batches = [otlp_batch(&rows.into_iter().map(set).collect::<Vec<_>>()),
                           batch(&more.into_iter().map(set).collect::<Vec<_>>())];
            for batch in batches {
                engine.append(batch).await.unwrap();
            }
            let hot = crate::helpers::rows(&*engine, 5).await;
            engine.seal().unwrap();
            assert_eq!(engine.stats().hot_rows, 0);
            assert_eq!(crate::helpers::rows(&*engine, 5).await, hot);
        });
    }
}

/// Guarantees: many small blocks become one that answers the same, also after a restart, and rows sent twice are one.
#[tokio::test(flavor = "multi_thread")]
async fn small_blocks_of_a_day_become_one() {
    let fs = PowerFs::default();
    let clock = ManualClock::at(DAY_NS);
    let config = EngineConfig { compact_blocks: 4, ..EngineConfig::default() };
    let engine = open(&fs, config.clone(), &clock);
    let row = |number: u64| {
        tagged(span(1, number, (number > 1).then_some(1), number, "a"), "n", &number.to_string())
    };
    for number in 1..=4u64 {
        engine
            .append(batch(&[row(number), row(1), span(100 + u128::from(number), 1, None, 9, "b")]))
            .await
            .unwrap();
        engine.seal().unwrap();
    }
    for restart in 0..2 {
        let engine = if restart == 0 { engine.clone() } else { open(&fs, config.clone(), &clock) };
        assert_eq!((engine.stats().blocks, engine.stats().block_rows), (1, 8));
        assert_eq!(rows(&*engine, 1).await, (1..=4).map(row).collect::<Vec<_>>());
        let of_a = SpanQuery { limit: 10, ..all(&[Predicate::Service("b".into())]) };
        assert_eq!(hits(&*engine, of_a).await.len(), 4);
        assert_eq!(hits(&*engine, all(&[Predicate::Tag("n".into(), "3".into())])).await, [1]);
        assert!(engine.health().is_ok());
        if restart == 0 {
            engine.close();
        }
    }
    let blocks: Vec<_> = fs
        .files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("/store/data/default/spans") && path.ends_with("meta.json"))
        .collect();
    assert_eq!(blocks.len(), 1, "{blocks:?}");
}
