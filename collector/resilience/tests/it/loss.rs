//! The loss rules under any interleaving of records, commits and time.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tracepact_resilience::loss::{FlowRules, FlowTracker, MessageVerdict, Record};

const WINDOW: u64 = 20;

fn rules(entries_max: usize) -> FlowRules {
    FlowRules {
        name: "order-payment".to_owned(),
        group: "payments".to_owned(),
        service: None,
        request_topic: "order-placed".to_owned(),
        window_ns: WINDOW,
        entries_max,
    }
}

fn record(key: u8, offset: i64, at_ns: u64) -> Record {
    Record { key: format!("k{key}"), partition: 0, offset, at_ns, trace_id: None }
}

fn verdict_of(tracker: &FlowTracker, key: u8) -> Option<MessageVerdict> {
    let key = format!("k{key}");
    tracker.messages(1_000).into_iter().find(|m| m.key == key).map(|m| m.verdict)
}

fn commit(offset: i64) -> BTreeMap<i32, i64> {
    [(0, offset)].into()
}

#[test]
fn the_five_fates_of_a_message() {
    let mut tracker = FlowTracker::new(rules(100));
    for key in 1..=6 {
        tracker.request(&record(key, i64::from(key), 100));
    }
    assert!(tracker.advance(commit(0), 110).iter().all(|c| c.message.verdict == MessageVerdict::Open));
    tracker.result(&record(1, 0, 115)); // in time
    tracker.result(&record(2, 1, 130)); // late
    tracker.dead_letter(&record(3, 0, 112));
    tracker.result(&record(4, 2, 113));
    tracker.result(&record(4, 3, 114)); // twice
    // 5 is dropped: committed past, no result. 6 is still in line.
    let changes = tracker.advance(commit(6), 131);
    let told: Vec<_> = (1..=6).map(|key| verdict_of(&tracker, key).unwrap()).collect();
    use MessageVerdict as V;
    assert_eq!(told, [V::Answered, V::Late, V::DeadLettered, V::Duplicated, V::Lost, V::Queued]);
    let events: Vec<_> = changes.iter().filter_map(|c| c.event(tracker.rules())).collect();
    assert_eq!(events.len(), 4, "answered and queued are no news");
    // Worked out again after a restart, at another time, the same events have the same ids.
    let mut again = FlowTracker::new(rules(100));
    again.result(&record(2, 1, 130));
    again.request(&record(2, 2, 100));
    let repeated = again.advance(commit(50), 999)[0].event(again.rules()).unwrap();
    assert!(events.iter().any(|e| e.id == repeated.id && e.at_ns == repeated.at_ns));
}

#[test]
fn a_result_after_lost_makes_it_late_and_the_counters_remember() {
    let mut tracker = FlowTracker::new(rules(100));
    tracker.request(&record(1, 0, 100));
    tracker.advance(commit(1), 121);
    assert_eq!(tracker.counts().lost, 1);
    tracker.result(&record(1, 0, 140));
    let changes = tracker.advance(commit(1), 141);
    assert_eq!(
        (changes[0].before, changes[0].message.verdict),
        (Some(MessageVerdict::Lost), MessageVerdict::Late)
    );
    assert_eq!((tracker.counts().lost, tracker.counts().late), (0, 1));
    assert_eq!(tracker.reached(MessageVerdict::Lost), 1);
}

#[test]
fn a_full_table_never_calls_anything_lost() {
    let mut tracker = FlowTracker::new(rules(3));
    for key in 0..10 {
        tracker.request(&record(key, i64::from(key), 100 + u64::from(key)));
    }
    tracker.advance(commit(0), 200);
    assert_eq!((tracker.unfollowed(), tracker.counts().queued), (7, 3));
    tracker.request(&Record { key: String::new(), ..record(0, 99, 1) });
    assert_eq!(tracker.unfollowed(), 8);
}

#[test]
fn answered_messages_leave_the_table_and_stay_in_the_counts() {
    let mut tracker = FlowTracker::new(rules(100));
    tracker.request(&record(1, 0, 100));
    tracker.result(&record(1, 0, 101));
    tracker.advance(commit(1), 102);
    tracker.advance(commit(1), 1_000);
    assert!(tracker.messages(10).is_empty());
    assert_eq!(tracker.counts().answered, 1);
    tracker.advance(commit(1), 2_000);
    assert_eq!(tracker.counts().answered, 1);
}

