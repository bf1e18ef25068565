//! The present state of everything that can be wrong, typed and with the time since when: what the overview is made of.
//! Healthy states come too; whoever ranks them needs to know that "2 of 3" has a third.

use std::sync::Arc;

use tracepact_base::{EventKind, ServiceName, TraceId};
use tracepact_resilience::board::{BreakerView, LagView, MessagesView};
use tracepact_resilience::lag::Verdict;
use tracepact_resilience::loss::MessageVerdict;
use tracepact_store::{EventQuery, NameKind, StoreError};

use crate::Query;
use crate::seen::{ServiceErrors, ServiceSeen};
use crate::service::{cut_text, nanos};

/// Changes of a group's verdict read from the feed.
const EVENTS_MAX: usize = 2_000;

/// A consumer group on one topic.
#[derive(Debug, Clone, PartialEq)]
pub struct LagStanding {
    /// The group.
    pub group: String,
    /// The service it belongs to, by the configuration.
    pub service: Option<String>,
    /// The topic.
    pub topic: String,
    /// The worst verdict of its partitions.
    pub verdict: Verdict,
    /// Messages behind.
    pub lag_messages: Option<i64>,
    /// Seconds behind.
    pub lag_seconds: Option<f64>,
    /// When the verdict was reached, nanoseconds since 1970.
    pub since_ns: Option<u64>,
}

/// Messages of one flow that are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostStanding {
    /// The flow.
    pub flow: String,
    /// Topic of the requests.
    pub request_topic: String,
    /// The group that committed past them.
    pub group: String,
    /// How many are lost.
    pub lost: u64,
    /// When the first that is still listed was judged, nanoseconds since 1970.
    pub since_ns: Option<u64>,
    /// The trace of the newest.
    pub trace_id: Option<TraceId>,
}

/// Everything together.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Breakers, each with its state and since when.
    pub breakers: Vec<BreakerView>,
    /// Groups by topic.
    pub lag: Vec<LagStanding>,
    /// Why Kafka could not be asked, when it could not.
    pub lag_error: Option<String>,
    /// Flows, those without losses included.
    pub lost: Vec<LostStanding>,
    /// Requests and failures of each service within the last minute.
    pub errors: Vec<ServiceErrors>,
}

/// Services as spans name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicesSeen {
    /// Services with the versions and instances noticed by this process.
    pub noticed: Vec<ServiceSeen>,
    /// Every service name stored within the lookback.
    pub stored: Vec<ServiceName>,
    /// Why the list is not whole, when it is not.
    pub cut: Option<String>,
}

impl Query {
    /// The services that spans name.
    ///
    /// # Errors
    /// The store's.
    pub async fn services_seen(&self) -> Result<ServicesSeen, StoreError> {
        let names = self.names(NameKind::Services).await?;
        Ok(ServicesSeen {
            noticed: self.inner.seen.services(),
            cut: cut_text(&names.completeness),
            stored: names.values.iter().filter_map(|name| ServiceName::new(name).ok()).collect(),
        })
    }

    /// Notes the services of the newest stored traces, for the start: until then only their names are known.
    ///
    /// # Errors
    /// The store's.
    pub async fn warm(&self, window: std::time::Duration, traces_max: usize) -> Result<(), StoreError> {
        let now_ns = self.now_ns();
        let start_ns = now_ns.saturating_sub(nanos(window));
        self.inner.seen.warm(&*self.inner.spans, start_ns, now_ns, traces_max).await
    }

    /// The picture of all consumer groups.
    pub fn lag(&self) -> Arc<LagView> {
        self.inner.boards.lag.snapshot()
    }

    /// The picture of all flows.
    pub fn messages(&self) -> Arc<MessagesView> {
        self.inner.boards.messages.snapshot()
    }

    /// Requests and failures of each service within the last minute.
    pub fn errors(&self) -> Vec<ServiceErrors> {
        self.inner.seen.errors(self.now_ns())
    }

    /// The present state of everything that can be wrong.
    ///
    /// # Errors
    /// The event feed's.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let lag = self.lag();
        Ok(Standing {
            breakers: self.breakers().await?,
            lag: self.lag_standing(&lag).await?,
            lag_error: lag.error.clone(),
            lost: lost(&self.messages()),
            errors: self.errors(),
        })
    }

    async fn lag_standing(&self, view: &LagView) -> Result<Vec<LagStanding>, StoreError> {
        if view.groups.is_empty() {
            return Ok(Vec::new());
        }
        let select = EventQuery {
            kinds: vec![EventKind::LagVerdict],
            start_ns: self.now_ns().saturating_sub(nanos(self.config().lookback)),
            limit: EVENTS_MAX,
            ..EventQuery::default()
        };
        let changes = self.bounded(self.inner.events.events(select, self.config().ctx())).await?;
        let since = |group: &str, topic: &str, verdict: Verdict| {
            let about = |event: &&tracepact_base::Event| {
                event.attributes.get("group").is_some_and(|name| name == group)
                    && event.destination.as_ref().is_none_or(|name| name.as_str() == topic)
            };
            let newest = changes.iter().find(about)?;
            (newest.attributes.get("to")? == verdict.name()).then_some(newest.at_ns)
        };
        let mut standing = Vec::new();
        for group in &view.groups {
            for topic in &group.topics {
                let verdict = topic.partitions.iter().map(|partition| partition.verdict).max();
                let verdict = verdict.unwrap_or(group.verdict);
                standing.push(LagStanding {
                    group: group.group.clone(),
                    service: group.service.clone(),
                    topic: topic.topic.clone(),
                    verdict,
                    lag_messages: topic.lag_messages,
                    lag_seconds: topic.lag_seconds,
                    since_ns: since(&group.group, &topic.topic, verdict),
                });
            }
        }
        Ok(standing)
    }
}

fn lost(view: &MessagesView) -> Vec<LostStanding> {
    let of = |flow: &str| {
        view.messages
            .iter()
            .filter(move |message| message.flow == flow && message.verdict == MessageVerdict::Lost)
            .collect::<Vec<_>>()
    };
    view.flows
        .iter()
        .map(|flow| {
            let lost = of(&flow.name);
            LostStanding {
                flow: flow.name.clone(),
                request_topic: flow.request_topic.clone(),
                group: flow.group.clone(),
                lost: flow.counts.lost,
                since_ns: lost.iter().filter_map(|message| message.decided_at_ns).min(),
                trace_id: lost.iter().max_by_key(|message| message.decided_at_ns).and_then(|m| m.trace_id),
            }
        })
        .collect()
}
