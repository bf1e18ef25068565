//! What people are told: the whole text, for every way in which a deploy can be refused.

use std::collections::BTreeSet;

use tracepact_gate::{
    AcceptedFact, Counterpart, ExplanationKind, History, JobFact, Mismatch, PactFact, Question, ResultFact,
    Subject, Target, Waiver, decide,
};

fn ask(pacticipant: &str, version: &str) -> Question {
    Question::new(vec![Subject::version(pacticipant, version)], Target::Environment("prod".into()))
}

fn live(list: &[(&str, &str)]) -> History {
    let mut pact = PactFact::new("orders", "1", "products", "x");
    pact.content_since_ns = 100;
    History {
        pacts: vec![pact],
        counterparts: list
            .iter()
            .map(|(name, version)| ((*name).to_owned(), Counterpart::versions([*version])))
            .collect(),
        ..History::default()
    }
}

fn failed(by: Option<&str>) -> ResultFact {
    ResultFact {
        number: 12,
        consumer: "orders".into(),
        provider: "products".into(),
        provider_version: "7".into(),
        content_id: "x".into(),
        success: false,
        mismatches: vec![Mismatch {
            interaction: "a product by id".into(),
            operation: Some("GET /products/1".into()),
            description: "status: expected 200 but was 404".into(),
        }],
        posted_by: by.map(str::to_owned),
    }
}

fn texts(question: &Question, history: &History) -> Vec<String> {
    decide(question, history).explain.iter().map(tracepact_gate::Explanation::text).collect()
}

#[test]
fn a_failure_names_pair_versions_interaction_mismatch_and_poster() {
    let mut history = live(&[("products", "7")]);
    history.results.push(failed(Some("ci-products")));
    assert_eq!(
        texts(&ask("orders", "1"), &history),
        [
            "products 7 does not keep the contract of orders 1 (result 12, posted by ci-products): in \"a product by id\" (GET \
             /products/1) status: expected 200 but was 404. orders publishes a contract that products version 7 holds, or waits \
             until products deploys one that holds the interaction \"a product by id\" of the contract of orders version 1: \
             `tracepact contract publish PACT-FILES --version NEW-VERSION`. It does not clear by itself: a failed verification \
             stays failed until one of the two changes something."
        ]
    );
    let mut history = live(&[("orders", "1")]);
    history.results.push(failed(None));
    let told = texts(&ask("products", "7"), &history);
    assert!(told[0].contains("(result 12)") && told[0].contains("products builds a version"), "{told:?}");
}

#[test]
fn whether_an_unknown_clears_by_itself_depends_on_the_providers_job() {
    let job = |at: Option<u64>, requested: &[&str]| JobFact {
        last_result_at_ns: at,
        requested: requested.iter().map(|c| (*c).to_owned()).collect::<BTreeSet<_>>(),
    };
    let own = ("products", &[("orders", "1")][..]);
    let live_one = ("orders", &[("products", "7")][..]);
    for ((subject, there), fact, by_itself, word) in [
        (own, job(None, &[]), true, "still to end"),
        (own, job(Some(99), &[]), false, "before this contract came"),
        (own, job(Some(100), &[]), false, "left it out"),
        (live_one, job(None, &[]), false, "not built again"),
        (live_one, job(None, &["x"]), true, "a webhook asked products"),
        (live_one, job(Some(500), &["y"]), false, "left it out"),
    ] {
        let mut history = live(there);
        history.jobs.insert(("products".into(), "7".into()), fact);
        let version = if subject == "products" { "7" } else { "1" };
        let verdict = decide(&ask(subject, version), &history);
        let told = &verdict.explain[0];
        assert_eq!(told.kind, ExplanationKind::Unverified);
        let clears = told.clears.as_ref().unwrap();
        assert_eq!((clears.by_itself, clears.who.as_str()), (by_itself, "products"), "{clears:?}");
        assert!(told.text().contains(word), "{}", told.text());
        assert!(told.text().contains("orders 1 needs products 7, which nobody verified for it."));
        assert!(told.text().contains("tracepact verify --provider products --version 7"));
    }
}

