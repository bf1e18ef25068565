//! Who was seen and what is wrong now, as the collector knows it, in the terms of `join`.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracepact_base::ServiceName;
use tracepact_join::{
    BreakerState, BreakerSummary, CollectorSummary, ErrorSummary, GroupSeen, LagSummary, LagVerdict,
    LostSummary, ProblemKind, ServiceSeen, SightingSource, Sightings, SourceError, Summary, SummarySource,
};
use tracepact_query::{Query, Standing};
use tracepact_resilience::lag::Verdict;
use tracepact_store::{Engine, StoreError};

type Answer<T> = Result<T, SourceError>;

fn refused(error: StoreError) -> SourceError {
    SourceError::new(error.reason)
}

/// What spans and breakers say.
pub(super) struct Services(pub(super) Query);

impl SightingSource for Services {
    fn name(&self) -> &str {
        "spans"
    }

    fn sightings(&self) -> BoxFuture<'_, Answer<Sightings>> {
        async move {
            let seen = self.0.services_seen().await.map_err(refused)?;
            let stored = seen.stored.into_iter().map(|service| ServiceSeen {
                service,
                version: None,
                instance: None,
                first_seen_ns: None,
                last_seen_ns: None,
            });
            let noticed = seen.noticed.into_iter().map(|seen| ServiceSeen {
                service: seen.service,
                version: seen.version,
                instance: seen.instance,
                first_seen_ns: Some(seen.first_seen_ns),
                last_seen_ns: Some(seen.last_seen_ns),
            });
            Ok(Sightings { services: stored.chain(noticed).collect(), cut: seen.cut, ..Sightings::default() })
        }
        .boxed()
    }
}

impl SummarySource for Services {
    fn name(&self) -> &str {
        "services"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::BreakerOpen, ProblemKind::Errors]
    }

    fn summaries(&self) -> BoxFuture<'_, Answer<Vec<Summary>>> {
        async move {
            let Standing { breakers, errors, .. } = self.0.standing().await.map_err(refused)?;
            let breakers = breakers.into_iter().filter_map(|view| {
                Some(Summary::Breaker(BreakerSummary {
                    service: ServiceName::new(&view.service).ok()?,
                    instance: view.instance,
                    breaker: view.name,
                    callee: view.callee.and_then(|callee| ServiceName::new(&callee).ok()),
                    state: state(view.state),
                    since_ns: view.since_ns,
                }))
            });
            let errors = errors.into_iter().map(|of| {
                Summary::Errors(ErrorSummary {
                    service: of.service,
                    edge: None,
                    requests: of.requests,
                    errors: of.errors,
                    window_seconds: of.window_seconds,
                    since_ns: of.since_ns,
                })
            });
            Ok(breakers.chain(errors).collect())
        }
        .boxed()
    }
}

fn state(state: tracepact_resilience::BreakerState) -> BreakerState {
    use tracepact_resilience::BreakerState as Known;
    match state {
        Known::Closed => BreakerState::Closed,
        Known::Open => BreakerState::Open,
        Known::HalfOpen => BreakerState::HalfOpen,
        Known::ForcedOpen => BreakerState::ForcedOpen,
        Known::Disabled => BreakerState::Disabled,
    }
}

/// Consumer groups and flows, as the last look at Kafka left them. Only where Kafka is configured.
pub(super) struct Kafka(pub(super) Query);

impl SightingSource for Kafka {
    fn name(&self) -> &str {
        "kafka"
    }

    fn sightings(&self) -> BoxFuture<'_, Answer<Sightings>> {
        let groups = self.0.lag().groups.iter().map(|seen| GroupSeen { group: seen.group.clone() }).collect();
        std::future::ready(Ok(Sightings { groups, ..Sightings::default() })).boxed()
    }
}

impl SummarySource for Kafka {
    fn name(&self) -> &str {
        "kafka"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::Lag, ProblemKind::MessageLost]
    }

    fn summaries(&self) -> BoxFuture<'_, Answer<Vec<Summary>>> {
        async move {
            let Standing { lag, lag_error, lost, .. } = self.0.standing().await.map_err(refused)?;
            if let Some(error) = lag_error {
                return Err(SourceError::new(error));
            }
            if self.0.lag().as_of_ns.is_none() {
                return Err(SourceError::new("Kafka was not read yet"));
            }
            let lag = lag.into_iter().map(|of| {
                Summary::Lag(LagSummary {
                    group: of.group,
                    topic: of.topic,
                    verdict: verdict(of.verdict),
                    lag_messages: of.lag_messages.and_then(|lag| u64::try_from(lag).ok()),
                    lag_seconds: of.lag_seconds,
                    since_ns: of.since_ns,
                })
            });
            let lost = lost.into_iter().map(|of| {
                Summary::Lost(LostSummary {
                    flow: of.flow,
                    request_topic: of.request_topic,
                    group: of.group,
                    lost: of.lost,
                    since_ns: of.since_ns,
                    trace_id: of.trace_id.map(tracepact_base::TraceId::to_zipkin_hex),
                })
            });
            Ok(lag.chain(lost).collect())
        }
        .boxed()
    }
}

fn verdict(verdict: Verdict) -> LagVerdict {
    match verdict {
        Verdict::Ok => LagVerdict::Ok,
        Verdict::Unknown => LagVerdict::Unknown,
        Verdict::Warn => LagVerdict::Warn,
        Verdict::Stall => LagVerdict::Stall,
        Verdict::Stop => LagVerdict::Stop,
        Verdict::Rewind => LagVerdict::Rewind,
    }
}

/// The store's own state.
pub(super) struct Store(pub(super) Arc<Engine>);

impl SummarySource for Store {
    fn name(&self) -> &str {
        "store"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::Collector]
    }

    fn summaries(&self) -> BoxFuture<'_, Answer<Vec<Summary>>> {
        let health = self.0.health();
        let read_only = health.read_only.map(|reason| format!("the store is read-only: {reason}"));
        let damaged = health.damage.into_iter().map(|what| format!("stored data cannot be read: {what}"));
        let summaries = read_only
            .into_iter()
            .chain(damaged)
            .map(|title| Summary::Collector(CollectorSummary { title, severe: true, since_ns: None }));
        std::future::ready(Ok(summaries.collect())).boxed()
    }
}
