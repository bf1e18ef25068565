//! The trait in front of the event feed.

use futures::future::BoxFuture;
use tracepact_base::{Event, EventKind, ServiceName};

use crate::{ReadCtx, StoreError};

/// Which events.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventQuery {
    /// Only these kinds; empty for all.
    pub kinds: Vec<EventKind>,
    /// Only those about this service (as service, or as either end of the edge).
    pub service: Option<ServiceName>,
    /// At or after, nanoseconds since 1970.
    pub start_ns: u64,
    /// At or before; `None` for no bound.
    pub end_ns: Option<u64>,
    /// Most events in the answer.
    pub limit: usize,
}

/// Durable storage of events.
pub trait EventStore: Send + Sync {
    /// Keeps events; resolves after the sync. One whose id is known is ignored.
    fn append_events(&self, events: Vec<Event>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Matching events, newest first.
    fn events(&self, query: EventQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<Vec<Event>, StoreError>>;

    /// A number that grows with every stored event, to notice news without reading the feed.
    fn events_version(&self) -> tokio::sync::watch::Receiver<u64>;
}
