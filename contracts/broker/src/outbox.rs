//! Delivery of events: at least once, in order, for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracepact_base::{Event, EventSink};

use crate::store::outbox;
use crate::{Broker, BrokerError};

/// Events handed over at once.
const BATCH: i64 = 100;
/// Longest pause after failures.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Looks for events at least this often, in case another process wrote them.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Broker {
    /// Delivers the outbox to `sink` until `stop` is cancelled. An event is forgotten only after the sink said it is
    /// durable; after a crash in between it is delivered again under the same id. Failures are tried again with
    /// growing pauses, and nothing behind a failed event overtakes it.
    pub async fn run_outbox(&self, sink: Arc<dyn EventSink>, stop: CancellationToken) {
        let mut pause = Duration::from_millis(100);
        loop {
            let wait = match self.deliver_once(sink.as_ref()).await {
                Ok(0) => {
                    pause = Duration::from_millis(100);
                    LOOK_EVERY
                }
                Ok(_) => {
                    pause = Duration::from_millis(100);
                    Duration::ZERO
                }
                Err(reason) => {
                    tracing::warn!(%reason, pause_ms = pause.as_millis() as u64, "contract events wait to be delivered");
                    let now = pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                    now
                }
            };
            let failed = pause > Duration::from_millis(100);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                () = self.outbox_changed().notified(), if !failed => {}
            }
        }
    }

    /// Delivers one batch; how many.
    async fn deliver_once(&self, sink: &dyn EventSink) -> Result<usize, String> {
        let told = |e: BrokerError| e.to_string();
        let mut read = self.store().read().await.map_err(told)?;
        let rows = outbox::oldest(&mut read, BATCH).await.map_err(told)?;
        drop(read);
        let Some((last, _)) = rows.last() else { return Ok(0) };
        let (last, count) = (*last, rows.len());
        let mut events: Vec<Event> = Vec::with_capacity(count);
        for (id, body) in &rows {
            match serde_json::from_str(body) {
                Ok(event) => events.push(event),
                Err(error) => tracing::error!(id, %error, "a stored event cannot be read and is dropped"),
            }
        }
        sink.deliver(events).await.map_err(|e| e.to_string())?;
        let mut write = self.store().write().await.map_err(told)?;
        outbox::forget(write.conn(), last).await.map_err(told)?;
        write.commit().await.map_err(told)?;
        Ok(count)
    }
}
