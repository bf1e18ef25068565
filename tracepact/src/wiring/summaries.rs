//! What is wrong now, out of the boards and the store, in the terms of `join`.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracepact_base::{ServiceName, SharedClock};
use tracepact_join::{
    BreakerState, BreakerSummary, CollectorSummary, GroupSeen, LagSummary, LagVerdict, LostSummary,
    ProblemKind, SightingSource, Sightings, SourceError, Summary, SummarySource,
};
use tracepact_resilience::board::{Boards, FlowView, GroupView, MessagesView};
use tracepact_resilience::lag::Verdict;
use tracepact_resilience::loss::MessageVerdict;
use tracepact_store::Engine;

/// Breakers, as the boards know them.
pub(super) struct Breakers {
    pub(super) boards: Arc<Boards>,
    pub(super) clock: SharedClock,
}

impl SummarySource for Breakers {
    fn name(&self) -> &str {
        "breakers"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::BreakerOpen]
    }

    fn summaries(&self) -> BoxFuture<'_, Result<Vec<Summary>, SourceError>> {
        let views = self.boards.breakers.snapshot(self.clock.now_ns());
        let summaries = views.into_iter().filter_map(|view| {
            Some(Summary::Breaker(BreakerSummary {
                service: ServiceName::new(&view.service).ok()?,
                instance: view.instance,
                breaker: view.name,
                callee: view.callee.and_then(|callee| ServiceName::new(&callee).ok()),
                state: state(view.state),
                since_ns: view.since_ns,
            }))
        });
        std::future::ready(Ok(summaries.collect())).boxed()
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
pub(super) struct Kafka {
    pub(super) boards: Arc<Boards>,
}

impl SightingSource for Kafka {
    fn name(&self) -> &str {
        "kafka"
    }

    fn sightings(&self) -> BoxFuture<'_, Result<Sightings, SourceError>> {
        let view = self.boards.lag.snapshot();
        let groups = view.groups.iter().map(|group| GroupSeen { group: group.group.clone() }).collect();
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

    fn summaries(&self) -> BoxFuture<'_, Result<Vec<Summary>, SourceError>> {
        let lag = self.boards.lag.snapshot();
        let messages = self.boards.messages.snapshot();
        let answer = if lag.as_of_ns.is_none() {
            Err(SourceError::new(lag.error.clone().unwrap_or_else(|| "Kafka was not read yet".to_owned())))
        } else {
            let lagging = lag.groups.iter().flat_map(groups);
            Ok(lagging.chain(messages.flows.iter().filter_map(|flow| lost(flow, &messages))).collect())
        };
        std::future::ready(answer).boxed()
    }
}

fn groups(group: &GroupView) -> Vec<Summary> {
    let of_topic = |topic: &tracepact_resilience::board::TopicView| {
        let worst = topic.partitions.iter().map(|partition| verdict(partition.verdict)).max();
        Summary::Lag(LagSummary {
            group: group.group.clone(),
            topic: topic.topic.clone(),
            verdict: worst.unwrap_or(LagVerdict::Unknown),
            lag_messages: topic.lag_messages.and_then(|lag| u64::try_from(lag).ok()),
            lag_seconds: topic.lag_seconds,
            since_ns: None,
        })
    };
    group.topics.iter().map(of_topic).collect()
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

fn lost(flow: &FlowView, messages: &MessagesView) -> Option<Summary> {
    if flow.counts.lost == 0 {
        return None;
    }
    let of_flow =
        messages.messages.iter().filter(|m| m.flow == flow.name && m.verdict == MessageVerdict::Lost);
    let first = of_flow.min_by_key(|message| message.decided_at_ns);
    Some(Summary::Lost(LostSummary {
        flow: flow.name.clone(),
        request_topic: flow.request_topic.clone(),
        group: flow.group.clone(),
        lost: flow.counts.lost,
        since_ns: first.and_then(|message| message.decided_at_ns),
        trace_id: first.and_then(|message| message.trace_id).map(tracepact_base::TraceId::to_zipkin_hex),
    }))
}

/// The store's own state.
pub(super) struct Store {
    pub(super) engine: Arc<Engine>,
}

impl SummarySource for Store {
    fn name(&self) -> &str {
        "store"
    }

    fn covers(&self) -> &[ProblemKind] {
        &[ProblemKind::Collector]
    }

    fn summaries(&self) -> BoxFuture<'_, Result<Vec<Summary>, SourceError>> {
        let health = self.engine.health();
        let read_only = health.read_only.map(|reason| (format!("the store is read-only: {reason}"), true));
        let damaged =
            health.damage.into_iter().map(|what| (format!("stored data cannot be read: {what}"), true));
        let summaries = read_only.into_iter().chain(damaged);
        let summaries = summaries
            .map(|(title, severe)| Summary::Collector(CollectorSummary { title, severe, since_ns: None }));
        std::future::ready(Ok(summaries.collect())).boxed()
    }
}
