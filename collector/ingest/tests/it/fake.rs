//! A store that remembers batches and refuses on demand, and bodies to send.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use parking_lot::Mutex;
use prometheus::Registry;
use tokio::sync::Semaphore;
use tracepact_base::{ErrorKind, ManualClock, TraceId};
use tracepact_ingest::{Ingest, IngestConfig, Sinks};
use tracepact_model::{Admission, Codec, SpanBatch};
use tracepact_resilience::board::Boards;
use tracepact_store::{
    Durable, Engine, EngineConfig, LinksAnswer, Names, NamesQuery, ReadCtx, Scanned, SearchAnswer, SpanQuery,
    SpanStore, StoreError, TraceRows,
};

/// 2026-11-21T00:00:00Z.
pub(crate) const NOW_NS: u64 = 1_795_219_200_000_000_000;

/// A batch with its rows as owned spans.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) codec: Codec,
    pub(crate) body: Bytes,
    pub(crate) admission: Admission,
    pub(crate) spans: Vec<tracepact_model::Span>,
}

impl From<SpanBatch> for Batch {
    fn from(batch: SpanBatch) -> Self {
        let spans = batch.spans.spans().unwrap();
        Self { codec: batch.codec, body: batch.body, admission: batch.admission, spans }
    }
}

pub(crate) struct FakeStore {
    pub(crate) batches: Mutex<Vec<Batch>>,
    pub(crate) refuse: Mutex<Option<StoreError>>,
    /// An append waits until a permit is there.
    pub(crate) synced: Semaphore,
}

impl SpanStore for FakeStore {
    fn append(&self, batch: SpanBatch) -> BoxFuture<'_, Result<Durable, StoreError>> {
        Box::pin(async move {
            self.synced.acquire().await.unwrap().forget();
            if let Some(error) = self.refuse.lock().clone() {
                return Err(error);
            }
            let mut batches = self.batches.lock();
            batches.push(Batch::from(batch));
            Ok(Durable { lsn: batches.len() as u64 })
        })
    }

    fn traces(&self, _: Vec<TraceId>, _: ReadCtx) -> BoxStream<'_, Result<TraceRows, StoreError>> {
        Box::pin(futures::stream::empty())
    }

    fn search(&self, _: SpanQuery, _: ReadCtx) -> BoxFuture<'_, Result<SearchAnswer, StoreError>> {
        Box::pin(async { Ok(SearchAnswer::default()) })
    }

    fn scan(&self, _: u64, _: u64, _: ReadCtx) -> BoxStream<'_, Result<Scanned, StoreError>> {
        Box::pin(futures::stream::empty())
    }

    fn links(&self, _: u64, _: u64, _: ReadCtx) -> BoxFuture<'_, Result<LinksAnswer, StoreError>> {
        Box::pin(async { Ok(LinksAnswer::default()) })
    }

    fn values(&self, _: NamesQuery, _: ReadCtx) -> BoxFuture<'_, Result<Names, StoreError>> {
        Box::pin(async { Ok(Names::default()) })
    }
}

pub(crate) struct Receivers {
    pub(crate) store: Arc<FakeStore>,
    /// Series and events.
    pub(crate) engine: Arc<Engine>,
    pub(crate) boards: Arc<Boards>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) registry: Registry,
    pub(crate) ingest: Ingest,
    _dir: tempfile::TempDir,
}

pub(crate) fn receivers(change: impl FnOnce(&mut IngestConfig)) -> Receivers {
    let store = Arc::new(FakeStore {
        batches: Mutex::default(),
        refuse: Mutex::default(),
        synced: Semaphore::new(1_000),
    });
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(NOW_NS);
    let engine = Engine::open(dir.path(), EngineConfig::default(), clock.clone()).unwrap();
    let boards = Arc::new(Boards::new(NOW_NS));
    let registry = Registry::new();
    let mut config = IngestConfig::default();
    change(&mut config);
    let sinks = Sinks {
        spans: store.clone(),
        series: engine.clone(),
        events: engine.clone(),
        boards: boards.clone(),
    };
    let ingest = Ingest::new(sinks, clock.clone(), config, &registry).unwrap();
    Receivers { store, engine, boards, clock, registry, ingest, _dir: dir }
}

impl Receivers {
    /// The value of the counter with exactly these label values (in any order); 0 when it was never touched.
    pub(crate) fn counter(&self, name: &str, labels: &[&str]) -> u64 {
        let families = self.registry.gather();
        let metrics = families.iter().filter(|f| f.name() == name).flat_map(|f| f.get_metric());
        metrics
            .filter(|m| labels.iter().all(|label| m.get_label().iter().any(|l| l.value() == *label)))
            .map(|m| m.get_counter().get_value() as u64)
            .sum()
    }

    pub(crate) fn exhausted(&self) {
        let mut error = StoreError::new(ErrorKind::Exhausted, "sealing is behind");
        error.retry_after_ms = Some(2_500);
        *self.store.refuse.lock() = Some(error);
    }
}

pub(crate) fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    }
}

fn resource() -> Option<Resource> {
    Some(Resource {
        attributes: vec![attribute("service.name", "orders"), attribute("service.instance.id", "orders-1")],
        ..Resource::default()
    })
}

pub(crate) fn otlp(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: resource(),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

pub(crate) fn otlp_span(id: u8, start_ns: u64) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        name: "GET /item".to_owned(),
        start_time_unix_nano: start_ns,
        end_time_unix_nano: start_ns + 5,
        ..Span::default()
    }
}

pub(crate) fn gauges(values: &[(&str, f64)]) -> ExportMetricsServiceRequest {
    let metrics = values.iter().map(|(name, value)| Metric {
        name: (*name).to_owned(),
        data: Some(metric::Data::Gauge(Gauge {
            data_points: vec![NumberDataPoint {
                attributes: vec![attribute("breaker", "products")],
                value: Some(number_data_point::Value::AsDouble(*value)),
                ..NumberDataPoint::default()
            }],
        })),
        ..Metric::default()
    });
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: resource(),
            scope_metrics: vec![ScopeMetrics { metrics: metrics.collect(), ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    }
}
