//! One rule per kind of problem: which summaries are one, how urgent it is, what it says, where it leads.

use std::collections::{BTreeMap, BTreeSet};

use tracepact_base::{Link, ServiceName, time_format::to_rfc3339};

use super::Found;
use crate::link::{page, trace};
use crate::problem::{Problem, ProblemEdge, ProblemKind, Severity};
use crate::summary::{BreakerState, BreakerSummary, GateSummary, LagSummary, LagVerdict};
use crate::{Aliases, Summary};

/// Fewest requests from which an error rate is worth a problem.
const ERROR_REQUESTS_MIN: u64 = 20;
/// Share of failed requests from which it is a warning.
const ERROR_SHARE_WARNING: f64 = 0.05;
/// Share of failed requests from which it is an error.
const ERROR_SHARE_ERROR: f64 = 0.25;

pub(super) struct Breakers {
    pub(super) found: Vec<Found>,
    pub(super) open: u64,
}

/// Instances of one breaker are one problem: the worst state names it, the earliest start dates it.
pub(super) fn breakers(aliases: &Aliases, summaries: &[&Summary]) -> Breakers {
    let mut groups: BTreeMap<(ServiceName, &str, Option<ServiceName>), Vec<&BreakerSummary>> =
        BTreeMap::new();
    for summary in summaries {
        if let Summary::Breaker(b) = summary {
            let callee = b.callee.as_ref().map(|c| aliases.canonical(c));
            groups.entry((aliases.canonical(&b.service), &b.breaker, callee)).or_default().push(b);
        }
    }
    let mut found = Vec::new();
    let mut open = 0;
    for ((service, breaker, callee), instances) in groups {
        let in_state = |states: &[BreakerState]| -> Vec<&BreakerSummary> {
            instances.iter().copied().filter(|b| states.contains(&b.state)).collect()
        };
        let opened = in_state(&[BreakerState::Open, BreakerState::ForcedOpen]);
        let half_open = in_state(&[BreakerState::HalfOpen]);
        let (word, severity, affected) = if !opened.is_empty() {
            open += 1;
            let forced = opened.iter().all(|b| b.state == BreakerState::ForcedOpen);
            (if forced { "forced open" } else { "open" }, Severity::Error, opened)
        } else if !half_open.is_empty() {
            ("half-open", Severity::Warning, half_open)
        } else {
            continue;
        };
        let target = callee.as_ref().map_or_else(String::new, |c| format!(" → {c}"));
        let of = if instances.len() > 1 {
            format!(" on {} of {} instances", affected.len(), instances.len())
        } else {
            String::new()
        };
        let mut links = vec![
            page("breaker", "/breakers", &[("service", Some(service.as_str())), ("name", Some(breaker))]),
            page("trace", "/traces", &[("service", Some(service.as_str())), ("errors", Some("true"))]),
        ];
        if let Some(pacticipant) = callee.as_ref().and_then(|c| aliases.pacticipant_of(c)) {
            links.push(page("contract", "/contracts", &[("pacticipant", Some(&pacticipant))]));
        }
        let problem = Problem {
            kind: ProblemKind::BreakerOpen,
            severity,
            service: Some(service.to_string()),
            edge: callee.as_ref().map(|c| ProblemEdge { caller: service.to_string(), callee: c.to_string() }),
            destination: None,
            title: format!("breaker {breaker} ({service}{target}) is {word}{of}"),
            since: None,
            links,
        };
        found.push(dated(problem, affected.iter().filter_map(|b| b.since_ns).min()));
    }
    Breakers { found, open }
}

pub(super) struct Lag {
    pub(super) found: Vec<Found>,
    pub(super) groups: u64,
}

pub(super) fn lag(aliases: &Aliases, summaries: &[&Summary]) -> Lag {
    let mut groups = BTreeSet::new();
    let mut found = Vec::new();
    for summary in summaries {
        let Summary::Lag(lag) = summary else { continue };
        let (word, severity) = match lag.verdict {
            LagVerdict::Ok | LagVerdict::Unknown => continue,
            LagVerdict::Warn => ("falls behind", Severity::Warning),
            LagVerdict::Stall => ("is stalled", Severity::Error),
            LagVerdict::Stop => ("has stopped", Severity::Error),
            LagVerdict::Rewind => ("went back", Severity::Error),
        };
        groups.insert(lag.group.as_str());
        let service = aliases.service_of_group(&lag.group);
        let problem = Problem {
            kind: ProblemKind::Lag,
            severity,
            service: service.map(|s| s.to_string()),
            edge: None,
            destination: Some(lag.topic.clone()),
            title: format!("group {} {word} on {}{}", lag.group, lag.topic, behind(lag)),
            since: None,
            links: vec![page(
                "lag",
                "/messages",
                &[("group", Some(&lag.group)), ("topic", Some(&lag.topic))],
            )],
        };
        found.push(dated(problem, lag.since_ns));
    }
    Lag { found, groups: groups.len() as u64 }
}

fn behind(lag: &LagSummary) -> String {
    match (lag.lag_messages, lag.lag_seconds) {
        (Some(messages), Some(seconds)) => {
            format!(": {} and {seconds:.0} s behind", count(messages, "message"))
        }
        (Some(messages), None) => format!(": {} behind", count(messages, "message")),
        (None, Some(seconds)) => format!(": {seconds:.0} s behind"),
        (None, None) => String::new(),
    }
}

