//! A series store that keeps points in a list, and waiting for a condition.

use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tracepact_store::{
    Completeness, Point, ReadCtx, Series, SeriesAnswer, SeriesQuery, SeriesStore, StoreError,
};

/// 2026-11-21T00:00:00Z.
pub(crate) const NOW_NS: u64 = 1_795_219_200_000_000_000;

#[derive(Default)]
pub(crate) struct ListStore {
    pub(crate) points: Mutex<Vec<Point>>,
    pub(crate) completeness: Mutex<Completeness>,
}

impl SeriesStore for ListStore {
    fn append_points(&self, points: Vec<Point>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.points.lock().extend(points);
        Box::pin(async { Ok(()) })
    }

    fn select(&self, query: SeriesQuery, _: ReadCtx) -> BoxFuture<'_, Result<SeriesAnswer, StoreError>> {
        let mut series: Vec<Series> = Vec::new();
        let mut points: Vec<Point> = self.points.lock().clone();
        points.retain(|p| (query.start_ns..=query.end_ns).contains(&p.at_ns));
        points.retain(|p| query.name.as_ref().is_none_or(|name| p.name == *name));
        points.sort_by(|a, b| (&a.name, &a.labels, a.at_ns).cmp(&(&b.name, &b.labels, b.at_ns)));
        for point in points {
            match series.last_mut() {
                Some(last) if last.name == point.name && last.labels == point.labels => {
                    last.points.push((point.at_ns, point.value));
                }
                _ => series.push(Series {
                    name: point.name,
                    labels: point.labels,
                    points: vec![(point.at_ns, point.value)],
                }),
            }
        }
        let completeness = self.completeness.lock().clone();
        Box::pin(async { Ok(SeriesAnswer { series, completeness }) })
    }
}

pub(crate) fn point(name: &str, labels: &[(&str, &str)], at_ns: u64, value: f64) -> Point {
    let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Point { name: name.to_owned(), labels, at_ns, value }
}

/// Waits until `condition` holds, ten seconds at most.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "timed out waiting until {what}");
}
