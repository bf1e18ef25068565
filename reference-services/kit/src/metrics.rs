//! Pushes the registry's figures as OTLP metrics: cumulative, once per interval.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_otlp::{MetricExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use tokio::runtime::Handle;

use crate::breaker::Breaker;
use crate::breaker::window::Event;
use crate::bulkhead::Bulkhead;
use crate::permits::Permits;
use crate::registry::Registry;
use crate::settings::{Exporter, Settings};
use crate::spans::export::{
    ExporterError, TRY_TIMEOUT, grpc_channel, http_client, retry_policy, signal_endpoint,
};

/// The running push.
#[derive(Debug)]
pub struct MetricsPush {
    provider: SdkMeterProvider,
    /// Set when nobody waits for a push any more: the runtime may be gone, and must not be touched.
    stopped: Arc<AtomicBool>,
}

impl Drop for MetricsPush {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}

/// Outcomes of calls and the events they are counted from.
const OUTCOMES: [(&str, Event); 7] = [
    ("success", Event::Success),
    ("failure", Event::Failure),
    ("timeout", Event::Timeout),
    ("short_circuited", Event::ShortCircuited),
    ("rejected", Event::SemaphoreRejected),
    ("bad_request", Event::BadRequest),
    ("fallback", Event::FallbackSuccess),
];

impl MetricsPush {
    /// Starts pushing where `settings` say; `None` when they say nowhere. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When the endpoint is not an address.
    pub fn start(
        settings: &Settings,
        resource: &Resource,
        registry: &Registry,
    ) -> Result<Option<Self>, ExporterError> {
        let own = settings.metrics_endpoint.clone();
        let spans =
            || settings.endpoint.clone().unwrap_or_else(|| settings.exporter.default_endpoint().to_owned());
        let endpoint = match settings.exporter {
            Exporter::OtlpGrpc | Exporter::OtlpHttp => own.unwrap_or_else(spans),
            Exporter::Zipkin | Exporter::None => match own {
                Some(endpoint) => endpoint,
                None => return Ok(None),
            },
        };
        let bad = |reason: String| ExporterError { endpoint: endpoint.clone(), reason };
        let builder = MetricExporter::builder().with_temporality(Temporality::Cumulative);
        // A push that fails is overtaken by the next one, whose sums hold everything: no long retries.
        let exporter = match settings.exporter {
            Exporter::OtlpHttp => builder
                .with_http()
                .with_endpoint(signal_endpoint(&endpoint, "/v1/metrics"))
                .with_http_client(http_client().map_err(|error| bad(error.to_string()))?)
                .with_timeout(TRY_TIMEOUT)
                .with_retry_policy(retry_policy().with_max_retries(1))
                .build(),
            _ => builder
                .with_tonic()
                .with_channel(grpc_channel(&endpoint)?)
                .with_timeout(TRY_TIMEOUT)
                .with_retry_policy(retry_policy().with_max_retries(1))
                .build(),
        }
        .map_err(|error| bad(error.to_string()))?;
        let stopped = Arc::new(AtomicBool::new(false));
        let exporter = OnRuntime { inner: exporter, runtime: Handle::current(), stopped: stopped.clone() };
        let reader = PeriodicReader::builder(exporter).with_interval(settings.metrics_interval).build();
        let provider =
            SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader).build();
        observe(&provider.meter("tracepact-kit"), registry);
        Ok(Some(Self { provider, stopped }))
    }

    /// Pushes once more and stops, within `limit`.
    pub async fn shutdown(self, limit: Duration) {
        let stop = tokio::task::spawn_blocking({
            let provider = self.provider.clone();
            move || provider.shutdown_with_timeout(limit)
        });
        match tokio::time::timeout(limit, stop).await {
            Ok(Ok(Ok(()))) => {}
            _ => tracing::debug!("the last metrics were not pushed"),
        }
    }
}

/// The reader's thread is not tokio's, the exporters need tokio: every poll enters the runtime.
#[derive(Debug)]
struct OnRuntime {
    inner: MetricExporter,
    runtime: Handle,
    stopped: Arc<AtomicBool>,
}

struct Entered<F> {
    runtime: Handle,
    stopped: Arc<AtomicBool>,
    work: Pin<Box<F>>,
}

impl<F: Future<Output = OTelSdkResult>> Future for Entered<F> {
    type Output = OTelSdkResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<OTelSdkResult> {
        if self.stopped.load(Ordering::Acquire) {
            return Poll::Ready(Err(OTelSdkError::AlreadyShutdown));
        }
        let runtime = self.runtime.clone();
        let _entered = runtime.enter();
        self.work.as_mut().poll(cx)
    }
}

