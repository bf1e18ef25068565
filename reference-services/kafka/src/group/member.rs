//! One member of a group and the answers it waits for.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::join::Joined;
use super::sync::Synced;

/// A member.
#[derive(Debug)]
pub(crate) struct Member {
    /// `group.instance.id` of a static member.
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    /// Assignors it supports, most wanted first, each with its subscription.
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) assignment: Bytes,
    pub(crate) session: Duration,
    pub(crate) rebalance: Duration,
    pub(crate) seen: Instant,
    pub(crate) join: Option<oneshot::Sender<Joined>>,
    pub(crate) sync: Option<oneshot::Sender<Synced>>,
}

impl Member {
    /// Whether its client is waiting for an answer of ours; it cannot send heartbeats meanwhile.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits_for_join() || self.waits_for_sync()
    }

    pub(crate) fn waits_for_join(&self) -> bool {
        self.join.as_ref().is_some_and(|answer| !answer.is_closed())
    }

    pub(crate) fn waits_for_sync(&self) -> bool {
        self.sync.as_ref().is_some_and(|answer| !answer.is_closed())
    }

    /// Its subscription under one assignor.
    pub(crate) fn subscription(&self, protocol: &str) -> Bytes {
        self.protocols.iter().find(|p| p.0 == protocol).map(|p| p.1.clone()).unwrap_or_default()
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|p| p.0 == protocol)
    }

    pub(super) fn answer_join(&mut self, joined: Joined) {
        self.seen = Instant::now();
        if let Some(answer) = self.join.take() {
            drop(answer.send(joined));
        }
    }

    pub(super) fn answer_sync(&mut self, synced: Synced) {
        if let Some(answer) = self.sync.take() {
            self.seen = Instant::now();
            drop(answer.send(synced));
        }
    }
}
