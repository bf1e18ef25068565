//! Which rows a question has: every pair of versions that would meet, and every accepted contract.

use std::collections::{BTreeMap, BTreeSet};

use crate::clears::clears;
use crate::facts::{AcceptedFact, History, PactFact, Question, ResultFact, Target, Waiver};
use crate::verdict::{Outcome, Row, RowKind, Verdict, conclude};

/// Answers `question` from `history`. The order of facts does not matter; results not asked about do not either.
pub fn decide(question: &Question, history: &History) -> Verdict {
    let index = Index::new(question, history);
    let mut rows = BTreeMap::new();
    for subject in &question.subjects {
        for version in &subject.versions {
            for pact in history
                .pacts
                .iter()
                .filter(|p| p.consumer == subject.pacticipant && &p.consumer_version == version)
            {
                for provider_version in index.provider_versions(pact) {
                    let row = index.pact_row(pact, provider_version);
                    rows.insert(key(&row), row);
                }
            }
            for pact in history.pacts.iter().filter(|p| p.provider == subject.pacticipant) {
                if index.consumer_is_there(pact, version) {
                    let row = index.pact_row(pact, Some(version.clone()));
                    rows.insert(key(&row), row);
                }
            }
            for accepted in history.accepted.iter().filter(|a| a.provider == subject.pacticipant) {
                let row = index.accepted_row(accepted, version);
                rows.insert(key(&row), row);
            }
        }
    }
    conclude(question, history, rows.into_values().collect())
}

type Key = (RowKind, String, Option<String>, String, Option<String>, String);

fn key(row: &Row) -> Key {
    (
        row.kind,
        row.consumer.clone(),
        row.consumer_version.clone(),
        row.provider.clone(),
        row.provider_version.clone(),
        row.content_id.clone(),
    )
}

struct Index<'a> {
    question: &'a Question,
    history: &'a History,
    /// (consumer, provider, content, provider version) → the result that counts.
    results: BTreeMap<(&'a str, &'a str, &'a str, &'a str), &'a ResultFact>,
}

impl<'a> Index<'a> {
    fn new(question: &'a Question, history: &'a History) -> Self {
        let mut results: BTreeMap<_, &ResultFact> = BTreeMap::new();
        for result in &history.results {
            let key = (
                result.consumer.as_str(),
                result.provider.as_str(),
                result.content_id.as_str(),
                result.provider_version.as_str(),
            );
            let newer = results.get(&key).is_none_or(|old| old.number < result.number);
            if newer {
                results.insert(key, result);
            }
        }
        Self { question, history, results }
    }