#[test]
fn the_first_deploy_into_an_empty_environment_is_told_what_to_record() {
    let mut history = live(&[]);
    history.environment_empty = true;
    let told = texts(&ask("orders", "1"), &history);
    assert!(told[0].starts_with("Nothing is recorded in prod yet. products goes first"), "{told:?}");
    assert!(
        told[0].contains("tracepact record-deployment --pacticipant products --version VERSION --to prod")
    );
    assert!(told[1].contains("orders 1 needs products, of which no version is there."), "{told:?}");
    // The provider may go, and is told to be recorded.
    let verdict = decide(&ask("products", "7"), &history);
    assert_eq!(verdict.deployable, Some(true));
    assert_eq!(verdict.explain[0].kind, ExplanationKind::EmptyEnvironment);
    assert!(
        verdict.explain[0].text().contains("record-deployment --pacticipant products --version 7 --to prod")
    );
    // Names are words of a shell.
    let question =
        Question::new(vec![Subject::version("it's; rm -rf", "1")], Target::Environment("a b".into()));
    let told = texts(&question, &history);
    assert!(told[0].contains(r"--pacticipant 'it'\''s; rm -rf' --version 1 --to 'a b'"), "{told:?}");
}

#[test]
fn a_version_nobody_published_is_explained() {
    let mut question = ask("orders", "l.0");
    question.subjects[0].versions.clear();
    question.subjects[0].missing = Some("l.0".into());
    let told = texts(&question, &live(&[]));
    assert!(told[0].starts_with("The broker knows no version l.0 of orders."), "{told:?}");
    assert!(told[0].contains("tracepact contract publish"));
}

#[test]
fn an_accepted_contract_names_who_accepted_it() {
    let mut history = live(&[]);
    history.accepted.push(AcceptedFact {
        proposal: "p1".into(),
        consumer: "cart".into(),
        consumer_branch: "feat".into(),
        provider: "products".into(),
        content_id: "y".into(),
        accepted_by: Some("Ada".into()),
        content_since_ns: 0,
    });
    let told = texts(&ask("products", "7"), &history);
    assert!(
        told[0].starts_with(
            "the contract of cart that products accepted (Ada accepted it) needs products 7, which nobody verified for it."
        ),
        "{told:?}"
    );
}

#[test]
fn waivers_are_listed_with_who_and_why_and_waiting_ones_say_so() {
    let mut history = live(&[("products", "7")]);
    history.results.push(failed(None));
    let mut question = ask("orders", "1");
    question.waivers.push(Waiver {
        id: "w1".into(),
        name: "hotfix-17".into(),
        reason: "the shop is down.".into(),
        by: "Grace".into(),
        approved_by: None,
        effective: false,
        consumer: Some("orders".into()),
        consumer_version: Some("1".into()),
        provider: Some("products".into()),
        provider_version: None,
        expires_at_ns: 5,
    });
    let verdict = decide(&question, &history);
    assert_eq!((verdict.deployable, verdict.waived), (Some(false), 0));
    assert!(
        verdict.explain[0]
            .text()
            .contains("the waiver \"hotfix-17\" covers it once a second person approves it")
    );
    question.waivers[0].effective = true;
    question.waivers[0].approved_by = Some("Ada".into());
    let verdict = decide(&question, &history);
    assert_eq!((verdict.deployable, verdict.waived, verdict.failed), (Some(true), 1, 0));
    assert_eq!(verdict.waivers.len(), 1);
    assert_eq!(verdict.explain[0].kind, ExplanationKind::Waived);
    assert!(
        verdict.explain[0].text().ends_with(
            "This is let pass by the waiver \"hotfix-17\" of Grace, approved by Ada: the shop is down."
        ),
        "{}",
        verdict.explain[0].text()
    );
    // It is about version 1 of orders only.
    question.waivers[0].consumer_version = Some("2".into());
    assert_eq!(decide(&question, &history).deployable, Some(false));
}
