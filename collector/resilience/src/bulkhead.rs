//! Bulkheads and consumer permits: bounded places, how many are taken, who waits and who was turned away.

use serde::{Deserialize, Serialize};
use tracepact_base::{Event, EventKind, ServiceName, Topic};

use crate::series::{self, Measure};

/// What the places bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BulkheadName {
    /// Concurrent calls, by the bulkhead's name.
    Bulkhead(String),
    /// Records in work of a consumer.
    Permits {
        /// The consumer group.
        group: String,
        /// The topic; empty when the permits span all of a consumer's topics.
        topic: String,
    },
}

/// Whether places bound calls or records, for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkheadKind {
    /// Concurrent calls.
    Bulkhead,
    /// Records in work.
    Permits,
}

/// Which bulkhead.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BulkheadKey {
    /// The service.
    pub service: ServiceName,
    /// The process; empty when unknown.
    pub instance: String,
    /// Its name.
    pub name: BulkheadName,
}

/// What one source said about one bulkhead at one moment. What it did not say is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkheadSample {
    /// Which bulkhead.
    pub key: BulkheadKey,
    /// Places taken.
    pub in_use: Option<f64>,
    /// Places.
    pub limit: Option<f64>,
    /// Waiting for a place.
    pub waiting: Option<f64>,
    /// Turned away since the process began.
    pub rejected_total: Option<f64>,
    /// Whether fetching is paused.
    pub paused: Option<bool>,
    /// Seconds paused since the process began.
    pub paused_seconds_total: Option<f64>,
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
}

impl BulkheadSample {
    /// A sample that says nothing yet.
    pub fn new(key: BulkheadKey, at_ns: u64) -> Self {
        Self {
            key,
            in_use: None,
            limit: None,
            waiting: None,
            rejected_total: None,
            paused: None,
            paused_seconds_total: None,
            at_ns,
        }
    }

    /// Its values for the series store.
    pub fn measures(&self) -> Vec<Measure> {
        let (service, instance) = (self.key.service.as_str(), self.key.instance.as_str());
        let paused = self.paused.map(|paused| f64::from(u8::from(paused)));
        let (labels, values) = match &self.key.name {
            BulkheadName::Bulkhead(name) => (
                vec![("service", service), ("instance", instance), ("bulkhead", name.as_str())],
                vec![
                    (series::BULKHEAD_IN_USE, self.in_use),
                    (series::BULKHEAD_LIMIT, self.limit),
                    (series::BULKHEAD_WAITING, self.waiting),
                    (series::BULKHEAD_REJECTED_TOTAL, self.rejected_total),
                ],
            ),
            BulkheadName::Permits { group, topic } => (
                vec![
                    ("service", service),
                    ("instance", instance),
                    ("group", group.as_str()),
                    ("topic", topic.as_str()),
                ],
                vec![
                    (series::PERMITS_IN_USE, self.in_use),
                    (series::PERMITS_LIMIT, self.limit),
                    (series::PERMITS_WAITING, self.waiting),
                    (series::PERMITS_PAUSED, paused),
                    (series::PERMITS_PAUSED_SECONDS_TOTAL, self.paused_seconds_total),
                ],
            ),
        };
        let measure =
            |(name, value): (_, Option<f64>)| value.map(|v| Measure::new(name, &labels, self.at_ns, v));
        values.into_iter().filter_map(measure).collect()
    }
}

/// The number of places was changed at run time.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitChange {
    /// Which bulkhead.
    pub key: BulkheadKey,
    /// When it was seen, nanoseconds since 1970.
    pub at_ns: u64,
    /// Places before.
    pub from: f64,
    /// Places now.
    pub to: f64,
}

impl LimitChange {
    /// The entry of the event feed.
    pub fn event(&self) -> Event {
        let (what, name) = match &self.key.name {
            BulkheadName::Bulkhead(name) => ("bulkhead", name),
            BulkheadName::Permits { group, .. } => ("permits", group),
        };
        let title = format!(
            "The limit of {what} {name} of {} went from {} to {}",
            self.key.service, self.from, self.to
        );
        let mut event = Event::new(EventKind::ThresholdChange, self.at_ns, title)
            .about(self.key.service.clone())
            .with(what, name.clone())
            .with("instance", self.key.instance.clone())
            .with("from", self.from.to_string())
            .with("to", self.to.to_string())
            .link("breaker", "/breakers");
        if let BulkheadName::Permits { topic, .. } = &self.key.name {
            event.destination = Topic::new(topic).ok();
        }
        event
    }
}
