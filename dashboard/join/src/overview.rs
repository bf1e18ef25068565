//! The overview: from typed summaries to one ranked list of problems.
//!
//! Order: errors before warnings; then by kind as [`ProblemKind`] lists them; then the one that has lasted longest,
//! those of unknown age last.

mod rules;

use tracepact_base::time_format::to_rfc3339;

use crate::problem::{Counts, OverviewAnswer, Problem, ProblemKind};
use crate::source::{Gathered, cut};
use crate::{Aliases, Summary};

/// Most problems in one answer; the most urgent stay and `cut` says so.
pub const PROBLEMS_MAX: usize = 500;

/// A problem with what its rank needs.
struct Found {
    problem: Problem,
    since_ns: Option<u64>,
}

/// What is wrong as of `now_ns`. `services` is how many services are known, `None` when unknown.
pub fn overview(
    aliases: &Aliases,
    gathered: &[Gathered<Vec<Summary>>],
    services: Option<u64>,
    now_ns: u64,
) -> OverviewAnswer {
    let summaries: Vec<&Summary> = gathered.iter().filter_map(|g| g.answer.as_ref().ok()).flatten().collect();
    let breakers = rules::breakers(aliases, &summaries);
    let lag = rules::lag(aliases, &summaries);
    let lost = rules::lost(aliases, &summaries);
    let gate = rules::gate(aliases, &summaries);
    let counts = Counts {
        services,
        breakers_open: known(gathered, ProblemKind::BreakerOpen, breakers.open),
        groups_lagging: known(gathered, ProblemKind::Lag, lag.groups),
        messages_lost: known(gathered, ProblemKind::MessageLost, lost.messages),
        deploys_refused: known(gathered, ProblemKind::GateRefused, gate.len() as u64),
    };
    let mut found: Vec<Found> = breakers
        .found
        .into_iter()
        .chain(lag.found)
        .chain(lost.found)
        .chain(gate)
        .chain(rules::errors(aliases, &summaries))
        .chain(rules::collector(&summaries))
        .collect();
    found.sort_by(|a, b| {
        let rank = |f: &Found| (f.problem.severity, f.problem.kind, f.since_ns.unwrap_or(u64::MAX));
        rank(a).cmp(&rank(b)).then_with(|| a.problem.title.cmp(&b.problem.title))
    });
    let mut cuts: Vec<String> = cut(gathered).into_iter().collect();
    if found.len() > PROBLEMS_MAX {
        cuts.push(format!("the {PROBLEMS_MAX} most urgent of {} problems are listed", found.len()));
        found.truncate(PROBLEMS_MAX);
    }
    let cut = if cuts.is_empty() { None } else { Some(cuts.join("; ")) };
    OverviewAnswer {
        as_of: to_rfc3339(now_ns),
        complete: cut.is_none(),
        cut,
        problems: found.into_iter().map(|f| f.problem).collect(),
        counts,
    }
}

/// `count`, unless nobody covers `kind` or somebody who does failed to answer: then it is unknown.
fn known(gathered: &[Gathered<Vec<Summary>>], kind: ProblemKind, count: u64) -> Option<u64> {
    let mut covering = gathered.iter().filter(|g| g.covers.contains(&kind)).peekable();
    covering.peek()?;
    covering.all(|g| g.answer.is_ok()).then_some(count)
}

#[cfg(test)]
mod tests;
