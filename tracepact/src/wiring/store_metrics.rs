//! The store's own counts on `/metrics`, read when asked for.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntGauge, Registry};
use tracepact_store::{Engine, Stats};

type Read = fn(&Stats) -> u64;

const GAUGES: [(&str, &str, Read); 8] = [
    ("tracepact_store_pending_deletions", "Deleted traces whose rows are not off the disk yet.", |s| {
        s.tombstones
    }),
    ("tracepact_store_hot_rows", "Span rows in memory, not yet in a block.", |s| s.hot_rows),
    ("tracepact_store_hot_bytes", "Estimated bytes of what is in memory.", |s| s.hot_bytes),
    ("tracepact_store_blocks", "Blocks of spans.", |s| s.blocks),
    ("tracepact_store_block_rows", "Span rows in blocks.", |s| s.block_rows),
    ("tracepact_store_block_bytes", "Bytes of all blocks on disk.", |s| s.block_bytes),
    ("tracepact_store_series", "Distinct series.", |s| s.series),
    ("tracepact_store_events", "Events kept.", |s| s.events),
];

const COUNTERS: [(&str, &str, Read); 6] = [
    ("tracepact_store_deleted_rows_total", "Deleted span rows that left memory and disk.", |s| {
        s.deleted_rows
    }),
    ("tracepact_store_rewritten_blocks_total", "Blocks written anew without deleted rows.", |s| {
        s.rewritten_blocks
    }),
    ("tracepact_store_replayed_records_total", "Log records read at start.", |s| s.replayed_records),
    ("tracepact_store_expired_rows_total", "Span rows dropped by retention.", |s| s.expired_rows),
    ("tracepact_store_expired_blocks_total", "Blocks dropped by retention.", |s| s.expired_blocks),
    ("tracepact_store_refused_appends_total", "Appends refused because there was no room.", |s| {
        s.refused_appends
    }),
];

struct StoreMetrics {
    engine: Arc<Engine>,
    gauges: Vec<(IntGauge, Read)>,
    counters: Vec<(&'static str, &'static str, Read)>,
    descriptions: Vec<Desc>,
}

/// Registers the store's counts.
pub(super) fn register(registry: &Registry, engine: Arc<Engine>) -> Result<(), prometheus::Error> {
    let mut descriptions = Vec::new();
    let mut gauges = Vec::new();
    for (name, help, read) in GAUGES {
        let gauge = IntGauge::new(name, help)?;
        descriptions.extend(gauge.desc().into_iter().cloned());
        gauges.push((gauge, read));
    }
    for (name, help, _) in COUNTERS {
        descriptions.extend(IntCounter::new(name, help)?.desc().into_iter().cloned());
    }
    registry.register(Box::new(StoreMetrics { engine, gauges, counters: COUNTERS.to_vec(), descriptions }))
}

impl Collector for StoreMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let stats = self.engine.stats();
        let mut families = Vec::new();
        for (gauge, read) in &self.gauges {
            gauge.set(i64::try_from(read(&stats)).unwrap_or(i64::MAX));
            families.extend(gauge.collect());
        }
        for (name, help, read) in &self.counters {
            // The engine counts from its start, so a counter of the moment is exact.
            if let Ok(counter) = IntCounter::new(*name, *help) {
                counter.inc_by(read(&stats));
                families.extend(counter.collect());
            }
        }
        families
    }
}
