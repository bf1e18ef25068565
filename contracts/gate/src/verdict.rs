//! The answer: yes, no or unknown, the rows it rests on, and its reasons in words.

use std::collections::BTreeSet;

use crate::clears::Clears;
use crate::explain::{Explanation, explain};
use crate::facts::{History, Mismatch, Question, Target, Waiver};

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// `Some(true)` yes, `Some(false)` no, `None` unknown, which also means: do not deploy.
    pub deployable: Option<bool>,
    /// Warnings, errors, then success, as Pact clients print them.
    pub notices: Vec<Notice>,
    /// Every row, ignored ones included, in a stable order.
    pub rows: Vec<Row>,
    /// Rows that count and hold.
    pub success: usize,
    /// Rows that count and do not hold.
    pub failed: usize,
    /// Rows that count and have no result.
    pub unknown: usize,
    /// Rows that do not count because it was asked so.
    pub ignored: usize,
    /// Rows that do not hold and do not count because of a waiver.
    pub waived: usize,
    /// The waivers that made a row not count, each once.
    pub waivers: Vec<Waiver>,
    /// Why not, or what to do next, whole sentences with who, what and the command; empty for a plain yes.
    pub explain: Vec<Explanation>,
}

impl Verdict {
    /// The notices as one text.
    pub fn reason(&self) -> String {
        self.notices.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How to show it.
    pub kind: NoticeKind,
    /// The line.
    pub text: String,
}

/// How a notice is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Does not change the answer.
    Warning,
    /// Why not.
    Error,
    /// Why yes.
    Success,
}

/// Why a row is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// A pact between versions that would meet.
    Pact,
    /// A contract the provider accepted.
    Accepted,
}

/// Whether the row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The latest result is a success.
    Success,
    /// The latest result is a failure.
    Failed,
    /// There is no result.
    Unknown,
}

impl Outcome {
    /// As the wire has it: true, false, absent.
    pub fn success(self) -> Option<bool> {
        match self {
            Self::Success => Some(true),
            Self::Failed => Some(false),
            Self::Unknown => None,
        }
    }
}

/// One pair of versions and what is known about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Why it is there.
    pub kind: RowKind,
    /// The consumer.
    pub consumer: String,
    /// Its version; absent for an accepted contract, which no version needs to carry.
    pub consumer_version: Option<String>,
    /// The provider.
    pub provider: String,
    /// Its version; absent when none is in the target.
    pub provider_version: Option<String>,
    /// The content in question.
    pub content_id: String,
    /// Whether it holds.
    pub outcome: Outcome,
    /// Number of the result that says so.
    pub result: Option<i64>,
    /// What did not hold.
    pub mismatches: Vec<Mismatch>,
    /// Who posted the result, when known.
    pub posted_by: Option<String>,
    /// Whether it was asked not to count.
    pub ignored: bool,
    /// The waiver because of which it does not count.
    pub waived: Option<String>,
    /// What would clear it; absent when it holds or does not count.
    pub clears: Option<Clears>,
    /// The proposal, for an accepted contract.
    pub proposal: Option<String>,
    /// Who accepted it, when known.
    pub accepted_by: Option<String>,
    /// The pair in words, for reasons.
    pub(crate) wording: (String, String),
    /// When the content was first stored, or accepted, in nanoseconds since 1970; 0 when it is not known.
    pub content_since_ns: u64,
}

impl Row {
    /// Whether the verdict rests on it.
    pub fn counts(&self) -> bool {
        !self.ignored && self.waived.is_none()
    }
}

/// The verdict over all of `rows`.
pub(crate) fn conclude(question: &Question, history: &History, rows: Vec<Row>) -> Verdict {
    let count = |outcome| rows.iter().filter(|row| row.counts() && row.outcome == outcome).count();
    let (success, failed, unknown) =
        (count(Outcome::Success), count(Outcome::Failed), count(Outcome::Unknown));
    let ignored = rows.iter().filter(|row| row.ignored).count();
    let waived = rows.iter().filter(|row| row.waived.is_some()).count();
    let mut waivers: Vec<Waiver> = question
        .waivers
        .iter()
        .filter(|w| rows.iter().any(|row| row.waived.as_deref() == Some(w.id.as_str())))
        .cloned()
        .collect();
    waivers.sort_by(|a, b| a.id.cmp(&b.id));
    let missing: Vec<String> = question
        .subjects
        .iter()
        .filter_map(|s| {
            let number = s.missing.as_ref()?;
            Some(format!(
                "No pacts or verifications have been published for version {number} of {}",
                s.pacticipant
            ))
        })
        .collect();
    let deployable = match (missing.is_empty(), unknown, failed) {
        (false, _, _) => Some(false),
        (true, 0, 0) => Some(true),
        (true, 0, _) => Some(false),
        (true, _, _) => None,
    };
    let mut notices = warnings(question);
    let mut seen = BTreeSet::new();
    let counted = rows.iter().filter(|row| row.counts() && row.outcome != Outcome::Success);
    for text in missing.into_iter().chain(counted.map(reason)) {
        if seen.insert(text.clone()) {
            notices.push(Notice { kind: NoticeKind::Error, text });
        }
    }
    if deployable == Some(true) {
        let text = if success == 0 {
            "There are no missing dependencies"
        } else {
            "All required verification results are published and successful"
        };
        notices.push(Notice { kind: NoticeKind::Success, text: text.into() });
    }
    let explain = explain(question, history, &rows, deployable);
    Verdict { deployable, notices, rows, success, failed, unknown, ignored, waived, waivers, explain }
}

fn warnings(question: &Question) -> Vec<Notice> {
    let mut texts = Vec::new();
    if question.subjects.len() == 1 && matches!(question.target, Target::None | Target::Latest) {
        texts.push(
            "WARN: It is recommended to specify the environment into which you are deploying. Without the environment, this \
             result will not be reliable."
                .to_owned(),
        );
    }
    if question.subjects.iter().any(|s| !s.exact) {
        texts.push(
            "WARN: It is recommended to specify the version number (rather than the tag or branch) of the pacticipant you \
             wish to deploy to avoid race conditions. Without a version number, this result will not be reliable."
                .to_owned(),
        );
    }
    for ignore in question.ignore.iter().filter(|i| !i.exists) {
        let version = ignore.version.as_ref().map(|v| format!("version {v} of ")).unwrap_or_default();
        texts.push(format!("WARN: Cannot ignore {version}{} because it does not exist", ignore.pacticipant));
    }
    if question.ignore_forbidden && !question.ignore.is_empty() {
        let names: Vec<&str> = question.ignore.iter().map(|i| i.pacticipant.as_str()).collect();
        texts.push(format!(
            "WARN: This environment does not allow ignoring, so {} counts. A waiver would be listed with its reason and end.",
            names.join(", ")
        ));
    }
    texts.into_iter().map(|text| Notice { kind: NoticeKind::Warning, text }).collect()
}

fn reason(row: &Row) -> String {
    let (consumer, provider) = &row.wording;
    match (row.kind, row.outcome) {
        (RowKind::Pact, Outcome::Failed) => {
            format!("The verification for the pact between {consumer} and {provider} failed")
        }
        (RowKind::Pact, _) => format!("There is no verified pact between {consumer} and {provider}"),
        (RowKind::Accepted, Outcome::Failed) => {
            format!("The verification of {provider} for {consumer}, which {} accepted, failed", row.provider)
        }
        (RowKind::Accepted, _) => {
            format!("There is no verification of {provider} for {consumer}, which {} accepted", row.provider)
        }
    }
}
