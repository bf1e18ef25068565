//! The page Prometheus scrapes: the process's own metrics and the newest point of every stored series.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};
use serde_json::Value;
use tracepact_base::SharedClock;
use tracepact_store::{Completeness, ReadCtx, Series, SeriesQuery, SeriesStore, StoreError};

use crate::{stored, zipkin_counters};

/// Longest time one scrape may take; Prometheus gives up after 10 s by default.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

/// How far into the future a stored point may lie (senders' clocks) and still be on the page.
const AHEAD: Duration = Duration::from_secs(60);

/// Counters that tracepact writes only when something happens. They do not go stale: nobody went away.
const LASTING: &[&str] = &["tracepact_deployments_total", "tracepact_gate_decisions_total"];

/// How far back a lasting counter is looked for: as long as points are kept.
const LASTING_WINDOW: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Source of `/metrics`.
#[derive(Clone)]
pub struct Exposition {
    registry: Registry,
    store: Arc<dyn SeriesStore>,
    clock: SharedClock,
    stale_after: Duration,
}

impl std::fmt::Debug for Exposition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exposition").field("stale_after", &self.stale_after).finish_non_exhaustive()
    }
}

impl Exposition {
    /// A page over `registry` and `store`. A series without a point in the last `stale_after` is left out, so that
    /// Prometheus marks it stale instead of seeing a frozen value; three poll intervals of the slowest source is right.
    pub fn new(
        registry: Registry,
        store: Arc<dyn SeriesStore>,
        clock: SharedClock,
        stale_after: Duration,
    ) -> Self {
        Self { registry, store, clock, stale_after }
    }

    /// The page in Prometheus' text format 0.0.4.
    ///
    /// # Errors
    /// The store's, when it cannot be read: a page with half of the series would look like services that went away.
    pub async fn text(&self) -> Result<String, StoreError> {
        let mut families = self.registry.gather();
        let zipkin = zipkin_counters::families(&families);
        families.extend(zipkin);
        let own: BTreeSet<String> = families.iter().map(|family| family.name().to_owned()).collect();
        families.extend(self.stored().await?.into_iter().filter(|family| !own.contains(family.name())));
        families.sort_by(|a, b| a.name().cmp(b.name()));
        TextEncoder::new().encode_to_string(&families).map_err(|error| {
            StoreError::new(
                tracepact_base::ErrorKind::Internal,
                format!("the metrics page could not be written: {error}"),
            )
        })
    }

    async fn stored(&self) -> Result<Vec<MetricFamily>, StoreError> {
        let mut series = self.newest(None, self.stale_after).await?;
        series.retain(|one| !LASTING.contains(&one.name.as_str()));
        for name in LASTING {
            series.extend(self.newest(Some(name), LASTING_WINDOW).await?);
        }
        Ok(stored::families(series))
    }

    /// The newest point within `window` of each series, of one name or of all.
    async fn newest(&self, name: Option<&str>, window: Duration) -> Result<Vec<Series>, StoreError> {
        let now_ns = self.clock.now_ns();
        let query = SeriesQuery {
            name: name.map(str::to_owned),
            start_ns: now_ns.saturating_sub(window.as_nanos() as u64),
            end_ns: now_ns.saturating_add(AHEAD.as_nanos() as u64),
            latest_only: true,
            ..SeriesQuery::default()
        };
        let ctx = ReadCtx { timeout: SCRAPE_TIMEOUT, ..ReadCtx::default() };
        let answer = self.store.select(query, ctx).await?;
        match answer.completeness {
            // The newest points are in memory; a damaged old block takes nothing from this page.
            Completeness::Complete | Completeness::Damaged { .. } => Ok(answer.series),
            Completeness::Cut { limit } => Err(StoreError::new(
                tracepact_base::ErrorKind::Exhausted,
                format!("the stored series do not fit one page: {limit}"),
            )),
        }
    }

    /// Zipkin's counters, by Zipkin's names: what `GET /metrics` answers to `Accept: application/json`.
    pub fn zipkin_counters(&self) -> Value {
        zipkin_counters::counters(&self.registry.gather())
    }
}
