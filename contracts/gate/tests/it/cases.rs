//! Named cases: the Pact Broker's rules, the two where it is wrong, and the rule for accepted contracts.

use tracepact_gate::{
    AcceptedFact, Counterpart, History, Ignore, Mismatch, Outcome, PactFact, Question, ResultFact, RowKind,
    Subject, Target, decide,
};

fn to_env(pacticipant: &str, version: &str) -> Question {
    Question::new(vec![Subject::version(pacticipant, version)], Target::Environment("prod".into()))
}

fn result(
    number: i64,
    consumer: &str,
    provider: &str,
    provider_version: &str,
    content: &str,
    success: bool,
) -> ResultFact {
    ResultFact {
        number,
        consumer: consumer.into(),
        provider: provider.into(),
        provider_version: provider_version.into(),
        content_id: content.into(),
        success,
        mismatches: if success {
            vec![]
        } else {
            vec![Mismatch {
                interaction: "an item".into(),
                operation: None,
                description: "expected 200 but was 404".into(),
            }]
        },
        posted_by: None,
    }
}

fn history(live: &[(&str, &[&str])]) -> History {
    History {
        pacts: vec![PactFact::new("C", "1", "P", "x")],
        counterparts: live
            .iter()
            .map(|(name, versions)| ((*name).to_owned(), Counterpart::versions(versions.iter().copied())))
            .collect(),
        ..History::default()
    }
}

#[test]
fn a_consumer_needs_its_provider_in_the_environment() {
    let verdict = decide(&to_env("C", "1"), &history(&[]));
    assert_eq!((verdict.deployable, verdict.unknown), (None, 1));
    assert_eq!(
        verdict.reason(),
        "There is no verified pact between version 1 of C and a version of P currently in prod (no version is currently \
         recorded as deployed/released in this environment)"
    );
    assert!(verdict.rows[0].clears.as_ref().unwrap().text().contains("record-deployment"));
}

#[test]
fn a_provider_needs_only_the_consumers_that_are_there() {
    assert_eq!(decide(&to_env("P", "9"), &history(&[])).deployable, Some(true));
    assert_eq!(decide(&to_env("P", "9"), &history(&[("C", &["2"])])).deployable, Some(true));
    assert_eq!(decide(&to_env("P", "9"), &history(&[("C", &["1"])])).deployable, None);
}

#[test]
fn the_latest_result_counts_and_a_failure_names_the_interaction() {
    let mut h = history(&[("P", &["9"])]);
    h.results = vec![result(2, "C", "P", "9", "x", false), result(1, "C", "P", "9", "x", true)];
    let verdict = decide(&to_env("C", "1"), &h);
    assert_eq!(verdict.deployable, Some(false));
    assert_eq!(
        verdict.reason(),
        "The verification for the pact between version 1 of C and the version of P currently in prod (9) failed"
    );
    let clears = verdict.rows[0].clears.as_ref().unwrap();
    assert_eq!(clears.who, "C");
    assert!(clears.text().contains("an item"));
    h.results.push(result(3, "C", "P", "9", "x", true));
    let verdict = decide(&to_env("C", "1"), &h);
    assert_eq!(verdict.deployable, Some(true));
    assert_eq!(verdict.reason(), "All required verification results are published and successful");
}

#[test]
fn two_live_versions_of_which_one_is_unverified_are_unknown() {
    let mut h = history(&[("P", &["9", "10"])]);
    h.results = vec![result(1, "C", "P", "9", "x", true)];
    let verdict = decide(&to_env("C", "1"), &h);
    assert_eq!((verdict.deployable, verdict.success, verdict.unknown), (None, 1, 1));
}

#[test]
fn unknown_hides_failed_and_both_are_told() {
    let mut h = history(&[("P", &["9"]), ("Q", &["1"])]);
    h.pacts.push(PactFact::new("C", "1", "Q", "y"));
    h.results = vec![result(1, "C", "P", "9", "x", false)];
    let verdict = decide(&to_env("C", "1"), &h);
    assert_eq!(verdict.deployable, None);
    assert_eq!((verdict.failed, verdict.unknown, verdict.notices.len()), (1, 1, 2));
}

#[test]
fn a_version_that_does_not_exist_is_a_no() {
    let mut question = to_env("C", "nope");
    question.subjects[0].versions.clear();
    question.subjects[0].missing = Some("nope".into());
    let verdict = decide(&question, &history(&[]));
    assert_eq!(verdict.deployable, Some(false));
    assert_eq!(verdict.reason(), "No pacts or verifications have been published for version nope of C");
}

#[test]
fn ignored_rows_are_listed_but_do_not_count() {
    let mut question = to_env("C", "1");
    question.ignore = vec![Ignore { pacticipant: "P".into(), version: None, exists: true }];
    let verdict = decide(&question, &history(&[("P", &["9"])]));
    assert_eq!((verdict.deployable, verdict.ignored, verdict.rows.len()), (Some(true), 1, 1));
    assert_eq!(verdict.reason(), "There are no missing dependencies");
    question.ignore[0].version = Some("8".into());
    assert_eq!(decide(&question, &history(&[("P", &["9"])])).deployable, None);
}

#[test]
fn versions_against_each_other() {
    let question = Question::new(vec![Subject::version("C", "1"), Subject::version("P", "10")], Target::None);
    let mut h = history(&[]);
    h.pacts.push(PactFact::new("C", "1", "other", "y"));
    let verdict = decide(&question, &h);
    assert_eq!(verdict.reason(), "There is no verified pact between version 1 of C and version 10 of P");
    h.results = vec![result(1, "C", "P", "10", "x", true)];
    assert_eq!(decide(&question, &h).deployable, Some(true));
}

#[test]
fn an_accepted_contract_binds_the_provider_before_its_consumer_is_there() {
    let mut h = history(&[]);
    h.accepted.push(AcceptedFact {
        proposal: "p1".into(),
        consumer: "C".into(),
        consumer_branch: "feat".into(),
        provider: "P".into(),
        content_id: "x".into(),
        accepted_by: None,
        content_since_ns: 0,
    });
    let verdict = decide(&to_env("P", "9"), &h);
    assert_eq!(verdict.deployable, None);
    assert_eq!((verdict.rows[0].kind, verdict.rows[0].outcome), (RowKind::Accepted, Outcome::Unknown));
    assert!(verdict.reason().contains("proposed on branch feat"));
    h.results = vec![result(1, "C", "P", "9", "x", false)];
    assert_eq!(decide(&to_env("P", "9"), &h).deployable, Some(false));
    h.results.push(result(2, "C", "P", "9", "x", true));
    assert_eq!(decide(&to_env("P", "9"), &h).deployable, Some(true));
    // It binds nobody else.
    assert_eq!(decide(&to_env("C", "2"), &h).deployable, Some(true));
}
