//! Events in and out.

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tracepact_base::event::SinkError;
use tracepact_base::{ErrorKind, Event, EventSink};

use super::append::Label;
use super::{Engine, EventQuery};
use crate::hot::HotRows;
use crate::log::Table;
use crate::{EventStore, ReadCtx, StoreError};

impl EventStore for Engine {
    fn append_events(&self, events: Vec<Event>) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let new: Vec<Event> = {
                let state = self.shared.state.read();
                events.into_iter().filter(|event| !state.events.knows(&event.id)).collect()
            };
            if new.is_empty() {
                return Ok(());
            }
            let body = serde_json::to_vec(&new).map_err(|error| {
                StoreError::new(ErrorKind::Internal, format!("an event is not JSON: {error}"))
            })?;
            let label = Label {
                table: Table::Events,
                codec: 0,
                received_at_ns: self.shared.clock.now_ns(),
                rejected: Vec::new(),
            };
            self.log_body(label, body.into(), HotRows::Events(new)).await.map(|_| ())
        }
        .boxed()
    }

    fn events(&self, query: EventQuery, _ctx: ReadCtx) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        let shared = self.shared.clone();
        self.reads.run(move || shared.state.read().events.select(&query)).boxed()
    }

    fn events_version(&self) -> watch::Receiver<u64> {
        self.shared.events_version.subscribe()
    }
}

impl EventSink for Engine {
    fn deliver(&self, events: Vec<Event>) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            self.append_events(events)
                .await
                .map_err(|error| SinkError { kind: error.kind, reason: error.reason })
        }
        .boxed()
    }
}
