//! OTLP metrics of the reference services' kit, by name, turned into samples. Free of protobuf: the caller decodes.

use std::collections::BTreeMap;

use tracepact_base::{Event, ServiceName};

use crate::board::Boards;
use crate::breaker::{BreakerKey, BreakerSample, BreakerState, Source, TransitionCount};
use crate::bulkhead::{BulkheadKey, BulkheadName, BulkheadSample};
use crate::series::{self, Measure};

/// Longest name of a breaker, bulkhead, group or topic in bytes; a point with a longer one is left out.
pub const NAME_BYTES_MAX: usize = 255;

/// One number data point of a gauge or of a *cumulative* sum (the caller refuses delta sums: they need state).
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPoint {
    /// Metric name, for example `tracepact.breaker.state`.
    pub name: String,
    /// `service.name` of the resource.
    pub service: ServiceName,
    /// `service.instance.id` of the resource; empty when absent.
    pub instance: String,
    /// The point's attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
    /// The point's start time, nanoseconds since 1970; `None` when the sender left it out (0).
    pub start_ns: Option<u64>,
    /// The point's time, nanoseconds since 1970.
    pub at_ns: u64,
}

impl MetricPoint {
    fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str).filter(|v| !v.is_empty() && v.len() <= NAME_BYTES_MAX)
    }
}

/// Rebalances that an instance counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebalances {
    /// The service.
    pub service: ServiceName,
    /// The process; empty when unknown.
    pub instance: String,
    /// The consumer group.
    pub group: String,
    /// How many since the process began.
    pub total: f64,
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
}

/// What the points of one request say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Classified {
    /// One sample per breaker.
    pub breakers: Vec<BreakerSample>,
    /// One sample per bulkhead or set of permits.
    pub bulkheads: Vec<BulkheadSample>,
    /// Rebalances, per instance and group.
    pub rebalances: Vec<Rebalances>,
    /// Points of ours that lack an attribute or carry an impossible value.
    pub malformed: usize,
    /// Points with names that mean nothing here.
    pub foreign: usize,
}

