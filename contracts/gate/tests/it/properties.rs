//! Properties over random histories.

use proptest::prelude::*;
use tracepact_gate::{
    AcceptedFact, Counterpart, History, Ignore, PactFact, Question, ResultFact, Subject, Target, Waiver,
    decide,
};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const VERSIONS: [&str; 3] = ["1", "2", "3"];
const CONTENTS: [&str; 3] = ["x", "y", "z"];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(from).prop_map(str::to_owned)
}

prop_compose! {
    fn pact()(consumer in pick(&NAMES), version in pick(&VERSIONS), provider in pick(&NAMES), content in pick(&CONTENTS)) -> PactFact {
        PactFact::new(&consumer, &version, &provider, &content)
    }
}

prop_compose! {
    fn result()(number in 0i64..1000, consumer in pick(&NAMES), provider in pick(&NAMES), version in pick(&VERSIONS),
                content in pick(&CONTENTS), success in any::<bool>()) -> ResultFact {
        ResultFact { number, consumer, provider, provider_version: version, content_id: content, success, mismatches: vec![], posted_by: None }
    }
}

prop_compose! {
    fn accepted()(consumer in pick(&NAMES), provider in pick(&NAMES), content in pick(&CONTENTS)) -> AcceptedFact {
        AcceptedFact { proposal: format!("{consumer}{content}"), consumer, consumer_branch: "feat".into(), provider,
                       content_id: content, accepted_by: None, content_since_ns: 0 }
    }
}

prop_compose! {
    fn history(accepted_max: usize)(
        mut pacts in prop::collection::vec(pact(), 0..12),
        mut results in prop::collection::vec(result(), 0..20),
        accepted in prop::collection::vec(accepted(), 0..=accepted_max),
        live in prop::collection::btree_map(pick(&NAMES), prop::collection::btree_set(pick(&VERSIONS), 0..3), 0..4),
    ) -> History {
        // One pact for each (consumer version, provider), one result for each number: the database's own rules.
        pacts.sort();
        pacts.dedup_by_key(|p| (p.consumer.clone(), p.consumer_version.clone(), p.provider.clone()));
        results.sort_by_key(|r| r.number);
        results.dedup_by_key(|r| r.number);
        let counterparts = live
            .into_iter()
            .map(|(name, versions)| (name, Counterpart { versions: versions.into_iter().collect(), branch: None }))
            .collect();
        History { pacts, results, accepted, counterparts, ..History::default() }
    }
}

prop_compose! {
    fn question()(name in pick(&NAMES), version in pick(&VERSIONS), target in 0..3u8) -> Question {
        let target = match target { 0 => Target::Environment("e".into()), 1 => Target::Latest, _ => Target::None };
        Question::new(vec![Subject::version(&name, &version)], target)
    }
}

/// The Pact Broker's documented rule, written the plain way: for one subject and an environment.
fn pact_rule(question: &Question, history: &History) -> Option<bool> {
    let subject = &question.subjects[0];
    let (name, version) = (&subject.pacticipant, &subject.versions[0]);
    let live = |n: &str| {
        if n == name {
            vec![version.clone()]
        } else {
            history.counterparts.get(n).map(|c| c.versions.clone()).unwrap_or_default()
        }
    };
    let latest = |p: &PactFact, pv: &str| {
        let of_pair = history.results.iter().filter(|r| {
            r.consumer == p.consumer
                && r.provider == p.provider
                && r.content_id == p.content_id
                && r.provider_version == pv
        });
        of_pair.max_by_key(|r| r.number).map(|r| r.success)
    };
    let mut answers = Vec::new();
    for p in &history.pacts {
        if &p.consumer == name && &p.consumer_version == version {
            let providers = live(&p.provider);
            if providers.is_empty() {
                answers.push(None);
            }
            answers.extend(providers.iter().map(|pv| latest(p, pv)));
        } else if &p.provider == name
            && p.consumer != *name
            && live(&p.consumer).contains(&p.consumer_version)
        {
            answers.push(latest(p, version));
        }
    }
    if answers.contains(&None) { None } else { Some(!answers.contains(&Some(false))) }
}