pub(super) struct Lost {
    pub(super) found: Vec<Found>,
    pub(super) messages: u64,
}

pub(super) fn lost(aliases: &Aliases, summaries: &[&Summary]) -> Lost {
    let mut messages = 0;
    let mut found = Vec::new();
    for summary in summaries {
        let Summary::Lost(lost) = summary else { continue };
        if lost.lost == 0 {
            continue;
        }
        messages += lost.lost;
        let mut links = vec![page(
            "message",
            "/messages",
            &[("flow", Some(lost.flow.as_str())), ("verdict", Some("lost"))],
        )];
        links.extend(lost.trace_id.as_deref().map(trace));
        let problem = Problem {
            kind: ProblemKind::MessageLost,
            severity: Severity::Error,
            service: aliases.service_of_group(&lost.group).map(|s| s.to_string()),
            edge: None,
            destination: Some(lost.request_topic.clone()),
            title: format!(
                "{} of {} lost: {} committed past {} without a result",
                count(lost.lost, "message"),
                lost.flow,
                lost.group,
                if lost.lost == 1 { "it" } else { "them" },
            ),
            since: None,
            links,
        };
        found.push(dated(problem, lost.since_ns));
    }
    Lost { found, messages }
}

/// Only the newest answer per pacticipant and environment counts: what passed since is no problem any more.
pub(super) fn gate(aliases: &Aliases, summaries: &[&Summary]) -> Vec<Found> {
    let mut newest: BTreeMap<(String, &str), &GateSummary> = BTreeMap::new();
    for summary in summaries {
        let Summary::Gate(gate) = summary else { continue };
        let kept = newest.entry((gate.pacticipant.to_lowercase(), gate.environment.as_str())).or_insert(gate);
        if gate.at_ns > kept.at_ns {
            *kept = gate;
        }
    }
    newest
        .into_values()
        .filter(|gate| gate.deployable != Some(true))
        .map(|gate| {
            let mut links = vec![page(
                "contract",
                "/contracts",
                &[
                    ("pacticipant", Some(gate.pacticipant.as_str())),
                    ("version", Some(&gate.version)),
                    ("environment", Some(&gate.environment)),
                ],
            )];
            links.extend(gate.trace_id.as_deref().map(trace));
            let answer = if gate.deployable.is_none() { "not known to be safe in" } else { "refused for" };
            let problem = Problem {
                kind: ProblemKind::GateRefused,
                severity: Severity::Warning,
                service: aliases.service_of_pacticipant(&gate.pacticipant).map(|s| s.to_string()),
                edge: None,
                destination: None,
                title: format!(
                    "{} {} {answer} {}: {}",
                    gate.pacticipant, gate.version, gate.environment, gate.reason
                ),
                since: None,
                links,
            };
            dated(problem, Some(gate.at_ns))
        })
        .collect()
}

pub(super) fn errors(aliases: &Aliases, summaries: &[&Summary]) -> Vec<Found> {
    let mut found = Vec::new();
    for summary in summaries {
        let Summary::Errors(e) = summary else { continue };
        if e.requests < ERROR_REQUESTS_MIN {
            continue;
        }
        let share = e.errors as f64 / e.requests as f64;
        let severity = if share >= ERROR_SHARE_ERROR {
            Severity::Error
        } else if share >= ERROR_SHARE_WARNING {
            Severity::Warning
        } else {
            continue;
        };
        let service = aliases.canonical(&e.service);
        let towards = e.edge.as_ref().map(|edge| aliases.canonical(&edge.callee));
        let subject = towards.as_ref().map_or_else(|| service.to_string(), |c| format!("{service} → {c}"));
        let problem = Problem {
            kind: ProblemKind::Errors,
            severity,
            service: Some(service.to_string()),
            edge: towards.map(|c| ProblemEdge { caller: service.to_string(), callee: c.to_string() }),
            destination: None,
            title: format!(
                "{subject}: {} of {} failed in {} s ({:.0} %)",
                e.errors,
                count(e.requests, "request"),
                e.window_seconds,
                share * 100.0
            ),
            since: None,
            links: vec![page(
                "trace",
                "/traces",
                &[("service", Some(service.as_str())), ("errors", Some("true"))],
            )],
        };
        found.push(dated(problem, e.since_ns));
    }
    found
}

pub(super) fn collector(summaries: &[&Summary]) -> Vec<Found> {
    let mut found = Vec::new();
    for summary in summaries {
        let Summary::Collector(c) = summary else { continue };
        let problem = Problem {
            kind: ProblemKind::Collector,
            severity: if c.severe { Severity::Error } else { Severity::Warning },
            service: None,
            edge: None,
            destination: None,
            title: c.title.clone(),
            since: None,
            links: vec![Link { rel: "health".to_owned(), href: "/health".to_owned() }],
        };
        found.push(dated(problem, c.since_ns));
    }
    found
}

fn dated(problem: Problem, since_ns: Option<u64>) -> Found {
    Found { problem: Problem { since: since_ns.map(to_rfc3339), ..problem }, since_ns }
}

fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
