//! The three ways spans leave. Each tries a batch again until `retry_for` has passed, waits at least as long as the
//! collector asks (`Retry-After`, `RetryInfo`), and tells "refused" from "not reachable for too long".

use std::time::Duration;

use opentelemetry_otlp::{RetryPolicy, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

use super::partial;
use super::zipkin::ZipkinExporter;
use crate::settings::{Exporter, Settings};

/// Longest wait between two tries, unless the collector asks for more.
pub const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Longest wait for the answer to one try.
pub const TRY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a batch was given up.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The collector refused it for good.
    #[error("the collector refused the batch: {0}")]
    Refused(String),
    /// Every try within the bound failed.
    #[error("the collector did not take the batch in time: {0}")]
    Exhausted(String),
    /// The process is ending.
    #[error("the process is ending")]
    Abandoned,
}

impl SendError {
    /// The value of the counter's label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Exhausted(_) => "retries_exhausted",
            Self::Abandoned => "shutdown",
        }
    }
}

/// An exporter could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the exporter for {endpoint:?} cannot be made: {reason}")]
pub struct ExporterError {
    /// The endpoint as given.
    pub endpoint: String,
    /// What is wrong.
    pub reason: String,
}

/// One of the three ways.
#[derive(Debug)]
pub struct SpanSender {
    way: Way,
    retry_for: Duration,
}

#[derive(Debug)]
enum Way {
    Otlp(Box<opentelemetry_otlp::SpanExporter>),
    Zipkin(ZipkinExporter),
}

impl SpanSender {
    /// The sender `settings` ask for; `None` for [`Exporter::None`]. gRPC needs a running tokio runtime.
    ///
    /// # Errors
    /// When the endpoint is not an address.
    pub fn new(settings: &Settings, resource: &Resource) -> Result<Option<Self>, ExporterError> {
        let endpoint =
            settings.endpoint.clone().unwrap_or_else(|| settings.exporter.default_endpoint().to_owned());
        let bad = |reason: String| ExporterError { endpoint: endpoint.clone(), reason };
        let way = match settings.exporter {
            Exporter::None => return Ok(None),
            Exporter::OtlpGrpc => {
                let mut exporter = opentelemetry_otlp::SpanExporter::builder()
                    .with_tonic()
                    .with_channel(grpc_channel(&endpoint)?)
                    .with_timeout(settings.retry_for)
                    .with_retry_policy(retry_policy())
                    .build()
                    .map_err(|error| bad(error.to_string()))?;
                exporter.set_resource(resource);
                Way::Otlp(Box::new(exporter))
            }
            Exporter::OtlpHttp => {
                let mut exporter = opentelemetry_otlp::SpanExporter::builder()
                    .with_http()
                    .with_endpoint(signal_endpoint(&endpoint, "/v1/traces"))
                    .with_http_client(http_client().map_err(|error| bad(error.to_string()))?)
                    .with_timeout(settings.retry_for)
                    .with_retry_policy(retry_policy())
                    .build()
                    .map_err(|error| bad(error.to_string()))?;
                exporter.set_resource(resource);
                Way::Otlp(Box::new(exporter))
            }
            Exporter::Zipkin => Way::Zipkin(ZipkinExporter::new(
                &signal_endpoint(&endpoint, "/api/v2/spans"),
                &settings.service,
                http_client().map_err(|error| bad(error.to_string()))?,
                settings.retry_for,
            )),
        };
        Ok(Some(Self { way, retry_for: settings.retry_for }))
    }

    /// Sends one batch; `Ok` carries how many spans the collector rejected while taking the others.
    ///
    /// # Errors
    /// When the whole batch is given up.
    pub async fn send(&self, batch: Vec<SpanData>) -> Result<usize, SendError> {
        match &self.way {
            Way::Zipkin(zipkin) => zipkin.send(&batch).await.map(|()| 0),
            Way::Otlp(otlp) => self.send_otlp(otlp, batch).await,
        }
    }

    async fn send_otlp(
        &self,
        otlp: &opentelemetry_otlp::SpanExporter,
        batch: Vec<SpanData>,
    ) -> Result<usize, SendError> {
        let give_up_at = tokio::time::Instant::now() + self.retry_for;
        let mut backoff = Duration::from_millis(200);
        let mut last = String::from("no answer");
        loop {
            let started = tokio::time::Instant::now();
            let (outcome, rejected) = partial::watch(otlp.export(batch.clone()));
            let outcome = match tokio::time::timeout_at(give_up_at, outcome).await {
                Ok(outcome) => outcome,
                Err(_) => return Err(SendError::Exhausted(last)),
            };
            let Err(error) = outcome else { return Ok(rejected.count()) };
            last = error.to_string();
            if !is_broken_connection(&last) {
                // The client itself goes on trying whatever may succeed later until its time is over, so a failure
                // well before that is a refusal.
                let early = started.elapsed() + BACKOFF_MAX * 2 < self.retry_for;
                return Err(if early { SendError::Refused(last) } else { SendError::Exhausted(last) });
            }
            if tokio::time::Instant::now() + backoff >= give_up_at {
                return Err(SendError::Exhausted(last));
            }
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }
}

/// A collector that dies while it works on a call leaves `Unknown` or `Internal` with a cause on this side; a status
/// that the collector sent has no cause. The first is tried again (the collector tells repeated spans apart).
fn is_broken_connection(error: &str) -> bool {
    ["gRPC code: Unknown: ", "gRPC code: Internal: "].iter().any(|prefix| error.contains(prefix))
}

/// `base` with `path` appended, unless it ends in it already.
pub(crate) fn signal_endpoint(base: &str, path: &str) -> String {
    if base.ends_with(path) { base.to_owned() } else { format!("{}{path}", base.trim_end_matches('/')) }
}

pub(crate) fn retry_policy() -> RetryPolicy {
    RetryPolicy::recommended()
        .with_max_retries(usize::MAX)
        .with_initial_delay(Duration::from_millis(200))
        .with_max_delay(BACKOFF_MAX)
        .with_max_jitter(Duration::from_millis(200))
}

pub(crate) fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().timeout(TRY_TIMEOUT).build()
}

pub(crate) fn grpc_channel(endpoint: &str) -> Result<tonic::transport::Channel, ExporterError> {
    let parsed = tonic::transport::Endpoint::from_shared(endpoint.to_owned())
        .map_err(|error| ExporterError { endpoint: endpoint.to_owned(), reason: error.to_string() })?;
    Ok(parsed.timeout(TRY_TIMEOUT).connect_timeout(Duration::from_secs(5)).connect_lazy())
}
