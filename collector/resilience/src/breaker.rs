//! One type for every source of breaker samples, and what two samples in a row mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracepact_base::{Edge, Event, EventKind, ServiceName};

use crate::series::{self, Measure};

/// States of a circuit breaker, resilience4j's and Hystrix's together.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// Calls are short-circuited.
    Open,
    /// A probe decides.
    HalfOpen,
    /// Open by order.
    ForcedOpen,
    /// Calls pass and nothing trips.
    Disabled,
}

impl BreakerState {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 5] = [Self::Closed, Self::Open, Self::HalfOpen, Self::ForcedOpen, Self::Disabled];

    /// The number of the state in `tracepact_breaker_state`.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The state behind a gauge's value; `None` for anything but 0 to 4.
    pub fn from_code(value: f64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| f64::from(state.code()) == value)
    }

    /// The state's name in JSON, labels and attributes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
        }
    }

    /// The state with this name; `half-open` is understood too.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.replace('-', "_").to_ascii_lowercase();
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Where a sample came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Pushed as OTLP metrics.
    Otlp,
    /// Pulled from a `hystrix.stream`.
    Hystrix,
}

/// Which breaker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BreakerKey {
    /// The service whose calls it guards.
    pub service: ServiceName,
    /// The process, `service.instance.id` or the host of a stream; empty when unknown.
    pub instance: String,
    /// The breaker's name within the process.
    pub name: String,
}

/// How often a breaker went from one state to another since its process began counting.
#[derive(Debug, Clone, PartialEq)]
pub struct TransitionCount {
    /// Before.
    pub from: BreakerState,
    /// After.
    pub to: BreakerState,
    /// Why, in the process's own words.
    pub cause: Option<String>,
    /// How often.
    pub total: u64,
    /// When counting began (OTLP's start time), nanoseconds since 1970.
    pub counted_since_ns: Option<u64>,
}

/// What one source said about one breaker at one moment. What it did not say is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerSample {
    /// Which breaker.
    pub key: BreakerKey,
    /// The service it calls.
    pub callee: Option<ServiceName>,
    /// Its state.
    pub state: Option<BreakerState>,
    /// Requests in its window.
    pub window_requests: Option<f64>,
    /// Share of failures in its window, 0 to 100.
    pub error_percent: Option<f64>,
    /// Calls by outcome since the process began: `success`, `failure`, `timeout`, `short_circuited`, `rejected`, …
    pub calls: BTreeMap<String, f64>,
    /// Transitions counted by the process: finds openings between two samples, and knows causes.
    pub transitions: Vec<TransitionCount>,
    /// Where it came from.
    pub source: Source,
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
}

impl BreakerSample {
    /// A sample that says nothing yet.
    pub fn new(key: BreakerKey, source: Source, at_ns: u64) -> Self {
        Self {
            key,
            callee: None,
            state: None,
            window_requests: None,
            error_percent: None,
            calls: BTreeMap::new(),
            transitions: Vec::new(),
            source,
            at_ns,
        }
    }

    /// Its values for the series store.
    pub fn measures(&self) -> Vec<Measure> {
        let callee = self.callee.as_ref().map_or("", ServiceName::as_str);
        let labels = [
            ("service", self.key.service.as_str()),
            ("instance", self.key.instance.as_str()),
            ("breaker", self.key.name.as_str()),
            ("callee", callee),
        ];
        let mut measures = Vec::new();
        let values = [
            (series::BREAKER_STATE, self.state.map(|state| f64::from(state.code()))),
            (series::BREAKER_WINDOW_REQUESTS, self.window_requests),
            (series::BREAKER_ERROR_PERCENT, self.error_percent),
        ];
        for (name, value) in values {
            measures.extend(value.map(|value| Measure::new(name, &labels, self.at_ns, value)));
        }
        for (outcome, total) in &self.calls {
            let [service, instance, breaker, callee] = labels;
            let labels = [service, instance, breaker, callee, ("outcome", outcome.as_str())];
            measures.push(Measure::new(series::BREAKER_CALLS_TOTAL, &labels, self.at_ns, *total));
        }
        measures
    }
}

/// A breaker changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Which breaker.
    pub key: BreakerKey,
    /// The service it calls.
    pub callee: Option<ServiceName>,
    /// When it was seen, nanoseconds since 1970.
    pub at_ns: u64,
    /// Before.
    pub from: BreakerState,
    /// After.
    pub to: BreakerState,
    /// Why: the process's words, else what the window held.
    pub cause: String,
}

