//! What the broker tells in the names of pacticipants, told on in the names of services: the feed has one name for each.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracepact_base::event::SinkError;
use tracepact_base::{Edge, Event, EventKind, EventSink, ServiceName};
use tracepact_join::Aliases;

use super::counted::Counted;

/// Between the broker's outbox and the event feed.
pub(crate) struct JoinedEvents {
    feed: Arc<dyn EventSink>,
    aliases: Arc<Aliases>,
    counted: Arc<Counted>,
}

impl JoinedEvents {
    pub(crate) fn new(feed: Arc<dyn EventSink>, aliases: Arc<Aliases>, counted: Arc<Counted>) -> Self {
        Self { feed, aliases, counted }
    }
}

impl EventSink for JoinedEvents {
    fn deliver(&self, events: Vec<Event>) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let events: Vec<Event> = events.into_iter().map(|event| joined(event, &self.aliases)).collect();
            let deployed: Vec<_> = events.iter().filter_map(deployment).collect();
            self.feed.deliver(events).await?;
            for (service, environment, at_ns) in deployed {
                self.counted.deployed(&service, &environment, at_ns);
            }
            Ok(())
        }
        .boxed()
    }
}

/// The event about services. The pacticipant stays as an attribute where it is called something else.
fn joined(mut event: Event, aliases: &Aliases) -> Event {
    let service_of = |name: &ServiceName| aliases.service_of_pacticipant(name.as_str());
    if let Some(pacticipant) = event.service.take() {
        let service = service_of(&pacticipant).unwrap_or_else(|| pacticipant.clone());
        if service != pacticipant {
            event = event.with("pacticipant", pacticipant.as_str());
        }
        event.service = Some(service);
    }
    event.edge = event.edge.map(|Edge { caller, callee }| {
        let caller = service_of(&caller).unwrap_or(caller);
        let callee = service_of(&callee).unwrap_or(callee);
        Edge::new(caller, callee)
    });
    event
}

/// Service, environment and time, when the event says that something was deployed.
fn deployment(event: &Event) -> Option<(String, String, u64)> {
    let attribute = |key: &str| event.attributes.get(key).map(String::as_str);
    if event.kind != EventKind::Deploy || attribute("action") != Some("deployed") {
        return None;
    }
    Some((event.service.as_ref()?.to_string(), attribute("environment")?.to_owned(), event.at_ns))
}

#[cfg(test)]
mod tests {
    use tracepact_join::ServiceEntry;

    use super::*;

    fn aliases() -> Aliases {
        let orders = ServiceEntry {
            pacticipant: Some("Order Service".into()),
            ..ServiceEntry::named("orders").unwrap()
        };
        Aliases::new(vec![orders]).unwrap()
    }

    fn name(text: &str) -> ServiceName {
        ServiceName::new(text).unwrap()
    }

    #[test]
    fn pacticipants_become_services_in_events_and_their_edges() {
        let edge = Edge::new(name("Order Service"), name("products"));
        let event = joined(Event::new(EventKind::ContractChange, 1, "published").on_edge(edge), &aliases());
        assert_eq!(event.service, Some(name("orders")));
        assert_eq!(event.edge, Some(Edge::new(name("orders"), name("products"))));
        assert_eq!(event.attributes["pacticipant"], "Order Service");

        let same = joined(Event::new(EventKind::Deploy, 1, "deployed").about(name("products")), &aliases());
        assert_eq!(same.service, Some(name("products")));
        assert!(same.attributes.is_empty());
    }

    #[test]
    fn only_deployments_are_counted() {
        let event =
            Event::new(EventKind::Deploy, 7, "t").about(name("orders")).with("environment", "production");
        let deployed = event.clone().with("action", "deployed");
        assert_eq!(deployment(&deployed), Some(("orders".into(), "production".into(), 7)));
        assert_eq!(deployment(&event.with("action", "undeployed")), None);
    }
}
