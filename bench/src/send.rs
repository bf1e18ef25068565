//! Senders over HTTP: a closed loop, or an open one at a given rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::latency::Latency;
use tracepact_bench::generate::{self, Work};

/// In which format spans are sent, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// OTLP, protobuf.
    Otlp,
    /// Zipkin v2 JSON.
    ZipkinJson,
}

impl Format {
    /// In words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Otlp => "OTLP",
            Self::ZipkinJson => "Zipkin JSON",
        }
    }

    /// The generated requests in this format.
    pub(crate) fn bodies(self, work: &Work) -> anyhow::Result<Arc<Vec<Vec<u8>>>> {
        match self {
            Self::Otlp => Ok(work.bodies.clone()),
            Self::ZipkinJson => generate::as_zipkin_json(&work.bodies).map(Arc::new),
        }
    }

    const fn path_and_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Otlp => ("/v1/traces", "application/x-protobuf"),
            Self::ZipkinJson => ("/api/v2/spans", "application/json"),
        }
    }
}

/// How the sending went.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) wall_s: f64,
    pub(crate) latency: Latency,
    pub(crate) retries: usize,
    /// Of each body when it was acknowledged, counted from the start.
    pub(crate) acknowledged: Vec<Option<Duration>>,
    /// Why it ended early.
    pub(crate) broken: Option<String>,
}

/// How requests follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Requests under way at once.
    pub(crate) connections: usize,
    /// Requests a second; latencies then count from when a request was due. `None`: the next as soon as one is answered.
    pub(crate) per_second: Option<f64>,
}

/// Sends every body once; a 503 is sent again after its `Retry-After`. An answer that refuses a body is an error; a
/// connection that breaks ends that sender.
pub(crate) async fn all(
    address: &str,
    format: Format,
    bodies: Arc<Vec<Vec<u8>>>,
    pace: Pace,
) -> anyhow::Result<Sent> {
    let (path, media_type) = format.path_and_type();
    let url = format!("http://{address}{path}");
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..pace.connections {
        let (url, next, bodies) = (url.clone(), next.clone(), bodies.clone());
        senders.spawn(async move {
            let client = reqwest::Client::new();
            let mut sent = Sent { acknowledged: vec![None; bodies.len()], ..Sent::default() };
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(body) = bodies.get(number) else { return Ok(sent) };
                let due = pace.per_second.map(|rate| start + Duration::from_secs_f64(number as f64 / rate));
                if let Some(due) = due {
                    tokio::time::sleep_until(due.into()).await;
                }
                let begun = due.unwrap_or_else(Instant::now);
                if let Err(broken) = one(&client, &url, media_type, body, &mut sent.retries).await? {
                    sent.broken = Some(broken.to_string());
                    return Ok::<_, anyhow::Error>(sent);
                }
                sent.latency.add(begun.elapsed());
                sent.acknowledged[number] = Some(start.elapsed());
            }
        });
    }
    let mut all = Sent { acknowledged: vec![None; bodies.len()], ..Sent::default() };
    while let Some(done) = senders.join_next().await {
        let sent = done??;
        all.latency.merge(sent.latency);
        all.retries += sent.retries;
        all.broken = all.broken.or(sent.broken);
        for (known, at) in all.acknowledged.iter_mut().zip(sent.acknowledged) {
            *known = known.or(at);
        }
    }
    all.wall_s = start.elapsed().as_secs_f64();
    Ok(all)
}

/// Sends one body until it is taken; the inner error is a connection that broke.
async fn one(
    client: &reqwest::Client,
    url: &str,
    media_type: &str,
    body: &[u8],
    retries: &mut usize,
) -> anyhow::Result<Result<(), reqwest::Error>> {
    loop {
        let request = client.post(url).header("content-type", media_type).body(body.to_vec());
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(broken) => return Ok(Err(broken)),
        };
        if answer.status() == 503 {
            let wait = answer.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
            *retries += 1;
            tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
            continue;
        }
        if !answer.status().is_success() {
            bail!("{url} answered {}: {}", answer.status(), answer.text().await?);
        }
        if let Err(broken) = answer.bytes().await {
            return Ok(Err(broken));
        }
        return Ok(Ok(()));
    }
}
