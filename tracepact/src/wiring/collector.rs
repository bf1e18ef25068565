//! The collector: the store, what writes into it, what reads from it.

use std::sync::Arc;
use std::time::Duration;

use tracepact_base::SharedClock;
use tracepact_dashboard::Dashboard;
use tracepact_export::{Exposition, influx};
use tracepact_ingest::{Ingest, KafkaReceiver, SelfTracer, Sinks};
use tracepact_query::{Query, QueryConfig, SeeingStore, Seen, Sources};
use tracepact_resilience::board::Boards;
use tracepact_store::{Engine, EngineConfig, SeriesStore, SpanStore};

use super::{App, StoreFailed, jobs, store_metrics, summaries};
use crate::config::Config;

/// A point older than this is not shown to Prometheus: who measured it has gone.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// What is read at start, so that versions and instances are known again.
const WARM_WINDOW: Duration = Duration::from_secs(3_600);
/// Most traces read at start.
const WARM_TRACES_MAX: usize = 2_000;

/// What other parts need of the collector.
pub(super) struct Collector {
    pub(super) engine: Arc<Engine>,
    /// The engine, and InfluxDB when configured.
    pub(super) series: Arc<dyn SeriesStore>,
    query: Query,
}

impl Collector {
    /// Tells the dashboard who was seen and what is wrong.
    pub(super) fn show_on(&self, dashboard: Dashboard, config: &Config) -> Dashboard {
        let services = Arc::new(summaries::Services(self.query.clone()));
        let dashboard = dashboard
            .with_sightings(services.clone())
            .with_summaries(services)
            .with_summaries(Arc::new(summaries::Store(self.engine.clone())));
        if config.kafka_bootstrap.is_none() {
            return dashboard;
        }
        let kafka = Arc::new(summaries::Kafka(self.query.clone()));
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
        decode_limits: config.ingest.bounds.decode.clone(),
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
    let series = series_sink(app, config, clock.clone(), engine.clone())?;
    let boards = Arc::new(Boards::new(clock.now_ns()));
    let seen = Arc::new(Seen::default());
    let spans: Arc<dyn SpanStore> = Arc::new(SeeingStore::new(engine.clone(), seen.clone()));

    let sinks = Sinks {
        spans: spans.clone(),
        series: series.clone(),
        events: engine.clone(),
        boards: boards.clone(),
    };
    // What retention would drop at once is refused there, so that its sender hears of it.
    let ingest = Ingest::new(sinks, clock.clone(), config.ingest.bounds.clone(), &app.registry)?;
    app.tables.add_otlp_grpc(tracepact_ingest::grpc_routes(ingest.clone()))?;
    app.tables.add_otlp_http(tracepact_ingest::otlp_routes(ingest.clone()))?;
    if config.ingest.zipkin_grpc {
        app.tables.add_http(tracepact_ingest::zipkin_grpc_routes(ingest.clone()))?;
    }
    app.tables.add_http(if config.ingest.zipkin_http {
        tracepact_ingest::zipkin_routes(ingest.clone())
    } else {
        tracepact_ingest::zipkin_disabled_routes()
    })?;

    if let Some(kafka) = &config.kafka_spans {
        let receiver = KafkaReceiver::new(kafka, &ingest, clock.clone(), &app.registry)?;
        app.background.spawn(receiver.run(app.background.stop_token()));
    }

    let settings = QueryConfig {
        lookback: config.query_lookback,
        timeout: config.query_timeout,
        strict_trace_id: config.strict_trace_id,
        autocomplete_keys: config.autocomplete_keys.clone(),
        enabled: config.query_enabled,
        search_enabled: config.search_enabled,
        rows_max: config.query_rows_max,
        read_bytes_max: config.query_read_bytes_max,
        answer_bytes_max: config.query_answer_bytes_max,
        sample_rate: config.ingest.bounds.sample_rate,
        ..QueryConfig::default()
    };
    jobs::start(app, config, boards.clone(), series.clone(), engine.clone(), clock.clone())?;
    let red = engine.clone();
    let sources = Sources { spans, series: series.clone(), red, events: engine.clone(), boards, seen };
    let query = Query::new(sources, clock.clone(), settings);
    warm(app, query.clone());
    let mut reading = tracepact_query::native_routes(query.clone());
    if config.query_enabled {
        reading = reading.merge(tracepact_query::zipkin_routes(query.clone()))?;
    }
    if let Some(settings) = config.self_tracing {
        let (tracer, reporter) = SelfTracer::new(settings, clock.clone(), &app.registry)?;
        reading = tracer.watch(reading);
        app.background.spawn(reporter.run(ingest, app.background.stop_token().cancelled_owned()));
    }
    app.tables.add_http(reading)?;
    app.tables.add_http(tracepact_query::operator_routes(query.clone(), engine.clone()))?;

    let page = Exposition::new(app.registry.clone(), series.clone(), clock, STALE_AFTER);
    app.tables.add_http(tracepact_export::routes(page))?;

    let closing = engine.clone();
    app.background.finally(async move {
        let _ = tokio::task::spawn_blocking(move || closing.close()).await;
    });
    Ok(Collector { engine, series, query })
}

/// Reads the newest traces beside the first requests.
fn warm(app: &App, query: Query) {
    let stop = app.background.stop_token();
    app.background.spawn(async move {
        let warmed = tokio::select! {
            warmed = query.warm(WARM_WINDOW, WARM_TRACES_MAX) => warmed,
            () = stop.cancelled() => return,
        };
        if let Err(error) = warmed {
            tracing::warn!(%error, "versions and instances of the last hour could not be read");
        }
    });
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
