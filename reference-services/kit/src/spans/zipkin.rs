//! Zipkin v2 JSON over HTTP.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{SpanId, Value};
use opentelemetry_sdk::trace::SpanData;
use rand::Rng as _;
use serde::Serialize;

use super::export::{BACKOFF_MAX, SendError};

/// Sends batches to `/api/v2/spans`.
#[derive(Debug)]
pub struct ZipkinExporter {
    endpoint: String,
    service: String,
    client: reqwest::Client,
    retry_for: Duration,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    #[serde(rename = "serviceName")]
    service_name: &'a str,
}

#[derive(Serialize)]
struct Annotation<'a> {
    timestamp: u64,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan<'a> {
    trace_id: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    name: &'a str,
    timestamp: u64,
    duration: u64,
    local_endpoint: Endpoint<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_endpoint: Option<Endpoint<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'a>>,
    tags: std::collections::BTreeMap<&'a str, String>,
}

impl ZipkinExporter {
    /// Sends to `endpoint` as `service`, trying each batch for `retry_for`.
    pub fn new(endpoint: &str, service: &str, client: reqwest::Client, retry_for: Duration) -> Self {
        Self { endpoint: endpoint.to_owned(), service: service.to_owned(), client, retry_for }
    }

    /// Sends one batch.
    ///
    /// # Errors
    /// When it was refused (any 4xx but 408 and 429), or time ran out.
    pub async fn send(&self, batch: &[SpanData]) -> Result<(), SendError> {
        let spans: Vec<_> = batch.iter().map(|span| to_zipkin(span, &self.service)).collect();
        let body = serde_json::to_vec(&spans).map_err(|error| SendError::Refused(error.to_string()))?;
        let give_up_at = tokio::time::Instant::now() + self.retry_for;
        let mut backoff = Duration::from_millis(200);
        loop {
            let request = self
                .client
                .post(&self.endpoint)
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(body.clone());
            let (why, asked) = match request.send().await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => {
                    let status = response.status();
                    let retryable = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
                    if !retryable {
                        return Err(SendError::Refused(format!("HTTP {status}")));
                    }
                    (format!("HTTP {status}"), retry_after(response.headers()))
                }
                Err(error) => (error.to_string(), None),
            };
            let jitter = rand::rng().random_range(0..=100);
            let wait = backoff.max(asked.unwrap_or_default()) + Duration::from_millis(jitter);
            if tokio::time::Instant::now() + wait >= give_up_at {
                return Err(SendError::Exhausted(why));
            }
            tokio::time::sleep(wait).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }
}

/// `Retry-After` in seconds; the date form is left to the ordinary backoff.
fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(600)))
}

fn micros(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

fn to_zipkin<'a>(span: &'a SpanData, service: &'a str) -> ZipkinSpan<'a> {
    let id = u128::from_be_bytes(span.span_context.trace_id().to_bytes());
    let trace_id = tracepact_base::TraceId::new(id).map(|id| id.to_zipkin_hex()).unwrap_or_default();
    let mut tags = std::collections::BTreeMap::new();
    let mut remote = None;
    for attribute in &span.attributes {
        if attribute.key.as_str() == "peer.service"
            && let Value::String(name) = &attribute.value
        {
            remote = Some(Endpoint { service_name: name.as_str() });
            continue;
        }
        tags.insert(attribute.key.as_str(), attribute.value.to_string());
    }
    if let Status::Error { description } = &span.status {
        let kind = tags.get("error.type").cloned().unwrap_or_else(|| "true".to_owned());
        tags.insert("error", if description.is_empty() { kind } else { description.to_string() });
    }
    let timestamp = micros(span.start_time);
    ZipkinSpan {
        trace_id,
        id: span.span_context.span_id().to_string(),
        parent_id: (span.parent_span_id != SpanId::INVALID).then(|| span.parent_span_id.to_string()),
        kind: match span.span_kind {
            SpanKind::Client => Some("CLIENT"),
            SpanKind::Server => Some("SERVER"),
            SpanKind::Producer => Some("PRODUCER"),
            SpanKind::Consumer => Some("CONSUMER"),
            SpanKind::Internal => None,
        },
        name: &span.name,
        timestamp,
        // Zipkin drops a duration of 0, which would read as "not finished".
        duration: micros(span.end_time).saturating_sub(timestamp).max(1),
        local_endpoint: Endpoint { service_name: service },
        remote_endpoint: remote,
        annotations: span
            .events
            .iter()
            .map(|event| Annotation { timestamp: micros(event.timestamp), value: &event.name })
            .collect(),
        tags,
    }
}
