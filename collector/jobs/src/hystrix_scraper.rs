//! Pulls one `hystrix.stream` and keeps it: reconnects for as long as it takes, gently.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tracepact_base::Event;
use tracepact_resilience::Measure;
use tracepact_resilience::board::Boards;
use tracepact_resilience::hystrix::{StreamParser, StreamSample};

use crate::config::HystrixTarget;
use crate::writer::Writer;

/// Streams send at least a ping every half second; this long a silence means that it is dead.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// First and longest pause before connecting again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Values are written so often; of several of one series the newest.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// The puller of one stream.
pub(crate) struct Scraper {
    target: HystrixTarget,
    writer: Arc<Writer>,
    boards: Arc<Boards>,
}

#[derive(Default)]
struct Pending {
    measures: BTreeMap<(&'static str, BTreeMap<String, String>), Measure>,
    events: Vec<Event>,
}

impl Scraper {
    pub(crate) fn new(target: HystrixTarget, writer: Arc<Writer>, boards: Arc<Boards>) -> Self {
        Self { target, writer, boards }
    }

    /// Runs until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(SILENCE_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, url = %self.target.url, "the stream cannot be pulled");
                return;
            }
        };
        let mut pause = PAUSES.0;
        loop {
            match stop.run_until_cancelled(self.pull(&client, &mut pause)).await {
                None => return,
                Some(ended) => tracing::warn!(url = %self.target.url, reason = ended, "the stream ended"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Follows the stream to its end; why it ended.
    async fn pull(&self, client: &reqwest::Client, pause: &mut Duration) -> String {
        let answer = client.get(self.target.url.clone()).header("accept", "text/event-stream").send().await;
        let answer = match answer.and_then(reqwest::Response::error_for_status) {
            Ok(answer) => answer,
            Err(error) => return error.to_string(),
        };
        let url = &self.target.url;
        let port = url.port_or_known_default().map_or_else(String::new, |port| format!(":{port}"));
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        let mut parser = StreamParser::new(self.target.service.clone(), host);
        let mut body = answer.bytes_stream();
        let mut flush = tokio::time::interval(FLUSH_INTERVAL);
        let mut pending = Pending::default();
        let ended = loop {
            tokio::select! {
                piece = body.next() => match piece {
                    Some(Ok(bytes)) => {
                        let samples = parser.feed(&bytes);
                        if !samples.is_empty() {
                            *pause = PAUSES.0;
                        }
                        samples.iter().for_each(|sample| self.take(sample, &mut pending));
                        if !pending.events.is_empty() {
                            self.writer.events(std::mem::take(&mut pending.events)).await;
                        }
                    }
                    Some(Err(error)) => break error.to_string(),
                    None => break "the server ended it".to_owned(),
                },
                _ = flush.tick() => self.flush(&mut pending).await,
            }
        };
        self.flush(&mut pending).await;
        ended
    }

    fn take(&self, sample: &StreamSample, pending: &mut Pending) {
        let measures = match sample {
            StreamSample::Breaker(sample) => {
                let transitions = self.boards.breakers.observe(sample);
                pending.events.extend(transitions.iter().map(|transition| transition.event()));
                sample.measures()
            }
            StreamSample::Bulkhead(sample) => {
                pending.events.extend(self.boards.bulkheads.observe(sample).map(|change| change.event()));
                sample.measures()
            }
        };
        let keyed = measures.into_iter().map(|m| ((m.name, m.labels.clone()), m));
        pending.measures.extend(keyed);
    }

    async fn flush(&self, pending: &mut Pending) {
        let measures = std::mem::take(&mut pending.measures).into_values().collect();
        self.writer.measures(measures).await;
    }
}
