//! A plain model of what the Ruby Pact Broker answers, hole included, against ours: equal except where it is wrong.
//!
//! | where upstream is wrong | upstream | ours |
//! |---|---|---|
//! | several versions of a provider are live and some have no result | decides on those that have one | unknown |
//! | a page limit leaves rows out | decides on the rest | decides on all |

use std::collections::BTreeSet;

use proptest::prelude::*;
use tracepact_gate::{Counterpart, History, PactFact, Question, ResultFact, Subject, Target, decide};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const VERSIONS: [&str; 3] = ["1", "2", "3"];
const CONTENTS: [&str; 2] = ["x", "y"];

/// One row as upstream has it: a pact joined with a verification; without one there is a single row with neither.
fn upstream_rows(question: &Question, history: &History) -> Vec<(String, Option<bool>)> {
    let versions = |name: &str| -> Option<BTreeSet<String>> {
        let own: Vec<_> = question.subjects.iter().filter(|s| s.pacticipant == name).collect();
        if !own.is_empty() {
            return Some(own.iter().flat_map(|s| s.versions.clone()).collect());
        }
        match question.target {
            // Nothing is selected for the others: with several subjects they play no part, with one anything goes.
            Target::None if question.subjects.len() > 1 => Some(BTreeSet::new()),
            Target::None => None,
            _ => Some(
                history
                    .counterparts
                    .get(name)
                    .map(|c| c.versions.iter().cloned().collect())
                    .unwrap_or_default(),
            ),
        }
    };
    let subject = |name: &str| question.subjects.iter().any(|s| s.pacticipant == name);
    let mut rows = Vec::new();
    for pact in &history.pacts {
        let consumer_versions = versions(&pact.consumer);
        if consumer_versions.as_ref().is_some_and(|v| !v.contains(&pact.consumer_version)) {
            continue;
        }
        if !subject(&pact.consumer) && !subject(&pact.provider) {
            continue;
        }
        let provider_versions = versions(&pact.provider);
        if question.target == Target::None
            && question.subjects.len() > 1
            && !(subject(&pact.consumer) && subject(&pact.provider))
        {
            continue;
        }
        let of_pact: Vec<&ResultFact> = history
            .results
            .iter()
            .filter(|r| {
                r.consumer == pact.consumer
                    && r.provider == pact.provider
                    && r.content_id == pact.content_id
                    && provider_versions.as_ref().is_none_or(|v| v.contains(&r.provider_version))
            })
            .collect();
        let verified: BTreeSet<&str> = of_pact.iter().map(|r| r.provider_version.as_str()).collect();
        if verified.is_empty() {
            // A provider that is asked about alone, without a target, is shown only what it verified.
            if question.target == Target::None && question.subjects.len() == 1 && !subject(&pact.consumer) {
                continue;
            }
            rows.push((pact.provider.clone(), None));
        }
        for version in verified {
            let latest = of_pact.iter().filter(|r| r.provider_version == version).max_by_key(|r| r.number);
            rows.push((pact.provider.clone(), latest.map(|r| r.success)));
        }
    }
    rows
}

/// Its verdict: unknown hides failed, no rows is a yes.
fn upstream(question: &Question, history: &History, limit: usize) -> Option<bool> {
    let rows = upstream_rows(question, history);
    let answers: Vec<Option<bool>> = rows.into_iter().map(|(_, answer)| answer).take(limit).collect();
    if answers.contains(&None) { None } else { Some(!answers.contains(&Some(false))) }
}

