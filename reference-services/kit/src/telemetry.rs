//! Starting and stopping everything: spans, metrics, logs.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracepact_base::{SharedClock, SystemClock};

use crate::metrics::MetricsPush;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::spans::Tracing;
use crate::spans::counters::SpanCounters;
use crate::spans::export::{ExporterError, SpanSender};
use crate::spans::processor::{Batching, Pipeline, counting, sending};
use crate::spans::sampler::KitSampler;

/// The telemetry of one service. Ends orderly with [`Telemetry::shutdown`].
#[derive(Debug)]
pub struct Telemetry {
    tracing: Tracing,
    provider: SdkTracerProvider,
    pipeline: Option<Pipeline>,
    metrics: Option<MetricsPush>,
    prometheus: prometheus::Registry,
    counters: SpanCounters,
    registry: Registry,
    settings: Settings,
}

/// Telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The exporter cannot be made.
    #[error(transparent)]
    Exporter(#[from] ExporterError),
    /// A counter cannot be registered.
    #[error("the counters cannot be registered: {0}")]
    Counters(#[from] prometheus::Error),
}

impl Telemetry {
    /// Starts sending spans and metrics as `settings` say, on the machine's clock and with a registry of its own.
    /// Needs a running tokio runtime. Installs the log format unless a subscriber is there already.
    ///
    /// # Errors
    /// When an endpoint is not an address.
    #[expect(clippy::unused_async, reason = "starting needs a runtime, and may wait for one endpoint later")]
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::start_with(settings, SystemClock::shared(), prometheus::Registry::new())
    }

    /// [`Telemetry::start`] with the caller's clock and Prometheus registry.
    ///
    /// # Errors
    /// When an endpoint is not an address, or the counters are registered there already.
    pub fn start_with(
        mut settings: Settings,
        clock: SharedClock,
        prometheus: prometheus::Registry,
    ) -> Result<Self, StartError> {
        if settings.instance.is_empty() {
            settings.instance = format!("{}-{:08x}", settings.service, rand::random::<u32>());
        }
        crate::logs::install(settings.log_format, &settings.log_filter);
        let counters = SpanCounters::register(&prometheus)?;
        let resource = resource(&settings);
        let (processor, pipeline) = match SpanSender::new(&settings, &resource)? {
            None => (counting(counters.clone()), None),
            Some(sender) => {
                let batching = Batching {
                    queue_spans_max: settings.queue_spans_max,
                    batch_spans_max: settings.batch_spans_max,
                    delay: settings.batch_delay,
                };
                let (processor, pipeline) = sending(counters.clone(), batching, sender);
                (processor, Some(pipeline))
            }
        };
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(KitSampler::new(settings.sample_ratio))
            .with_resource(resource.clone())
            .build();
        let tracing = Tracing::new(&provider, settings.propagation.clone());
        let registry = Registry::new(clock);
        let metrics = MetricsPush::start(&settings, &resource, &registry)?;
        if settings.global {
            tracing.make_current();
        }
        Ok(Self { tracing, provider, pipeline, metrics, prometheus, counters, registry, settings })
    }

    /// Starts spans; what the HTTP and Kafka parts take.
    pub fn tracing(&self) -> &Tracing {
        &self.tracing
    }

    /// The breakers, bulkheads and permits of this process.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Where the kit's counters are registered; a service adds its own and serves it at `/metrics`.
    pub fn prometheus(&self) -> &prometheus::Registry {
        &self.prometheus
    }

    /// The span counters.
    pub fn counters(&self) -> &SpanCounters {
        &self.counters
    }

    /// The settings as they hold, with the instance filled in.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The Prometheus text of [`Telemetry::prometheus`].
    pub fn metrics_text(&self) -> String {
        prometheus::TextEncoder::new().encode_to_string(&self.prometheus.gather()).unwrap_or_default()
    }

    /// Sends what is still queued within `shutdown_within`, pushes the metrics a last time, and stops. Spans that
    /// end later are counted as given up.
    pub async fn shutdown(self) {
        let provider = self.provider.clone();
        let _already_stopped = provider.shutdown();
        if let Some(pipeline) = self.pipeline {
            pipeline.shutdown(self.settings.shutdown_within).await;
        }
        if let Some(metrics) = self.metrics {
            metrics.shutdown(self.settings.shutdown_within).await;
        }
        // The last word of the counters: nobody can scrape them any more.
        tracing::info!(
            spans_ended = self.counters.sampled.get(),
            spans_exported = self.counters.exported.get(),
            spans_given_up = self.counters.given_up_total(),
            "telemetry stopped"
        );
    }
}

/// A telemetry shared by the parts of a service.
pub type SharedTelemetry = Arc<Telemetry>;

fn resource(settings: &Settings) -> Resource {
    let mut attributes = vec![KeyValue::new("service.instance.id", settings.instance.clone())];
    if !settings.version.is_empty() {
        attributes.push(KeyValue::new("service.version", settings.version.clone()));
    }
    attributes.extend(settings.resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())));
    Resource::builder_empty()
        .with_service_name(settings.service.clone())
        .with_attributes([
            KeyValue::new("telemetry.sdk.language", "rust"),
            KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        ])
        .with_attributes(attributes)
        .build()
}