proptest! {
    #[test]
    fn the_order_of_facts_does_not_matter(q in question(), h in history(3), seed in any::<u64>()) {
        let mut shuffled = h.clone();
        let turn = |len: usize| if len == 0 { 0 } else { (seed % len as u64) as usize };
        shuffled.pacts.reverse();
        let by = turn(shuffled.pacts.len());
        shuffled.pacts.rotate_left(by);
        shuffled.results.reverse();
        let by = turn(shuffled.results.len());
        shuffled.results.rotate_left(by);
        shuffled.accepted.reverse();
        prop_assert_eq!(decide(&q, &h), decide(&q, &shuffled));
    }

    #[test]
    fn one_more_success_never_turns_yes_into_no(q in question(), h in history(3), mut extra in result()) {
        extra.success = true;
        extra.number = 5000;
        let before = decide(&q, &h).deployable;
        let mut more = h.clone();
        more.results.push(extra);
        let after = decide(&q, &more).deployable;
        if before == Some(true) {
            prop_assert_eq!(after, Some(true));
        }
        // A known no stays or becomes a yes; with a target it never becomes less known.
        if q.target != Target::None && before.is_some() {
            prop_assert!(after.is_some());
        }
    }

    #[test]
    fn ignoring_more_never_turns_yes_into_no(q in question(), h in history(3), name in pick(&NAMES)) {
        let before = decide(&q, &h);
        let mut wider = q.clone();
        wider.ignore.push(Ignore { pacticipant: name, version: None, exists: true });
        let after = decide(&wider, &h);
        if before.deployable == Some(true) {
            prop_assert_eq!(after.deployable, Some(true));
        }
        prop_assert_eq!(before.rows.len(), after.rows.len());
    }

    #[test]
    fn a_waiver_never_turns_yes_into_no_and_hides_nothing_that_holds(
        q in question(), h in history(3), name in pick(&NAMES), as_consumer in any::<bool>(), effective in any::<bool>(),
    ) {
        let before = decide(&q, &h);
        let mut with = q.clone();
        let (consumer, provider) = if as_consumer { (Some(name), None) } else { (None, Some(name)) };
        with.waivers.push(Waiver { id: "w".into(), name: "w".into(), reason: "r".into(), by: "a".into(), approved_by: None,
            effective, consumer, consumer_version: None, provider, provider_version: None, expires_at_ns: 1 });
        let after = decide(&with, &h);
        if before.deployable == Some(true) || !effective {
            prop_assert_eq!(after.deployable, before.deployable);
        }
        prop_assert_eq!(before.rows.len(), after.rows.len());
        prop_assert_eq!(before.success, after.success);
        prop_assert_eq!(before.failed + before.unknown, after.failed + after.unknown + after.waived);
        prop_assert_eq!(after.waivers.is_empty(), after.waived == 0);
    }

    #[test]
    fn where_ignoring_is_forbidden_it_changes_nothing(q in question(), h in history(3), name in pick(&NAMES)) {
        let mut asked = q.clone();
        asked.ignore.push(Ignore { pacticipant: name, version: None, exists: true });
        asked.ignore_forbidden = true;
        let (before, after) = (decide(&q, &h), decide(&asked, &h));
        prop_assert_eq!((before.deployable, before.rows), (after.deployable, after.rows));
        prop_assert!(after.notices.iter().any(|n| n.text.contains("does not allow ignoring")));
    }

    #[test]
    fn facts_about_others_do_not_matter(q in question(), h in history(3), n in 0usize..200) {
        // What made upstream's limit change a verdict: many rows of other pairs.
        let mut crowded = h.clone();
        for i in 0..n {
            crowded.pacts.push(PactFact::new(&format!("other{i}"), "1", "someone", "x"));
            crowded.results.insert(0, ResultFact { number: 10_000 + i as i64, consumer: format!("other{i}"),
                provider: "someone".into(), provider_version: "1".into(), content_id: "x".into(), success: i % 2 == 0,
                mismatches: vec![], posted_by: None });
        }
        prop_assert_eq!(decide(&q, &h), decide(&q, &crowded));
    }

    #[test]
    fn without_accepted_contracts_it_is_pacts_own_rule(q in question(), h in history(0)) {
        prop_assume!(matches!(q.target, Target::Environment(_)));
        prop_assert_eq!(decide(&q, &h).deployable, pact_rule(&q, &h));
    }

    #[test]
    fn accepted_contracts_only_ever_add_demands(q in question(), h in history(3)) {
        let mut without = h.clone();
        without.accepted.clear();
        if decide(&q, &h).deployable == Some(true) {
            prop_assert_eq!(decide(&q, &without).deployable, Some(true));
        }
    }

    #[test]
    fn every_row_in_the_way_says_what_clears_it(q in question(), h in history(3)) {
        let verdict = decide(&q, &h);
        for row in &verdict.rows {
            prop_assert_eq!(row.clears.is_some(), row.outcome.success() != Some(true));
            // Told once, with both names and a way out.
            if row.clears.is_some() {
                prop_assert!(verdict.explain.iter().any(|e| e.what.contains(&row.consumer) && e.what.contains(&row.provider)
                    && e.clears == row.clears));
            }
        }
        prop_assert_eq!(verdict.explain.is_empty(), verdict.deployable == Some(true));
        prop_assert_eq!(verdict.success + verdict.failed + verdict.unknown, verdict.rows.len());
        prop_assert!(!verdict.notices.is_empty());
    }
}