impl Transition {
    /// The entry of the event feed.
    pub fn event(&self) -> Event {
        let verb = match self.to {
            BreakerState::Closed => "closed",
            BreakerState::Open => "opened",
            BreakerState::HalfOpen => "lets a probe through",
            BreakerState::ForcedOpen => "was forced open",
            BreakerState::Disabled => "was disabled",
        };
        let title = format!("Breaker {} of {} {verb}", self.key.name, self.key.service);
        let event = Event::new(EventKind::BreakerTransition, self.at_ns, title)
            .because(self.cause.clone())
            .about(self.key.service.clone())
            .with("breaker", self.key.name.clone())
            .with("instance", self.key.instance.clone())
            .with("from", self.from.name())
            .with("to", self.to.name())
            .link("breaker", "/breakers");
        match &self.callee {
            Some(callee) => event.on_edge(Edge::new(self.key.service.clone(), callee.clone())),
            None => event,
        }
    }
}

/// What is remembered of a breaker between samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    state: Option<BreakerState>,
    totals: Vec<TransitionCount>,
    counts_known: bool,
    /// Transitions told by states that the counters have not confirmed yet: they are not told twice.
    told_by_state: Vec<(BreakerState, BreakerState)>,
}

impl Memory {
    /// The transitions that `sample` shows since the last one, oldest first.
    ///
    /// Counters of the process win, since they see openings shorter than the sampling interval and carry causes. At a
    /// breaker's first sample they count as news only if counting began after `watching_since_ns`, because otherwise
    /// they tell of transitions before our time. What counters do not explain is told by the states.
    pub(crate) fn advance(&mut self, sample: &BreakerSample, watching_since_ns: u64) -> Vec<Transition> {
        let mut news = self.counted(sample, watching_since_ns);
        for told in std::mem::take(&mut self.told_by_state) {
            match news.iter().position(|n| (n.from, n.to) == told) {
                Some(confirmed) => drop(news.remove(confirmed)),
                None if !sample.transitions.is_empty() => {}
                None => self.told_by_state.push(told),
            }
        }
        let mut at = self.state;
        let mut found = Vec::new();
        while !news.is_empty() {
            let next = at.and_then(|state| news.iter().position(|n| n.from == state)).unwrap_or(0);
            let step = news.swap_remove(next);
            at = Some(step.to);
            found.push(self.transition(sample, step.from, step.to, step.cause));
        }
        if let (Some(before), Some(now)) = (at, sample.state)
            && before != now
        {
            found.push(self.transition(sample, before, now, None));
            if self.told_by_state.len() < 8 {
                self.told_by_state.push((before, now));
            }
        }
        self.state = sample.state.or(at);
        found
    }

    fn counted(&mut self, sample: &BreakerSample, watching_since_ns: u64) -> Vec<TransitionCount> {
        let mut news = Vec::new();
        for count in &sample.transitions {
            let known = self
                .totals
                .iter_mut()
                .find(|k| k.from == count.from && k.to == count.to && k.cause == count.cause);
            let before = match known {
                Some(known) => {
                    // A smaller total is a process that began again.
                    let before = if count.total < known.total { 0 } else { known.total };
                    *known = count.clone();
                    before
                }
                None => {
                    self.totals.push(count.clone());
                    let ours = count.counted_since_ns.is_some_and(|since| since >= watching_since_ns);
                    if self.counts_known || self.state.is_some() || ours { 0 } else { count.total }
                }
            };
            // More than a few repeats between two samples are one storm, not so many events.
            let repeats = (count.total - before).min(8);
            news.extend(std::iter::repeat_n(count.clone(), repeats as usize));
        }
        self.counts_known |= !sample.transitions.is_empty();
        news
    }

    fn transition(
        &self,
        sample: &BreakerSample,
        from: BreakerState,
        to: BreakerState,
        cause: Option<String>,
    ) -> Transition {
        Transition {
            key: sample.key.clone(),
            callee: sample.callee.clone(),
            at_ns: sample.at_ns,
            from,
            to,
            cause: cause.filter(|text| !text.is_empty()).unwrap_or_else(|| told_by_window(sample, to)),
        }
    }
}

/// The best that a sample without causes allows to say.
fn told_by_window(sample: &BreakerSample, to: BreakerState) -> String {
    match to {
        BreakerState::Open => match (sample.error_percent, sample.window_requests) {
            (Some(percent), Some(requests)) => {
                format!("{percent:.0} % of {requests:.0} requests in the window failed")
            }
            _ => "the breaker reported that it opened".to_owned(),
        },
        BreakerState::Closed => "a probe succeeded".to_owned(),
        BreakerState::HalfOpen => "the sleep window passed".to_owned(),
        BreakerState::ForcedOpen => "forced open by configuration".to_owned(),
        BreakerState::Disabled => "disabled by configuration".to_owned(),
    }
}

#[cfg(test)]
mod tests;