    fn subject_versions(&self, pacticipant: &str) -> Option<BTreeSet<&'a String>> {
        let mut subjects = self.question.subjects.iter().filter(|s| s.pacticipant == pacticipant).peekable();
        subjects.peek()?;
        Some(subjects.flat_map(|s| &s.versions).collect())
    }

    fn any_version(&self, pacticipant: &str) -> bool {
        self.question.subjects.iter().any(|s| s.any && s.pacticipant == pacticipant)
    }

    /// The provider versions that a subject's pact would meet; one `None` when it needs one and none is there.
    fn provider_versions(&self, pact: &PactFact) -> Vec<Option<String>> {
        let versions: BTreeSet<String> = match self.subject_versions(&pact.provider) {
            Some(versions) if self.any_version(&pact.provider) => versions
                .into_iter()
                .filter(|version| self.result(pact, Some(version)).is_some())
                .cloned()
                .collect(),
            Some(versions) => versions.into_iter().cloned().collect(),
            None if self.question.target == Target::None => {
                if self.question.subjects.len() > 1 {
                    return Vec::new();
                }
                let of_this_pact = self.results.values().filter(|r| {
                    r.consumer == pact.consumer
                        && r.provider == pact.provider
                        && r.content_id == pact.content_id
                });
                of_this_pact.map(|r| r.provider_version.clone()).collect()
            }
            None => self
                .history
                .counterparts
                .get(&pact.provider)
                .map(|c| c.versions.iter().cloned().collect())
                .unwrap_or_default(),
        };
        if versions.is_empty() { vec![None] } else { versions.into_iter().map(Some).collect() }
    }

    /// Whether the consumer version of `pact` would meet `provider_version`, a subject.
    fn consumer_is_there(&self, pact: &PactFact, provider_version: &str) -> bool {
        if let Some(versions) = self.subject_versions(&pact.consumer) {
            return versions.contains(&pact.consumer_version)
                && (!self.any_version(&pact.provider)
                    || self.result(pact, Some(provider_version)).is_some());
        }
        if self.question.target == Target::None {
            return self.question.subjects.len() == 1 && self.result(pact, Some(provider_version)).is_some();
        }
        self.history
            .counterparts
            .get(&pact.consumer)
            .is_some_and(|c| c.versions.contains(&pact.consumer_version))
    }

    fn result(&self, pact: &PactFact, provider_version: Option<&str>) -> Option<&'a ResultFact> {
        let key =
            (pact.consumer.as_str(), pact.provider.as_str(), pact.content_id.as_str(), provider_version?);
        self.results.get(&key).copied()
    }

    fn pact_row(&self, pact: &PactFact, provider_version: Option<String>) -> Row {
        let result = self.result(pact, provider_version.as_deref());
        let wording = (
            self.wording(&pact.consumer, Some(&pact.consumer_version)),
            self.wording(&pact.provider, provider_version.as_deref()),
        );
        let row = Row {
            kind: RowKind::Pact,
            consumer: pact.consumer.clone(),
            consumer_version: Some(pact.consumer_version.clone()),
            provider: pact.provider.clone(),
            provider_version,
            content_id: pact.content_id.clone(),
            outcome: outcome(result),
            result: result.map(|r| r.number),
            mismatches: result.map(|r| r.mismatches.clone()).unwrap_or_default(),
            posted_by: result.and_then(|r| r.posted_by.clone()),
            ignored: false,
            waived: None,
            clears: None,
            proposal: None,
            accepted_by: None,
            wording,
            content_since_ns: pact.content_since_ns,
        };
        self.finish(row)
    }

    fn accepted_row(&self, accepted: &AcceptedFact, provider_version: &str) -> Row {
        let key = (
            accepted.consumer.as_str(),
            accepted.provider.as_str(),
            accepted.content_id.as_str(),
            provider_version,
        );
        let result = self.results.get(&key).copied();
        let row = Row {
            kind: RowKind::Accepted,
            consumer: accepted.consumer.clone(),
            consumer_version: None,
            provider: accepted.provider.clone(),
            provider_version: Some(provider_version.to_owned()),
            content_id: accepted.content_id.clone(),
            outcome: outcome(result),
            result: result.map(|r| r.number),
            mismatches: result.map(|r| r.mismatches.clone()).unwrap_or_default(),
            posted_by: result.and_then(|r| r.posted_by.clone()),
            ignored: false,
            waived: None,
            clears: None,
            proposal: Some(accepted.proposal.clone()),
            accepted_by: accepted.accepted_by.clone(),
            content_since_ns: accepted.content_since_ns,
            wording: (
                format!(
                    "the contract that {} proposed on branch {}",
                    accepted.consumer, accepted.consumer_branch
                ),
                self.wording(&accepted.provider, Some(provider_version)),
            ),
        };
        self.finish(row)
    }

    fn finish(&self, mut row: Row) -> Row {
        let ignore = if self.question.ignore_forbidden { &[][..] } else { &self.question.ignore[..] };
        row.ignored = ignore.iter().any(|ignore| {
            let matches = |name: &str, version: Option<&str>| {
                name == ignore.pacticipant
                    && ignore.version.as_deref().is_none_or(|wanted| version.is_some_and(|v| v == wanted))
            };
            matches(&row.consumer, row.consumer_version.as_deref())
                || matches(&row.provider, row.provider_version.as_deref())
        });
        if !row.ignored && row.outcome != Outcome::Success {
            let covering: Vec<&Waiver> = self.question.waivers.iter().filter(|w| covers(w, &row)).collect();
            let counting = covering.iter().filter(|w| w.effective).min_by_key(|w| &w.id);
            row.waived = counting.map(|w| w.id.clone());
            if row.waived.is_none() {
                let waiting = covering.iter().map(|w| w.name.as_str()).min();
                row.clears = clears(&row, self.question, self.history, waiting);
            }
        }
        row
    }

    /// A version in the words of the question.
    fn wording(&self, pacticipant: &str, version: Option<&str>) -> String {
        let subject = self.question.subjects.iter().find(|s| {
            s.pacticipant == pacticipant && version.is_none_or(|v| s.versions.iter().any(|known| known == v))
        });
        if let (Some(subject), Some(version)) = (subject, version) {
            return subject.wording.replace("{}", version);
        }
        let number = version.unwrap_or("no such version exists");
        match &self.question.target {
            Target::None => match version {
                Some(version) => format!("version {version} of {pacticipant}"),
                None => format!("a version of {pacticipant}"),
            },
            Target::Environment(environment) => match version {
                Some(version) => {
                    format!("the version of {pacticipant} currently in {environment} ({version})")
                }
                None => format!(
                    "a version of {pacticipant} currently in {environment} (no version is currently recorded as \
                     deployed/released in this environment)"
                ),
            },
            Target::Latest => format!("the latest version of {pacticipant} ({number})"),
            Target::LatestTagged(tag) => {
                format!("the latest version of {pacticipant} with tag {tag} ({number})")
            }
            Target::MainBranch => {
                let branch = self.history.counterparts.get(pacticipant).and_then(|c| c.branch.as_deref());
                match branch {
                    Some(branch) => {
                        format!("the latest version of {pacticipant} from branch {branch} ({number})")
                    }
                    None => {
                        format!("a version of {pacticipant} from its main branch (no main branch is set)")
                    }
                }
            }
        }
    }
}

/// Whether a waiver is about this row.
fn covers(waiver: &Waiver, row: &Row) -> bool {
    let fits = |wanted: &Option<String>, found: Option<&str>| {
        wanted.as_deref().is_none_or(|w| found.is_some_and(|f| f == w))
    };
    fits(&waiver.consumer, Some(&row.consumer))
        && fits(&waiver.consumer_version, row.consumer_version.as_deref())
        && fits(&waiver.provider, Some(&row.provider))
        && fits(&waiver.provider_version, row.provider_version.as_deref())
}

fn outcome(result: Option<&ResultFact>) -> Outcome {
    match result {
        Some(result) if result.success => Outcome::Success,
        Some(_) => Outcome::Failed,
        None => Outcome::Unknown,
    }
}
