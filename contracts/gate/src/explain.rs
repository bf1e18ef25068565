//! What would clear a row that stands in the way, who can do it, and whether it happens by itself.

use crate::facts::{Question, Target};
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
    /// Whether waiting is enough: the job is part of a pipeline that is running as the question is asked.
    pub by_itself: bool,
}

impl Clears {
    /// One sentence for people.
    pub fn text(&self) -> String {
        let command = self.command.as_ref().map(|c| format!(": `{c}`")).unwrap_or_default();
        let waiting = if self.by_itself { " It clears by itself once that has run." } else { "" };
        format!("{} {}{command}.{waiting}", self.who, self.action)
    }
}

/// How `row` can be cleared; `None` when it holds.
pub(crate) fn clears(row: &Row, question: &Question) -> Option<Clears> {
    let provider_is_subject = question.subjects.iter().any(|s| s.pacticipant == row.provider);
    let contract = match (&row.consumer_version, row.kind) {
        (Some(version), RowKind::Pact) => format!("the contract of {} version {version}", row.consumer),
        _ => format!("the accepted contract of {}", row.consumer),
    };
    match (row.outcome, &row.provider_version) {
        (Outcome::Success, _) => None,
        (Outcome::Unknown, None) => {
            let (action, command) = match &question.target {
                Target::Environment(environment) => (
                    format!("deploys a version that verified {contract} to {environment} and records it"),
                    Some(format!(
                        "tracepact record-deployment --pacticipant {} --version VERSION --environment {}",
                        quoted(&row.provider),
                        quoted(environment)
                    )),
                ),
                _ => (
                    format!("verifies {contract} and publishes the result"),
                    Some(verify(&row.provider, None)),
                ),
            };
            Some(Clears { who: row.provider.clone(), action, command, by_itself: false })
        }
        (Outcome::Unknown, Some(version)) => Some(Clears {
            who: row.provider.clone(),
            action: format!("verifies {contract} with version {version} and publishes the result"),
            command: Some(verify(&row.provider, Some(version))),
            // The subject's own pipeline verifies before it asks; a version that is live already will not be built again.
            by_itself: provider_is_subject,
        }),
        (Outcome::Failed, version) => {
            let what = row
                .mismatches
                .first()
                .map(|m| format!("the interaction {:?} of ", m.interaction))
                .unwrap_or_default();
            let version = version.as_deref().unwrap_or_default();
            let (who, action) = match (row.kind, provider_is_subject) {
                (RowKind::Accepted, _) | (RowKind::Pact, true) => (
                    &row.provider,
                    format!(
                        "builds a version that holds {what}{contract} (or {} agrees to another contract and deploys it first)",
                        row.consumer
                    ),
                ),
                (RowKind::Pact, false) => (
                    &row.consumer,
                    format!(
                        "publishes a contract that {} version {version} holds, or waits until {} deploys one that holds \
                         {what}{contract}",
                        row.provider, row.provider
                    ),
                ),
            };
            Some(Clears { who: who.clone(), action, command: None, by_itself: false })
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
fn quoted(name: &str) -> String {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@+".contains(c)) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
