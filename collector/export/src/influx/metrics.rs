//! What the writer says about itself on `/metrics`.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

#[derive(Debug, Clone)]
pub(crate) struct InfluxMetrics {
    pub(crate) written: IntCounter,
    pub(crate) dropped: IntCounterVec,
    pub(crate) retries: IntCounter,
    pub(crate) queued: IntGauge,
}

impl InfluxMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            written: IntCounter::new(
                "tracepact_influx_points_written_total",
                "Points InfluxDB has acknowledged.",
            )?,
            dropped: IntCounterVec::new(
                Opts::new(
                    "tracepact_influx_points_dropped_total",
                    "Points that will not reach InfluxDB, by reason.",
                ),
                &["reason"],
            )?,
            retries: IntCounter::new(
                "tracepact_influx_retries_total",
                "Requests to InfluxDB that were repeated.",
            )?,
            queued: IntGauge::new("tracepact_influx_points_queued", "Points waiting for InfluxDB.")?,
        };
        registry.register(Box::new(metrics.written.clone()))?;
        registry.register(Box::new(metrics.dropped.clone()))?;
        registry.register(Box::new(metrics.retries.clone()))?;
        registry.register(Box::new(metrics.queued.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn drop_points(&self, reason: &str, count: usize) {
        self.dropped.with_label_values(&[reason]).inc_by(count as u64);
    }
}