prop_compose! {
    fn case()(
        pacts in prop::collection::vec(
            (0..4usize, 0..3usize, 0..4usize, 0..2usize), 0..12),
        results in prop::collection::vec(
            (0..4usize, 0..4usize, 0..3usize, 0..2usize, any::<bool>()), 0..24),
        live in prop::collection::btree_map(0..4usize, prop::collection::btree_set(0..3usize, 0..3), 0..4),
        subjects in prop::collection::btree_map(0..4usize, 0..3usize, 1..3),
        target in 0..5u8,
    ) -> (Question, History) {
        let mut pacts: Vec<PactFact> = pacts.into_iter().filter(|(c, _, p, _)| c != p)
            .map(|(c, v, p, k)| PactFact::new(NAMES[c], VERSIONS[v], NAMES[p], CONTENTS[k])).collect();
        pacts.sort();
        pacts.dedup_by_key(|p| (p.consumer.clone(), p.consumer_version.clone(), p.provider.clone()));
        let results = results.into_iter().enumerate().map(|(number, (c, p, v, k, success))| ResultFact {
            number: number as i64, consumer: NAMES[c].into(), provider: NAMES[p].into(),
            provider_version: VERSIONS[v].into(), content_id: CONTENTS[k].into(), success, mismatches: vec![], posted_by: None,
        }).collect();
        let target = match target {
            0 | 1 => Target::Environment("e".into()),
            2 => Target::Latest,
            3 => Target::MainBranch,
            _ => Target::None,
        };
        // Only an environment holds several versions of one pacticipant.
        let most = if matches!(target, Target::Environment(_)) { 3 } else { 1 };
        let counterparts = live.into_iter().map(|(name, versions)| {
            let versions = versions.into_iter().take(most).map(|v| VERSIONS[v].to_owned()).collect();
            (NAMES[name].to_owned(), Counterpart { versions, branch: None })
        }).collect();
        let subjects = subjects.into_iter().map(|(name, v)| Subject::version(NAMES[name], VERSIONS[v])).collect();
        (Question::new(subjects, target), History { pacts, results, counterparts, ..History::default() })
    }
}

/// Upstream's first hole: a pact of a subject meets several live versions, some verified and some not.
fn partly_verified(question: &Question, history: &History) -> bool {
    let verdict = decide(question, history);
    verdict.rows.iter().any(|row| {
        row.outcome.success().is_none()
            && verdict.rows.iter().any(|other| {
                other.outcome.success().is_some()
                    && (&other.consumer, &other.consumer_version, &other.provider)
                        == (&row.consumer, &row.consumer_version, &row.provider)
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn verdicts_equal_upstreams_except_where_upstream_is_wrong((question, history) in case()) {
        let (ours, theirs) = (decide(&question, &history).deployable, upstream(&question, &history, usize::MAX));
        if partly_verified(&question, &history) {
            prop_assert_eq!(ours, None);
        } else {
            prop_assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn the_holes_are_real() {
    // Two live versions, one verified: upstream says yes.
    let question = Question::new(vec![Subject::version("a", "1")], Target::Environment("e".into()));
    let result = |version: &str, provider: &str, success| ResultFact {
        number: 1,
        consumer: "a".into(),
        provider: provider.into(),
        provider_version: version.into(),
        content_id: "x".into(),
        success,
        mismatches: vec![],
        posted_by: None,
    };
    let history = History {
        pacts: vec![PactFact::new("a", "1", "b", "x")],
        results: vec![result("1", "b", true)],
        counterparts: [("b".to_owned(), Counterpart::versions(["1", "2"]))].into(),
        ..History::default()
    };
    assert_eq!(upstream(&question, &history, usize::MAX), Some(true));
    assert_eq!(decide(&question, &history).deployable, None);
    // A limit that leaves the failed one out: upstream says yes.
    let history = History {
        pacts: vec![PactFact::new("a", "1", "b", "x"), PactFact::new("a", "1", "c", "x")],
        results: vec![result("1", "b", true), result("1", "c", false)],
        counterparts: [
            ("b".to_owned(), Counterpart::versions(["1"])),
            ("c".to_owned(), Counterpart::versions(["1"])),
        ]
        .into(),
        ..History::default()
    };
    assert_eq!(upstream(&question, &history, 1), Some(true));
    assert_eq!(decide(&question, &history).deployable, Some(false));
}
