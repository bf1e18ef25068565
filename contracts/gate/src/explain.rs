//! A no or an unknown in whole sentences: which pair, which versions, what does not hold, who clears it and how.
//!
//! The text is made here and nowhere else, so that the command line, the API and the pages say the same.

use crate::clears::{Clears, quoted};
use crate::facts::{History, Mismatch, Question, Target};
use crate::verdict::{Outcome, Row, RowKind};

/// Most mismatches told in one text; the row has them all.
const MISMATCHES_TOLD: usize = 3;

/// What one explanation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExplanationKind {
    /// The version that was asked about does not exist.
    MissingVersion,
    /// Nothing is recorded in the environment yet.
    EmptyEnvironment,
    /// No version of a needed provider is in the target.
    NobodyThere,
    /// Nobody verified this pair.
    Unverified,
    /// A verification failed.
    Failed,
    /// A row does not hold and a waiver lets it pass.
    Waived,
}

impl ExplanationKind {
    /// As the API has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::MissingVersion => "missing_version",
            Self::EmptyEnvironment => "empty_environment",
            Self::NobodyThere => "nobody_there",
            Self::Unverified => "unverified",
            Self::Failed => "failed",
            Self::Waived => "waived",
        }
    }
}

/// One thing that stands in the way, or that should be known before going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it is about.
    pub kind: ExplanationKind,
    /// What is the case: the pair, the versions, the interaction and the mismatch.
    pub what: String,
    /// The way out; absent where nothing needs to be done.
    pub clears: Option<Clears>,
}

impl Explanation {
    /// All of it, for people.
    pub fn text(&self) -> String {
        match &self.clears {
            Some(clears) => format!("{} {}", self.what, clears.text()),
            None => self.what.clone(),
        }
    }
}

/// Explains `rows` and whatever else bears on the answer. Each thing is told once.
pub(crate) fn explain(
    question: &Question,
    history: &History,
    rows: &[Row],
    deployable: Option<bool>,
) -> Vec<Explanation> {
    let mut list = Vec::new();
    for subject in &question.subjects {
        if let Some(number) = &subject.missing {
            list.push(missing(&subject.pacticipant, number));
        }
    }
    list.extend(empty(question, history, rows, deployable));
    for row in rows {
        let told = if let Some(id) = &row.waived {
            question.waivers.iter().find(|w| &w.id == id).map(|waiver| Explanation {
                kind: ExplanationKind::Waived,
                what: format!(
                    "{} This is let pass by the waiver {:?} of {}{}: {}.",
                    what(row),
                    waiver.name,
                    waiver.by,
                    waiver.approved_by.as_ref().map(|who| format!(", approved by {who}")).unwrap_or_default(),
                    waiver.reason.trim_end_matches('.'),
                ),
                clears: None,
            })
        } else if row.counts() && row.outcome != Outcome::Success {
            let kind = match (row.outcome, &row.provider_version) {
                (Outcome::Failed, _) => ExplanationKind::Failed,
                (_, None) => ExplanationKind::NobodyThere,
                (_, Some(_)) => ExplanationKind::Unverified,
            };
            Some(Explanation { kind, what: what(row), clears: row.clears.clone() })
        } else {
            None
        };
        if let Some(told) = told
            && !list.contains(&told)
        {
            list.push(told);
        }
    }
    list
}

/// The pair, its versions, and what is known of them.
fn what(row: &Row) -> String {
    let consumer = match (&row.consumer_version, row.kind) {
        (Some(version), RowKind::Pact) => format!("{} {version}", row.consumer),
        _ => {
            let by = row.accepted_by.as_ref().map(|who| format!(" ({who} accepted it)")).unwrap_or_default();
            format!("the contract of {} that {} accepted{by}", row.consumer, row.provider)
        }
    };
    let posted = row.posted_by.as_ref().map(|who| format!(", posted by {who}")).unwrap_or_default();
    match (row.outcome, &row.provider_version) {
        (Outcome::Success, _) => format!("{consumer} works with {}.", row.provider),
        (Outcome::Unknown, None) => {
            format!("{consumer} needs {}, of which no version is there.", row.provider)
        }
        (Outcome::Unknown, Some(version)) => {
            format!("{consumer} needs {} {version}, which nobody verified for it.", row.provider)
        }
        (Outcome::Failed, version) => {
            let version = version.as_deref().unwrap_or_default();
            let number = row.result.map(|n| format!(" (result {n}{posted})")).unwrap_or_default();
            format!(
                "{} {version} does not keep {}{number}{}.",
                row.provider,
                match row.kind {
                    RowKind::Pact => format!("the contract of {consumer}"),
                    RowKind::Accepted => consumer,
                },
                mismatches(&row.mismatches)
            )
        }
    }
}

fn mismatches(list: &[Mismatch]) -> String {
    if list.is_empty() {
        return ": the verifier gave no details".into();
    }
    let told: Vec<String> = list
        .iter()
        .take(MISMATCHES_TOLD)
        .map(|m| {
            let operation = m.operation.as_ref().map(|o| format!(" ({o})")).unwrap_or_default();
            format!("in {:?}{operation} {}", m.interaction, m.description.trim_end_matches('.'))
        })
        .collect();
    let more = match list.len().saturating_sub(MISMATCHES_TOLD) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!(": {}{more}", told.join("; "))
}

fn missing(pacticipant: &str, number: &str) -> Explanation {
    let name = quoted(pacticipant);
    let version = quoted(number);
    Explanation {
        kind: ExplanationKind::MissingVersion,
        what: format!("The broker knows no version {number} of {pacticipant}."),
        clears: Some(Clears {
            who: pacticipant.to_owned(),
            action: "publishes its contracts or its verification results under exactly this version".into(),
            command: Some(format!(
                "tracepact contract publish PACT-FILES --version {version}` or `tracepact verify --provider {name} \
                 --version {version} --provider-url URL --publish"
            )),
            by_itself: false,
            because:
                "a version that nobody publishes never appears; compare its spelling with the pipeline's"
                    .into(),
        }),
    }
}

/// What to do about an environment in which nothing is recorded.
fn empty(
    question: &Question,
    history: &History,
    rows: &[Row],
    deployable: Option<bool>,
) -> Option<Explanation> {
    let Target::Environment(environment) = &question.target else { return None };
    let subject = question.subjects.first().filter(|_| history.environment_empty)?;
    let place = quoted(environment);
    let mut providers: Vec<&str> = rows
        .iter()
        .filter(|r| r.counts() && r.provider_version.is_none())
        .map(|r| r.provider.as_str())
        .collect();
    providers.dedup();
    let record = |name: &str, version: &str| {
        format!("tracepact record-deployment --pacticipant {name} --version {version} --to {place}")
    };
    let (action, command) = if deployable == Some(true) {
        let version = subject.versions.first().map_or("VERSION", String::as_str);
        ("is deployed and then recorded".to_owned(), record(&quoted(&subject.pacticipant), &quoted(version)))
    } else if let Some(provider) = providers.first() {
        (
            format!(
                "goes first: providers before their consumers ({}), each recorded once it runs. What runs there already is \
                 recorded as it is",
                providers.join(", ")
            ),
            record(&quoted(provider), "VERSION"),
        )
    } else {
        return None;
    };
    Some(Explanation {
        kind: ExplanationKind::EmptyEnvironment,
        what: format!("Nothing is recorded in {environment} yet."),
        clears: Some(Clears {
            who: providers.first().map_or(subject.pacticipant.as_str(), |p| p).to_owned(),
            action,
            command: Some(command),
            by_itself: false,
            because: "the gate knows only what is recorded".into(),
        }),
    })
}
