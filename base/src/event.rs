//! Something that happened once: a deploy, a breaker's transition, a contract's change, a verdict on a message.
//!
//! Events are how rooms that never see each other meet: the broker writes them to its outbox, the binary delivers
//! them to the store, and the feed (`GET /tracepact/v1/events`) shows them beside what the collector noticed itself.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{Edge, ErrorKind, ServiceName, Topic};

/// What kind of thing happened.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A version was deployed to or undeployed from an environment.
    Deploy,
    /// A circuit breaker changed its state.
    BreakerTransition,
    /// A limit or threshold was changed at run time.
    ThresholdChange,
    /// A contract was published, proposed, accepted, rejected, verified or broken.
    ContractChange,
    /// The gate answered no to a deploy.
    GateRefusal,
    /// A message was judged lost, late, dead-lettered or duplicated.
    MessageVerdict,
    /// A consumer group's lag changed its verdict.
    LagVerdict,
    /// An alert began or ended.
    Alert,
}

/// A place to look at, relative to the dashboard's origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Link {
    /// What is behind it: `trace`, `breaker`, `lag`, `message`, `contract`, `proposal`, `pull-request`.
    pub rel: String,
    /// The address; a path of the dashboard such as `/traces/463ac35c9f6413ad`, or an absolute https address.
    pub href: String,
}

/// One entry of the event feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Unique and sortable by time of writing (a ULID); delivering the same id twice stores it once.
    pub id: String,
    /// What kind of thing happened.
    pub kind: EventKind,
    /// When it happened.
    #[serde(rename = "at", with = "crate::time_format::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at_ns: u64,
    /// One line for people: what happened, in the past tense.
    pub title: String,
    /// Why, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The service it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    /// The edge it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub edge: Option<Edge>,
    /// The destination it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub destination: Option<Topic>,
    /// Machine-readable details, named by the kind: `version`, `environment`, `from`, `to`, `verdict`, `key`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Where to look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

impl Event {
    /// An event of `kind` at `at_ns` with a fresh id and nothing else known.
    pub fn new(kind: EventKind, at_ns: u64, title: impl Into<String>) -> Self {
        Self {
            id: ulid::Ulid::new().to_string(),
            kind,
            at_ns,
            title: title.into(),
            cause: None,
            service: None,
            edge: None,
            destination: None,
            attributes: BTreeMap::new(),
            links: Vec::new(),
        }
    }

    /// Adds why it happened.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds the service it is about.
    #[must_use]
    pub fn about(mut self, service: ServiceName) -> Self {
        self.service = Some(service);
        self
    }

    /// Adds the edge it is about; the service too, when none is named yet (the caller's side sees the effect).
    #[must_use]
    pub fn on_edge(mut self, edge: Edge) -> Self {
        self.service.get_or_insert_with(|| edge.caller.clone());
        self.edge = Some(edge);
        self
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.attributes.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a place to look at.
    #[must_use]
    pub fn link(mut self, rel: &str, href: impl Into<String>) -> Self {
        self.links.push(Link { rel: rel.to_owned(), href: href.into() });
        self
    }
}

/// Takes events and keeps them. The broker's outbox delivers to this; `Ok` means durable, so the outbox may forget.
pub trait EventSink: Send + Sync {
    /// Keeps `events`; those whose id is known already are ignored.
    fn deliver(&self, events: Vec<Event>) -> BoxFuture<'_, Result<(), SinkError>>;
}

/// Why events could not be kept. The sender keeps them and tries again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("events were not stored: {reason}")]
pub struct SinkError {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// What went wrong.
    pub reason: String,
}
