//! What would clear a row that stands in the way, who can do it, and whether it happens by itself.

use crate::facts::{History, Question, Target};
use crate::verdict::{Outcome, Row, RowKind};

/// The way out of a "no" or "unknown".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clears {
    /// The pacticipant whose people or pipeline can act.
    pub who: String,
    /// What they would do.
    pub action: String,
    /// The command, where one does it.
    pub command: Option<String>,
    /// Whether waiting is enough: the job is part of a pipeline that is running, or was asked to run.
    pub by_itself: bool,
    /// Why waiting is, or is not, enough.
    pub because: String,
}

impl Clears {
    /// In sentences for people.
    pub fn text(&self) -> String {
        let command = self.command.as_ref().map(|c| format!(": `{c}`")).unwrap_or_default();
        let waiting = if self.by_itself { "It clears by itself" } else { "It does not clear by itself" };
        format!("{} {}{command}. {waiting}: {}.", self.who, self.action, self.because)
    }
}

/// How `row` can be cleared; `None` when it holds. `waiting` names a waiver that would cover it once it is approved.
pub(crate) fn clears(
    row: &Row,
    question: &Question,
    history: &History,
    waiting: Option<&str>,
) -> Option<Clears> {
    let mut clears = match (row.outcome, &row.provider_version) {
        (Outcome::Success, _) => return None,
        (Outcome::Unknown, None) => nobody_there(row, question),
        (Outcome::Unknown, Some(version)) => unverified(row, version, question, history),
        (Outcome::Failed, version) => failed(row, version.as_deref().unwrap_or_default(), question),
    };
    if let Some(name) = waiting {
        clears.because =
            format!("{}; the waiver {name:?} covers it once a second person approves it", clears.because);
    }
    Some(clears)
}

fn contract(row: &Row) -> String {
    match (&row.consumer_version, row.kind) {
        (Some(version), RowKind::Pact) => format!("the contract of {} version {version}", row.consumer),
        _ => format!("the accepted contract of {}", row.consumer),
    }
}

fn nobody_there(row: &Row, question: &Question) -> Clears {
    let contract = contract(row);
    let (action, command, because) = match &question.target {
        Target::Environment(environment) => (
            format!("deploys a version that verified {contract} to {environment} and records it"),
            format!(
                "tracepact record-deployment --pacticipant {} --version VERSION --environment {}",
                quoted(&row.provider),
                quoted(environment)
            ),
            format!(
                "nothing records a deployment of {} but its own pipeline; when it runs there already, recording is all that \
                 is missing",
                row.provider
            ),
        ),
        Target::MainBranch => (
            format!("has a main branch at the broker and a version on it that verified {contract}"),
            format!(
                "tracepact broker create-or-update-pacticipant --name {} --main-branch main",
                quoted(&row.provider)
            ),
            "which branch is the main one has to be said once".into(),
        ),
        _ => (
            format!("verifies {contract} and publishes the result"),
            verify(&row.provider, None),
            format!("no version of {} has published a result for it", row.provider),
        ),
    };
    Clears { who: row.provider.clone(), action, command: Some(command), by_itself: false, because }
}

fn unverified(row: &Row, version: &str, question: &Question, history: &History) -> Clears {
    let contract = contract(row);
    let provider = &row.provider;
    let provider_is_subject = question.subjects.iter().any(|s| &s.pacticipant == provider);
    let job = history.jobs.get(&(provider.clone(), version.to_owned()));
    let requested = job.is_some_and(|job| job.requested.contains(&row.content_id));
    let last_result = job.and_then(|job| job.last_result_at_ns);
    let (by_itself, because) = match (requested, last_result) {
        (true, _) => (true, format!("a webhook asked {provider} for it, and asks again until it has come")),
        (false, Some(at)) if at >= row.content_since_ns => (
            false,
            format!(
                "{provider} {version} was verified after this contract came and left it out, so its selectors do not choose it"
            ),
        ),
        (false, Some(_)) => (
            false,
            format!("{provider} {version} was verified before this contract came; run that job again"),
        ),
        (false, None) if provider_is_subject => (
            true,
            format!("no result of {provider} {version} has come yet, so its verification is still to end"),
        ),
        (false, None) => {
            (false, format!("{provider} {version} is live, and a live version is not built again"))
        }
    };
    Clears {
        who: provider.clone(),
        action: format!("verifies {contract} with version {version} and publishes the result"),
        command: Some(verify(provider, Some(version))),
        by_itself,
        because,
    }
}

fn failed(row: &Row, version: &str, question: &Question) -> Clears {
    let contract = contract(row);
    let provider_is_subject = question.subjects.iter().any(|s| s.pacticipant == row.provider);
    let what = row
        .mismatches
        .first()
        .map(|m| format!("the interaction {:?} of ", m.interaction))
        .unwrap_or_default();
    let who_builds =
        |name: &str| format!("a failed verification stays failed until {name} changes something");
    if row.kind == RowKind::Accepted || provider_is_subject {
        Clears {
            who: row.provider.clone(),
            action: format!(
                "builds a version that holds {what}{contract} (or {} agrees to another contract and deploys it first)",
                row.consumer
            ),
            command: Some(verify(&row.provider, None)),
            by_itself: false,
            because: who_builds(&row.provider),
        }
    } else {
        Clears {
            who: row.consumer.clone(),
            action: format!(
                "publishes a contract that {} version {version} holds, or waits until {} deploys one that holds \
                 {what}{contract}",
                row.provider, row.provider
            ),
            command: Some("tracepact contract publish PACT-FILES --version NEW-VERSION".into()),
            by_itself: false,
            because: who_builds("one of the two"),
        }
    }
}

fn verify(provider: &str, version: Option<&str>) -> String {
    let version = version.map_or_else(|| "VERSION".to_owned(), quoted);
    format!(
        "tracepact verify --provider {} --version {version} --provider-url URL --publish",
        quoted(provider)
    )
}

/// A name as one word of a shell.
pub(crate) fn quoted(name: &str) -> String {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@+".contains(c)) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
