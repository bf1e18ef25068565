//! A closed loop of senders over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::latency::Latency;

/// In which format spans are sent, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// OTLP, protobuf.
    Otlp,
    /// Zipkin v2 JSON.
    ZipkinJson,
}

impl Format {
    const fn path_and_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Otlp => ("/v1/traces", "application/x-protobuf"),
            Self::ZipkinJson => ("/api/v2/spans", "application/json"),
        }
    }
}

/// How the sending went.
pub(crate) struct Sent {
    pub(crate) wall_s: f64,
    pub(crate) latency: Latency,
    pub(crate) retries: usize,
}

/// Sends every body once, `connections` at a time; a 503 is retried after its `Retry-After`.
pub(crate) async fn all(
    address: &str,
    format: Format,
    bodies: &[Vec<u8>],
    connections: usize,
) -> anyhow::Result<Sent> {
    let (path, media_type) = format.path_and_type();
    let url = format!("http://{address}{path}");
    let next = Arc::new(AtomicUsize::new(0));
    let bodies: Arc<Vec<Vec<u8>>> = Arc::new(bodies.to_vec());
    let start = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (url, next, bodies) = (url.clone(), next.clone(), bodies.clone());
        senders.spawn(async move {
            let client = reqwest::Client::new();
            let (mut latency, mut retries) = (Latency::default(), 0);
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                loop {
                    let begun = Instant::now();
                    let request = client.post(&url).header("content-type", media_type);
                    let answer = request.body(body.clone()).send().await?;
                    if answer.status() == 503 {
                        let wait =
                            answer.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
                        retries += 1;
                        tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
                        continue;
                    }
                    if !answer.status().is_success() {
                        bail!("{url} answered {}: {}", answer.status(), answer.text().await?);
                    }
                    answer.bytes().await?;
                    latency.add(begun.elapsed());
                    break;
                }
            }
            Ok((latency, retries))
        });
    }
    let mut sent = Sent { wall_s: 0.0, latency: Latency::default(), retries: 0 };
    while let Some(done) = senders.join_next().await {
        let (latency, retries) = done??;
        sent.latency.merge(latency);
        sent.retries += retries;
    }
    sent.wall_s = start.elapsed().as_secs_f64();
    Ok(sent)
}
