//! Series in and out.

use futures::FutureExt;
use futures::future::BoxFuture;
use tracepact_base::ErrorKind;

use super::Engine;
use super::append::Label;
use super::state::Shared;
use crate::block::Table;
use crate::budget::Budget;
use crate::hot::HotRows;
use crate::log;
use crate::series::{SeriesKey, ordered};
use crate::series_wire::write_points;
use crate::{Completeness, Point, ReadCtx, Series, SeriesAnswer, SeriesQuery, SeriesStore, StoreError};

impl SeriesStore for Engine {
    fn append_points(&self, points: Vec<Point>) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            if points.is_empty() {
                return Ok(());
            }
            let rows = self.number(&points)?;
            let label = Label {
                table: log::Table::Points,
                codec: 0,
                received_at_ns: self.shared.clock.now_ns(),
                rejected: Vec::new(),
            };
            self.log_body(label, write_points(&points).into(), HotRows::Points(rows)).await.map(|_| ())
        }
        .boxed()
    }

    fn select(&self, query: SeriesQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<SeriesAnswer, StoreError>> {
        async move {
            let (budget, _cancel) = Budget::new(&ctx, &self.shared.clock);
            let shared = self.shared.clone();
            self.reads.run(move || select(&shared, &query, &budget)).await?
        }
        .boxed()
    }
}

impl Engine {
    /// The points with the numbers of their series; all or none, so that a refused request leaves nothing behind.
    fn number(&self, points: &[Point]) -> Result<Vec<(u32, u64, f64)>, StoreError> {
        let max = self.shared.config.series_max;
        let mut state = self.shared.state.write();
        points
            .iter()
            .map(|point| {
                if point.value.is_nan() {
                    let reason =
                        format!("{} has no number as its value; leave unknown points out", point.name);
                    return Err(StoreError::new(ErrorKind::Invalid, reason));
                }
                let key = SeriesKey { name: point.name.clone(), labels: point.labels.clone() };
                let number = state.series.number(&key, max).ok_or_else(|| {
                    let reason = format!("{} would be series {}, series_max is {max}", point.name, max + 1);
                    StoreError::new(ErrorKind::Exhausted, reason)
                })?;
                Ok((number, point.at_ns, point.value))
            })
            .collect()
    }
}

fn select(shared: &Shared, query: &SeriesQuery, budget: &Budget) -> Result<SeriesAnswer, StoreError> {
    let (found, latest) = {
        let state = shared.state.read();
        let found = state.series.select(query);
        let latest: Vec<_> = found.iter().map(|(_, number)| state.series.latest(*number)).collect();
        (found, latest)
    };
    let window = query.start_ns..=query.end_ns;
    let snapshot = shared.snapshot(budget);
    let mut damaged: std::collections::BTreeSet<String> =
        shared.state.read().lost_of(Table::Series).into_iter().collect();
    let mut answer = SeriesAnswer::default();
    for ((key, number), latest) in found.into_iter().zip(latest) {
        budget.check()?;
        let points = match latest {
            Some(latest) if query.latest_only && window.contains(&latest.0) => vec![latest],
            _ => {
                let mut points = Vec::new();
                for block in &snapshot.blocks.series {
                    match block.points(&key, query.start_ns, query.end_ns) {
                        Ok(found) => points.extend(found),
                        Err(error) if error.kind == ErrorKind::Corrupt => {
                            damaged.insert(format!("{}/{}", block.meta.day, block.meta.id));
                        }
                        Err(error) => return Err(error),
                    }
                }
                for part in &snapshot.hot {
                    points.extend(part.generation().points(number, query.start_ns, query.end_ns));
                }
                let mut points = ordered(points);
                if query.latest_only {
                    points.drain(..points.len().saturating_sub(1));
                }
                points
            }
        };
        if budget.rows(points.len() as u64).is_err() {
            answer.completeness = Completeness::Cut { limit: "rows_max".to_owned() };
            break;
        }
        if !points.is_empty() {
            answer.series.push(Series { name: key.name.clone(), labels: key.labels.clone(), points });
        }
    }
    if !damaged.is_empty() {
        answer.completeness = Completeness::Damaged { blocks: damaged.into_iter().collect() };
    }
    Ok(answer)
}
