//! The trait in front of what an operator does to the store.

use std::path::PathBuf;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tracepact_base::TraceId;

use crate::engine::{Census, Manifest};
use crate::{Completeness, ReadCtx, SpanQuery, StoreError};

/// Most traces that one request deletes.
pub const DELETE_TRACES_MAX: usize = 10_000;

/// What is to be deleted. Rows that were received before are meant; what arrives later is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Deletion {
    /// These traces, at most [`DELETE_TRACES_MAX`]. With lenient ids every trace with one of the low halves.
    Traces(Vec<TraceId>),
    /// The traces that a search finds, at most its limit and at most [`DELETE_TRACES_MAX`].
    Matching(SpanQuery),
}

/// What a deletion did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deleted {
    /// The traces that are hidden from now on; those of them that were unknown are left out.
    pub traces: Vec<TraceId>,
    /// More traces may match: the search ended at its limit.
    pub more: bool,
    /// How the search for them ended.
    pub completeness: Completeness,
}

/// Deletions whose rows are hidden and still on disk or in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pending {
    /// Deleted traces with a tombstone.
    pub traces: u64,
    /// When the oldest of them was deleted, nanoseconds since 1970.
    pub oldest_ns: Option<u64>,
}

/// What only an operator may do.
pub trait StoreAdmin: Send + Sync {
    /// Hides traces from every query; the deletion is durable when this resolves. Their rows leave the disk at the next
    /// sealing and compaction. `dry_run` only finds them. Refuses with `TooLarge` beyond [`DELETE_TRACES_MAX`] ids, with
    /// `Exhausted` while too many deletions are pending, with `Unavailable` when nothing can be written.
    fn delete(
        &self,
        deletion: Deletion,
        dry_run: bool,
        ctx: ReadCtx,
    ) -> BoxFuture<'_, Result<Deleted, StoreError>>;

    /// Deletions whose rows are not gone yet.
    fn pending(&self) -> Pending;

    /// Counts what the store holds. Blocks the thread for a moment.
    fn census(&self) -> Result<Census, StoreError>;

    /// Copies the store as it is at one moment into a directory beside it, checks the copy, and answers where it is and
    /// what it holds. What was acknowledged before is in it; appends go on meanwhile. Blocks the thread.
    fn snapshot(&self) -> Result<(PathBuf, Manifest), StoreError>;

    /// The snapshots that are kept, oldest first. Blocks the thread for a moment.
    fn snapshots(&self) -> Result<Vec<(PathBuf, Manifest)>, StoreError>;

    /// Removes a snapshot; `NotFound` when there is none of that name. Blocks the thread for a moment.
    fn remove_snapshot(&self, name: &str) -> Result<(), StoreError>;
}
