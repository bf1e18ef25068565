//! `GET /tracepact/v1/breakers`: the board, with what the feed remembers of before a restart.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_base::time_format::to_rfc3339;
use tracepact_base::{Event, EventKind};
use tracepact_listener::Problem;
use tracepact_resilience::BreakerState;
use tracepact_resilience::board::{BreakerView, TransitionView};
use tracepact_store::{EventQuery, StoreError};
use utoipa::ToSchema;

use super::answer::{fresh, problem};
use crate::Query;
use crate::params::Params;
use crate::service::nanos;

/// Transitions listed per breaker; older ones are in the event feed.
const TRANSITIONS_MAX: usize = 50;
/// Transitions read from the feed.
const EVENTS_MAX: usize = 5_000;

/// Circuit breakers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BreakersAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every breaker seen lately is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The breakers, by service, instance and name.
    pub breakers: Vec<BreakerView>,
}

/// Every circuit breaker seen within the last hour, with its state and last transitions.
#[utoipa::path(
    get,
    path = "/tracepact/v1/breakers",
    tag = "resilience",
    params(("service" = Option<String>, Query, description = "Only breakers of this service, any case")),
    responses((status = 200, description = "The breakers", body = BreakersAnswer))
)]
pub(super) async fn get_breakers(
    State(query): State<Query>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let mut params = Params::of(raw.as_deref())?;
    let service = params.text("service")?.map(|name| name.to_lowercase());
    params.finish()?;
    let now_ns = query.now_ns();
    let mut breakers = query.breakers().await.map_err(problem)?;
    breakers.retain(|breaker| service.as_ref().is_none_or(|name| breaker.service.to_lowercase() == *name));
    fresh(&BreakersAnswer { as_of: to_rfc3339(now_ns), complete: true, cut: None, breakers })
}

impl Query {
    /// Every breaker seen within the last hour; its last transitions, those of before this process began included.
    ///
    /// # Errors
    /// The event feed's.
    pub async fn breakers(&self) -> Result<Vec<BreakerView>, StoreError> {
        let now_ns = self.now_ns();
        let mut breakers = self.inner.boards.breakers.snapshot(now_ns);
        if breakers.is_empty() {
            return Ok(breakers);
        }
        let select = EventQuery {
            kinds: vec![EventKind::BreakerTransition],
            start_ns: now_ns.saturating_sub(nanos(self.config().lookback)),
            limit: EVENTS_MAX,
            ..EventQuery::default()
        };
        let events = self.bounded(self.inner.events.events(select, self.config().ctx())).await?;
        let mut remembered = by_breaker(&events);
        for breaker in &mut breakers {
            let key = (breaker.service.to_lowercase(), breaker.instance.clone(), breaker.name.clone());
            add(breaker, remembered.remove(&key).unwrap_or_default());
        }
        Ok(breakers)
    }
}

/// Service (lower case), instance, name.
type Key = (String, String, String);

fn by_breaker(events: &[Event]) -> BTreeMap<Key, Vec<TransitionView>> {
    let mut found: BTreeMap<Key, Vec<TransitionView>> = BTreeMap::new();
    for event in events {
        let text = |name: &str| event.attributes.get(name).cloned().unwrap_or_default();
        let states = BreakerState::parse(&text("from")).zip(BreakerState::parse(&text("to")));
        let (Some(service), Some((from, to))) = (&event.service, states) else { continue };
        found.entry((service.key().to_owned(), text("instance"), text("breaker"))).or_default().push(
            TransitionView { at_ns: event.at_ns, from, to, cause: event.cause.clone().unwrap_or_default() },
        );
    }
    found
}

/// By time; of those at one instant (a probe opens half and closes between two samples) each follows the one that
/// leads to its state.
fn in_order(mut transitions: Vec<TransitionView>) -> Vec<TransitionView> {
    transitions.sort_by_key(|transition| transition.at_ns);
    let mut ordered: Vec<TransitionView> = Vec::with_capacity(transitions.len());
    while let Some(first) = transitions.first() {
        let at_ns = first.at_ns;
        let follows = |t: &TransitionView| ordered.last().is_none_or(|last| last.to == t.from);
        let leads = |t: &TransitionView| {
            !transitions.iter().any(|other| other.at_ns == at_ns && other != t && other.to == t.from)
        };
        let same = || transitions.iter().take_while(|t| t.at_ns == at_ns);
        let next = match ordered.last() {
            Some(_) => same().position(follows),
            None => same().position(leads),
        };
        let next = next.unwrap_or(0);
        ordered.push(transitions.remove(next));
    }
    ordered
}

/// Adds remembered transitions to those the board knows; the board's are in the feed as well.
fn add(breaker: &mut BreakerView, remembered: Vec<TransitionView>) {
    let known = std::mem::take(&mut breaker.transitions);
    let mut all = remembered;
    // A storm writes one transition several times at one instant: the feed has each, as the board does.
    let newest = all.iter().map(|transition| transition.at_ns).max();
    all.extend(known.into_iter().filter(|transition| newest.is_none_or(|newest| transition.at_ns > newest)));
    let mut all = in_order(all);
    if breaker.since_ns.is_none() {
        breaker.since_ns = all.last().filter(|last| last.to == breaker.state).map(|last| last.at_ns);
    }
    let excess = all.len().saturating_sub(TRANSITIONS_MAX);
    all.drain(..excess);
    breaker.transitions = all;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_of_one_instant_follow_each_other() {
        let change = |at_ns, from, to| TransitionView { at_ns, from, to, cause: String::new() };
        use BreakerState::{Closed, HalfOpen, Open};
        let told = vec![change(5, HalfOpen, Closed), change(5, Open, HalfOpen), change(1, Closed, Open)];
        let ordered: Vec<_> = in_order(told).into_iter().map(|t| (t.from, t.to)).collect();
        assert_eq!(ordered, [(Closed, Open), (Open, HalfOpen), (HalfOpen, Closed)]);
        let first: Vec<_> = in_order(vec![change(5, HalfOpen, Closed), change(5, Open, HalfOpen)])
            .into_iter()
            .map(|t| t.to)
            .collect();
        assert_eq!(first, [HalfOpen, Closed]);
    }
}