impl PushMetricExporter for OnRuntime {
    fn export(&self, metrics: &ResourceMetrics) -> impl Future<Output = OTelSdkResult> + Send {
        Entered {
            runtime: self.runtime.clone(),
            stopped: self.stopped.clone(),
            work: Box::pin(self.inner.export(metrics)),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

fn text(key: &'static str, value: &str) -> KeyValue {
    KeyValue::new(key, value.to_owned())
}

/// Reads one figure of a part.
type Reading<T> = fn(&T) -> u64;

fn observe(meter: &Meter, registry: &Registry) {
    breakers(meter, registry);
    bulkheads(meter, registry);
    permits(meter, registry);
    let from = registry.clone();
    let _kept_by_the_meter = meter
        .u64_observable_counter("tracepact.consumer.rebalances")
        .with_description("Assignments a group member received.")
        .with_callback(move |observer| {
            for (group, count) in from.all_rebalances() {
                observer.observe(count, &[text("group", &group)]);
            }
        })
        .build();
}

fn breakers(meter: &Meter, registry: &Registry) {
    let gauges: [(&'static str, &'static str, Reading<Breaker>); 3] = [
        ("tracepact.breaker.state", "0 closed, 1 open, 2 half open, 3 forced open, 4 disabled.", |b| {
            b.state().number()
        }),
        ("tracepact.breaker.window.requests", "Calls in the health window.", |b| b.window_requests()),
        ("tracepact.breaker.window.error_percent", "Failed calls in percent of the health window.", |b| {
            b.error_percent()
        }),
    ];
    for (name, description, value) in gauges {
        let from = registry.clone();
        let _kept_by_the_meter = meter
            .u64_observable_gauge(name)
            .with_description(description)
            .with_callback(move |observer| {
                for breaker in from.breakers() {
                    observer.observe(
                        value(&breaker),
                        &[text("breaker", breaker.name()), text("callee", breaker.callee())],
                    );
                }
            })
            .build();
    }
    let from = registry.clone();
    let _kept_by_the_meter = meter
        .u64_observable_counter("tracepact.breaker.calls")
        .with_description("Calls by what became of them.")
        .with_callback(move |observer| {
            for breaker in from.breakers() {
                for (outcome, event) in OUTCOMES {
                    observer.observe(
                        breaker.total(event),
                        &[
                            text("breaker", breaker.name()),
                            text("callee", breaker.callee()),
                            text("outcome", outcome),
                        ],
                    );
                }
            }
        })
        .build();
    let from = registry.clone();
    let _kept_by_the_meter = meter
        .u64_observable_counter("tracepact.breaker.transitions")
        .with_description("Changes of state.")
        .with_callback(move |observer| {
            for breaker in from.breakers() {
                for ((before, after, cause), count) in breaker.transition_totals() {
                    observer.observe(
                        count,
                        &[
                            text("breaker", breaker.name()),
                            text("callee", breaker.callee()),
                            text("from", before.as_str()),
                            text("to", after.as_str()),
                            text("cause", cause.as_str()),
                        ],
                    );
                }
            }
        })
        .build();
}

fn bulkheads(meter: &Meter, registry: &Registry) {
    let gauges: [(&'static str, Reading<Bulkhead>); 3] = [
        ("tracepact.bulkhead.in_use", |b| b.in_use()),
        ("tracepact.bulkhead.limit", |b| b.limit()),
        ("tracepact.bulkhead.waiting", |b| b.waiting()),
    ];
    for (name, value) in gauges {
        let from = registry.clone();
        let _kept_by_the_meter = meter
            .u64_observable_gauge(name)
            .with_callback(move |observer| {
                for bulkhead in from.bulkheads() {
                    observer.observe(value(&bulkhead), &[text("bulkhead", bulkhead.name())]);
                }
            })
            .build();
    }
    let from = registry.clone();
    let _kept_by_the_meter = meter
        .u64_observable_counter("tracepact.bulkhead.rejected")
        .with_callback(move |observer| {
            for bulkhead in from.bulkheads() {
                observer.observe(bulkhead.rejected_total(), &[text("bulkhead", bulkhead.name())]);
            }
        })
        .build();
}

fn permits(meter: &Meter, registry: &Registry) {
    let gauges: [(&'static str, Reading<Permits>); 4] = [
        ("tracepact.permits.in_use", |p| p.in_use()),
        ("tracepact.permits.limit", |p| p.limit() as u64),
        ("tracepact.permits.waiting", |p| p.waiting() as u64),
        ("tracepact.permits.paused", |p| u64::from(p.is_paused())),
    ];
    for (name, value) in gauges {
        let from = registry.clone();
        let _kept_by_the_meter = meter
            .u64_observable_gauge(name)
            .with_callback(move |observer| {
                for permits in from.all_permits() {
                    observer.observe(
                        value(&permits),
                        &[text("group", permits.group()), text("topic", permits.topic())],
                    );
                }
            })
            .build();
    }
    let from = registry.clone();
    let _kept_by_the_meter = meter
        .f64_observable_counter("tracepact.permits.paused_seconds")
        .with_callback(move |observer| {
            for permits in from.all_permits() {
                observer.observe(
                    permits.paused_seconds_total(),
                    &[text("group", permits.group()), text("topic", permits.topic())],
                );
            }
        })
        .build();
}
