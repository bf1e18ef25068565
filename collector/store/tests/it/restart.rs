//! What was acknowledged is there after a restart, and only one process may have the directory.

use std::sync::Arc;

use tracepact_base::{ErrorKind, Event, EventKind, ManualClock};
use tracepact_store::{
    Engine, EngineConfig, EventQuery, EventStore, Labels, Point, Predicate, ReadCtx, SeriesQuery,
    SeriesStore, SpanStore,
};

use crate::helpers::{DAY_NS, all, batch, hits, rows, span, tagged};

fn open(dir: &std::path::Path) -> Arc<Engine> {
    Engine::open(dir, EngineConfig::default(), ManualClock::at(DAY_NS)).unwrap()
}

#[tokio::test]
async fn spans_are_found_at_once_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let spans = [span(1, 1, None, 1, "Front"), tagged(span(1, 2, Some(1), 2, "back"), "order.id", "7")];
    for restart in 0..3 {
        let store = open(dir.path());
        if restart == 0 {
            assert_eq!(store.append(batch(&spans)).await.unwrap().lsn, 1);
            assert_eq!(store.append(batch(&[span(2, 9, None, 5, "front")])).await.unwrap().lsn, 2);
        }
        assert!(store.health().is_ok(), "{:?}", store.health());
        assert_eq!(rows(&*store, 1).await, spans);
        assert_eq!(hits(&*store, all(&[])).await, [2, 1]);
        assert_eq!(hits(&*store, all(&[Predicate::Service("FRONT".into())])).await, [2, 1]);
        assert_eq!(hits(&*store, all(&[Predicate::Tag("order.id".into(), "7".into())])).await, [1]);
        store.close();
        let refused = store.append(batch(&spans)).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn rejected_rows_stay_out_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut batch = batch(&[span(1, 1, None, 1, "a"), span(2, 2, None, 1, "a"), span(3, 3, None, 1, "a")]);
    batch.admission.rejected = vec![1];
    batch.spans.retain(|row| row != 1);
    open(dir.path()).append(batch).await.unwrap();
    let mut found = hits(&*open(dir.path()), all(&[])).await;
    found.sort_unstable();
    assert_eq!(found, [1, 3]);
}

#[tokio::test]
async fn points_and_events_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let labels = Labels::from([("group".to_owned(), "payments".to_owned())]);
    let point = |at_ns, value| Point { name: "lag".into(), labels: labels.clone(), at_ns, value };
    let event = Event::new(EventKind::Deploy, DAY_NS, "orders 2 was deployed");
    {
        let store = open(dir.path());
        store.append_points(vec![point(10, 1.0), point(30, 3.0), point(20, 2.0)]).await.unwrap();
        store.append_points(vec![point(20, 2.5)]).await.unwrap();
        store.append_events(vec![event.clone(), event.clone()]).await.unwrap();
        store.append_events(vec![event.clone()]).await.unwrap();
    }
    let store = open(dir.path());
    let query = SeriesQuery { start_ns: 0, end_ns: 30, ..SeriesQuery::default() };
    let answer = store.select(query.clone(), ReadCtx::default()).await.unwrap();
    assert_eq!(answer.series.len(), 1);
    assert_eq!(answer.series[0].points, [(10, 1.0), (20, 2.5), (30, 3.0)]);
    let latest = SeriesQuery { latest_only: true, ..query.clone() };
    assert_eq!(store.select(latest, ReadCtx::default()).await.unwrap().series[0].points, [(30, 3.0)]);
    let before = SeriesQuery { latest_only: true, end_ns: 29, ..query };
    assert_eq!(store.select(before, ReadCtx::default()).await.unwrap().series[0].points, [(20, 2.5)]);
    let query = EventQuery { limit: 10, ..EventQuery::default() };
    assert_eq!(store.events(query, ReadCtx::default()).await.unwrap(), [event]);
}

#[tokio::test]
async fn a_second_process_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path());
    let error = Engine::open(dir.path(), EngineConfig::default(), ManualClock::at(0)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.reason.contains("in use by another tracepact"), "{error}");
    assert!(error.reason.contains(&std::process::id().to_string()), "{error}");
}

#[tokio::test]
async fn the_series_limit_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = EngineConfig { series_max: 1, ..EngineConfig::default() };
    let store = Engine::open(dir.path(), config, ManualClock::at(DAY_NS)).unwrap();
    let point = |name: &str| Point { name: name.into(), labels: Labels::new(), at_ns: 1, value: 1.0 };
    store.append_points(vec![point("a")]).await.unwrap();
    let error = store.append_points(vec![point("b")]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Exhausted);
    assert!(error.reason.contains("series_max is 1"), "{error}");
}