/// Whether a metric of this name is understood by [`classify`].
pub fn is_known(name: &str) -> bool {
    ["tracepact.breaker.", "tracepact.bulkhead.", "tracepact.permits.", "tracepact.consumer."]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Joins the points of one request into samples. Points of one breaker in one request make one sample.
pub fn classify(points: &[MetricPoint]) -> Classified {
    let mut breakers = BTreeMap::<BreakerKey, BreakerSample>::new();
    let mut bulkheads = BTreeMap::<BulkheadKey, BulkheadSample>::new();
    let mut out = Classified::default();
    for point in points {
        let understood = if !is_known(&point.name) {
            out.foreign += 1;
            continue;
        } else if !point.value.is_finite() {
            None
        } else if let Some(what) = point.name.strip_prefix("tracepact.breaker.") {
            breaker_point(&mut breakers, point, what)
        } else if let Some(what) = point.name.strip_prefix("tracepact.bulkhead.") {
            bulkhead_name(point).and_then(|name| bulkhead_point(&mut bulkheads, point, name, what))
        } else if let Some(what) = point.name.strip_prefix("tracepact.permits.") {
            permits_name(point).and_then(|name| bulkhead_point(&mut bulkheads, point, name, what))
        } else {
            rebalances_point(&mut out.rebalances, point)
        };
        out.malformed += usize::from(understood.is_none());
    }
    out.breakers = breakers.into_values().collect();
    out.bulkheads = bulkheads.into_values().collect();
    out
}

fn breaker_point(
    breakers: &mut BTreeMap<BreakerKey, BreakerSample>,
    point: &MetricPoint,
    what: &str,
) -> Option<()> {
    let key = BreakerKey {
        service: point.service.clone(),
        instance: point.instance.clone(),
        name: point.attribute("breaker")?.to_owned(),
    };
    let empty = || BreakerSample::new(key.clone(), Source::Otlp, point.at_ns);
    let mut part = empty();
    match what {
        "state" => part.state = Some(BreakerState::from_code(point.value)?),
        "window.requests" => part.window_requests = Some(point.value),
        "window.error_percent" => part.error_percent = Some(point.value),
        "calls" => {
            part.calls.insert(point.attribute("outcome")?.to_owned(), point.value);
        }
        "transitions" => part.transitions.push(TransitionCount {
            from: BreakerState::parse(point.attribute("from")?)?,
            to: BreakerState::parse(point.attribute("to")?)?,
            cause: point.attribute("cause").map(str::to_owned),
            total: (point.value >= 0.0).then_some(point.value as u64)?,
            counted_since_ns: point.start_ns,
        }),
        _ => return None,
    }
    let sample = breakers.entry(key.clone()).or_insert_with(empty);
    if let Some(callee) = point.attribute("callee") {
        sample.callee = ServiceName::new(callee).ok();
    }
    // Several points of one gauge in one request: the newest wins, whatever their order.
    let newer = point.at_ns >= sample.at_ns;
    sample.at_ns = sample.at_ns.max(point.at_ns);
    let pick = |new: Option<f64>, old: Option<f64>| if newer { new.or(old) } else { old.or(new) };
    sample.window_requests = pick(part.window_requests, sample.window_requests);
    sample.error_percent = pick(part.error_percent, sample.error_percent);
    sample.state = if newer { part.state.or(sample.state) } else { sample.state.or(part.state) };
    sample.calls.extend(part.calls);
    sample.transitions.extend(part.transitions);
    Some(())
}

fn bulkhead_name(point: &MetricPoint) -> Option<BulkheadName> {
    Some(BulkheadName::Bulkhead(point.attribute("bulkhead")?.to_owned()))
}

fn permits_name(point: &MetricPoint) -> Option<BulkheadName> {
    let topic = point.attribute("topic").unwrap_or_default().to_owned();
    Some(BulkheadName::Permits { group: point.attribute("group")?.to_owned(), topic })
}

fn bulkhead_point(
    bulkheads: &mut BTreeMap<BulkheadKey, BulkheadSample>,
    point: &MetricPoint,
    name: BulkheadName,
    what: &str,
) -> Option<()> {
    let permits = matches!(name, BulkheadName::Permits { .. });
    let known = match what {
        "in_use" | "limit" | "waiting" => true,
        "rejected" => !permits,
        "paused" | "paused_seconds" => permits,
        _ => false,
    };
    if !known {
        return None;
    }
    let key = BulkheadKey { service: point.service.clone(), instance: point.instance.clone(), name };
    let sample = bulkheads.entry(key.clone()).or_insert_with(|| BulkheadSample::new(key, point.at_ns));
    sample.at_ns = sample.at_ns.max(point.at_ns);
    match what {
        "in_use" => sample.in_use = Some(point.value),
        "limit" => sample.limit = Some(point.value),
        "waiting" => sample.waiting = Some(point.value),
        "rejected" => sample.rejected_total = Some(point.value),
        "paused" => sample.paused = Some(point.value != 0.0),
        _ => sample.paused_seconds_total = Some(point.value),
    }
    Some(())
}

fn rebalances_point(into: &mut Vec<Rebalances>, point: &MetricPoint) -> Option<()> {
    if point.name != "tracepact.consumer.rebalances" || point.value < 0.0 {
        return None;
    }
    into.push(Rebalances {
        service: point.service.clone(),
        instance: point.instance.clone(),
        group: point.attribute("group")?.to_owned(),
        total: point.value,
        at_ns: point.at_ns,
    });
    Some(())
}

/// What goes to the store after [`absorb`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Absorbed {
    /// Values for the series store.
    pub measures: Vec<Measure>,
    /// Transitions and limit changes for the event feed.
    pub events: Vec<Event>,
    /// See [`Classified::malformed`].
    pub malformed: usize,
    /// See [`Classified::foreign`].
    pub foreign: usize,
}

/// Classifies the points of one request, shows them to the boards, and returns what is to be stored.
pub fn absorb(points: &[MetricPoint], boards: &Boards) -> Absorbed {
    let classified = classify(points);
    let mut out =
        Absorbed { malformed: classified.malformed, foreign: classified.foreign, ..Absorbed::default() };
    for sample in &classified.breakers {
        out.measures.extend(sample.measures());
        out.events.extend(boards.breakers.observe(sample).iter().map(|transition| transition.event()));
    }
    for sample in &classified.bulkheads {
        out.measures.extend(sample.measures());
        out.events.extend(boards.bulkheads.observe(sample).map(|change| change.event()));
    }
    for counted in &classified.rebalances {
        boards.lag.note_rebalances(&counted.group, &counted.instance, counted.total as u64);
        let labels = [
            ("service", counted.service.as_str()),
            ("instance", counted.instance.as_str()),
            ("group", counted.group.as_str()),
        ];
        let name = series::CONSUMER_REBALANCES_TOTAL;
        out.measures.push(Measure::new(name, &labels, counted.at_ns, counted.total));
    }
    out
}

#[cfg(test)]
mod tests;
