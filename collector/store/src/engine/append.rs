//! The way in: room, compression, the log, and only then the answer.

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracepact_base::ErrorKind;

use std::sync::atomic::Ordering;

use super::Engine;
use crate::StoreError;
use crate::hot::HotRows;
use crate::log::record::Draft;
use crate::log::writer::read_only;
use crate::log::{Job, Table};

/// What identifies a record beside its body.
pub(super) struct Label {
    pub(super) table: Table,
    pub(super) codec: u8,
    pub(super) received_at_ns: u64,
    pub(super) rejected: Vec<u32>,
}

impl Engine {
    /// Logs a body; resolves with its LSN once it is durable and visible.
    pub(super) async fn log_body(&self, label: Label, body: Bytes, rows: HotRows) -> Result<u64, StoreError> {
        if let Some(reason) = self.log.broken() {
            return Err(read_only(reason));
        }
        let _room = self.room_for(body.len()).await?;
        let draft = self
            .writes
            .run(move || Draft::new(label.table, label.codec, label.received_at_ns, label.rejected, &body))
            .await?
            .map_err(|error| StoreError::new(ErrorKind::TooLarge, error.to_string()))?;
        let (done, durable) = oneshot::channel();
        self.log.append(Job { draft, payload: rows, done })?;
        let lost =
            |_| StoreError::new(ErrorKind::Unavailable, "the store was closed before the data was safe");
        let lsn = durable.await.map_err(lost)??;
        if self.shared.active_bytes() >= self.shared.config.seal_bytes {
            self.sealer.full();
        }
        Ok(lsn)
    }

    /// Waits a bounded time until `bytes` may be in flight and the rows in memory leave room.
    async fn room_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        let config = &self.shared.config;
        let permits = (bytes / 1024 + 1).min(config.in_flight_bytes_max / 1024).max(1);
        let permits = u32::try_from(permits).unwrap_or(u32::MAX);
        let wait = async {
            loop {
                let freed = self.shared.room.notified();
                if self.shared.hot_bytes() < config.hot_bytes_max {
                    break;
                }
                freed.await;
            }
            self.in_flight.clone().acquire_many_owned(permits).await
        };
        match tokio::time::timeout(config.append_wait, wait).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(StoreError::new(ErrorKind::Unavailable, "the store is closed")),
            Err(_) => {
                self.shared.counters.refused_appends.fetch_add(1, Ordering::Relaxed);
                Err(StoreError::new(
                    ErrorKind::Exhausted,
                    "the store takes data more slowly than it arrives; nothing of this request was kept",
                ))
            }
        }
    }
}
