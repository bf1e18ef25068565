//! The collector: the store, what writes into it, what reads from it.

use std::sync::Arc;

use tracepact_base::SharedClock;
use tracepact_dashboard::Dashboard;
use tracepact_export::{Exposition, influx};
use tracepact_ingest::{Ingest, IngestConfig};
use tracepact_query::{Query, QueryConfig};
use tracepact_resilience::board::Boards;
use tracepact_store::{Engine, EngineConfig, SeriesStore, SpanStore};

use super::seen::SeenServices;
use super::{App, StoreFailed, metric_sink, store_metrics, summaries};
use crate::config::Config;

/// A point older than this is not shown to Prometheus: who measured it has gone.
const STALE_AFTER: std::time::Duration = std::time::Duration::from_secs(60);

/// What other parts need of the collector.
pub(super) struct Collector {
    pub(super) engine: Arc<Engine>,
    /// The engine, noting who sends spans.
    pub(super) seen: Arc<SeenServices>,
    /// The engine, and InfluxDB when configured.
    pub(super) series: Arc<dyn SeriesStore>,
    pub(super) boards: Arc<Boards>,
}

impl Collector {
    /// Tells the dashboard who was seen and what is wrong.
    pub(super) fn show_on(&self, dashboard: Dashboard, config: &Config, clock: SharedClock) -> Dashboard {
        let dashboard = dashboard
            .with_sightings(self.seen.clone())
            .with_summaries(Arc::new(summaries::Breakers { boards: self.boards.clone(), clock }))
            .with_summaries(Arc::new(summaries::Store { engine: self.engine.clone() }));
        if config.kafka_bootstrap.is_none() {
            return dashboard;
        }
        let kafka = Arc::new(summaries::Kafka { boards: self.boards.clone() });
        dashboard.with_sightings(kafka.clone()).with_summaries(kafka)
    }
}

/// Opens the store: reads the log again, which may take a moment.
pub(super) async fn open_store(config: &Config, clock: SharedClock) -> anyhow::Result<Arc<Engine>> {
    let dir = config.data_dir.clone();
    let settings = EngineConfig {
        spans_retention: config.spans_retention,
        series_retention: config.series_retention,
        events_retention: config.events_retention,
        disk_bytes_max: config.disk_bytes_max,
        ..EngineConfig::default()
    };
    let opened = tokio::task::spawn_blocking(move || Engine::open(&dir, settings, clock)).await?;
    let engine = opened.map_err(|source| StoreFailed { path: config.data_dir.clone(), source })?;
    let health = engine.health();
    for damage in &health.damage {
        tracing::error!("stored data is damaged: {damage}");
    }
    Ok(engine)
}

/// Puts the collector together.
pub(super) async fn build(app: &mut App, config: &Config, clock: SharedClock) -> anyhow::Result<Collector> {
    let engine = open_store(config, clock.clone()).await?;
    store_metrics::register(&app.registry, engine.clone())?;
    watch(app, &engine);
    let seen = SeenServices::new(engine.clone(), clock.clone());
    app.background.spawn(seen.clone().read_back());
    let series = series_sink(app, config, clock.clone(), engine.clone())?;
    let boards = Arc::new(Boards::new(clock.now_ns()));

    let sink = metric_sink::BoardSink::new(boards.clone(), series.clone(), engine.clone(), clock.clone());
    let spans: Arc<dyn SpanStore> = seen.clone();
    let ingest =
        Ingest::new(spans.clone(), Arc::new(sink), clock.clone(), IngestConfig::default(), &app.registry)?;
    app.tables.add_otlp_grpc(tracepact_ingest::grpc_routes(ingest.clone()))?;
    app.tables.add_otlp_http(tracepact_ingest::otlp_routes(ingest.clone()))?;
    app.tables.add_http(tracepact_ingest::zipkin_routes(ingest))?;

    let settings = QueryConfig {
        lookback: config.query_lookback,
        timeout: config.query_timeout,
        strict_trace_id: config.strict_trace_id,
        autocomplete_keys: config.autocomplete_keys.clone(),
        ..QueryConfig::default()
    };
    let query = Query::new(spans, series.clone(), engine.clone(), clock.clone(), settings);
    app.tables.add_http(tracepact_query::zipkin_routes(query.clone()))?;
    app.tables.add_http(tracepact_query::native_routes(query))?;

    let page = Exposition::new(app.registry.clone(), series.clone(), clock, STALE_AFTER);
    app.tables.add_http(tracepact_export::routes(page))?;

    let closing = engine.clone();
    app.background.finally(async move {
        let _ = tokio::task::spawn_blocking(move || closing.close()).await;
    });
    Ok(Collector { engine, seen, series, boards })
}

fn watch(app: &App, engine: &Arc<Engine>) {
    let store = engine.clone();
    app.health.watch("store", move || match store.health().read_only {
        Some(reason) => Err(format!("read-only: {reason}")),
        None => Ok(()),
    });
}

/// The store for points: the engine, with a copy to InfluxDB when configured.
fn series_sink(
    app: &mut App,
    config: &Config,
    clock: SharedClock,
    engine: Arc<Engine>,
) -> anyhow::Result<Arc<dyn SeriesStore>> {
    let Some(influxdb) = &config.influxdb else { return Ok(engine) };
    let mut settings = influx::InfluxConfig::new(
        influxdb.url.parse()?,
        &influxdb.org,
        &influxdb.bucket,
        influxdb.token.expose().to_owned(),
    );
    settings.flush_interval_ms = influxdb.interval.as_millis() as u64;
    let (sink, writer) = influx::pipeline(settings, clock, &app.registry)?;
    app.background.spawn(writer.run(app.background.stop_token()));
    Ok(Arc::new(influx::ForwardingStore::new(engine, sink)))
}