#[derive(Debug, Clone)]
enum Step {
    Request(u8),
    Result(u8),
    DeadLetter(u8),
    /// The group commits up to this offset.
    Commit(i64),
    Pass(u64),
    /// The last record of a topic is shown again, as a replay would.
    Repeat,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6u8).prop_map(Step::Request),
        3 => (0..6u8).prop_map(Step::Result),
        1 => (0..6u8).prop_map(Step::DeadLetter),
        2 => (0..20i64).prop_map(Step::Commit),
        3 => (1..15u64).prop_map(Step::Pass),
        1 => Just(Step::Repeat),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_follow_the_facts_in_any_interleaving(steps in prop::collection::vec(step(), 1..60)) {
        let mut tracker = FlowTracker::new(rules(1_000));
        let (mut now, mut offset, mut committed) = (1_000u64, 0i64, 0i64);
        // What truly happened: key → offsets of requests, their first time, times of results, dead letters.
        let mut requests: BTreeMap<u8, Vec<(i64, u64)>> = BTreeMap::new();
        let mut results: BTreeMap<u8, usize> = BTreeMap::new();
        let mut dead: BTreeMap<u8, usize> = BTreeMap::new();
        let mut touched: BTreeMap<u8, u64> = BTreeMap::new();
        let mut last: Option<(u8, Record)> = None;
        for step in steps {
            match step {
                Step::Request(key) => {
                    let shown = record(key, offset, now);
                    tracker.request(&shown);
                    requests.entry(key).or_default().push((offset, now));
                    last = Some((0, shown));
                    offset += 1;
                }
                Step::Result(key) => {
                    let shown = record(key, offset, now);
                    tracker.result(&shown);
                    *results.entry(key).or_default() += 1;
                    last = Some((1, shown));
                    offset += 1;
                }
                Step::DeadLetter(key) => {
                    let shown = record(key, offset, now);
                    tracker.dead_letter(&shown);
                    *dead.entry(key).or_default() += 1;
                    last = Some((2, shown));
                    offset += 1;
                }
                Step::Commit(at) => committed = at,
                Step::Pass(by) => now += by,
                Step::Repeat => match &last {
                    Some((0, shown)) => tracker.request(shown),
                    Some((1, shown)) => tracker.result(shown),
                    Some((_, shown)) => tracker.dead_letter(shown),
                    None => {}
                },
            }
            if let Some((_, shown)) = &last {
                let key: u8 = shown.key[1..].parse().unwrap();
                touched.entry(key).and_modify(|at| *at = shown.at_ns.max(*at)).or_insert(shown.at_ns);
            }
            tracker.advance(commit(committed), now);
            // The tracker forgets answered messages, and results whose request never showed, one window later.
            let known: Vec<String> = tracker.messages(1_000).into_iter().map(|m| m.key).collect();
            for key in 0..6u8 {
                let orphan = !requests.contains_key(&key)
                    && touched.get(&key).is_some_and(|at| now > at + WINDOW);
                let gone = requests.contains_key(&key) && !known.contains(&format!("k{key}"));
                if orphan || gone {
                    requests.remove(&key);
                    results.remove(&key);
                    dead.remove(&key);
                    touched.remove(&key);
                    if last.as_ref().is_some_and(|(_, shown)| shown.key == format!("k{key}")) {
                        last = None;
                    }
                }
            }
            for message in tracker.messages(1_000) {
                let key: u8 = message.key[1..].parse().unwrap();
                let asked = &requests[&key];
                let answers = results.get(&key).copied().unwrap_or(0);
                let uncommitted = asked.iter().any(|(at, _)| *at >= committed);
                let is = message.verdict;
                if is == MessageVerdict::Lost {
                    prop_assert!(!uncommitted, "lost while the group has not committed past it");
                    prop_assert!(now > message.deadline_at_ns, "lost before its deadline");
                    prop_assert_eq!((answers, dead.get(&key)), (0, None));
                }
                if is == MessageVerdict::Queued {
                    prop_assert!(uncommitted && answers == 0);
                }
                if is == MessageVerdict::Duplicated {
                    prop_assert!(answers > 1 || asked.len() > 1);
                }
                if is == MessageVerdict::Answered || is == MessageVerdict::Late {
                    prop_assert_eq!((answers, asked.len()), (1, 1), "showing a record again is no duplicate");
                }
                prop_assert_eq!(is == MessageVerdict::DeadLettered, dead.contains_key(&key));
            }
        }
    }
}
