use proptest::prelude::*;
use tracepact_base::ServiceName;

use super::*;
use crate::problem::Severity;
use crate::{
    BreakerState, BreakerSummary, CollectorSummary, ErrorSummary, GateSummary, LagSummary, LagVerdict,
    LostSummary, ServiceEntry, SourceError,
};

const ALL: [ProblemKind; 6] = [
    ProblemKind::Collector,
    ProblemKind::BreakerOpen,
    ProblemKind::MessageLost,
    ProblemKind::Errors,
    ProblemKind::Lag,
    ProblemKind::GateRefused,
];

fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

fn breaker(instance: &str, state: BreakerState, since_ns: u64) -> Summary {
    Summary::Breaker(BreakerSummary {
        service: name("Orders-Web"),
        instance: instance.into(),
        breaker: "stock".into(),
        callee: Some(name("products")),
        state,
        since_ns: Some(since_ns),
    })
}

fn lag(verdict: LagVerdict) -> Summary {
    Summary::Lag(LagSummary {
        group: "payment-workers".into(),
        topic: "order-placed".into(),
        verdict,
        lag_messages: Some(1),
        lag_seconds: Some(12.4),
        since_ns: Some(40),
    })
}

fn gate(version: &str, deployable: Option<bool>, at_ns: u64) -> Summary {
    Summary::Gate(GateSummary {
        pacticipant: "Products".into(),
        version: version.into(),
        environment: "production".into(),
        deployable,
        reason: "orders needs GET /products/{id}".into(),
        at_ns,
        trace_id: Some("463ac35c9f6413ad".into()),
    })
}

fn lost(lost: u64) -> Summary {
    Summary::Lost(LostSummary {
        flow: "order-payment".into(),
        request_topic: "order-placed".into(),
        group: "payment-workers".into(),
        lost,
        since_ns: Some(50),
        trace_id: None,
    })
}

fn aliases() -> Aliases {
    Aliases::new(vec![
        ServiceEntry { aliases: vec![name("orders-web")], ..ServiceEntry::named("orders").unwrap() },
        ServiceEntry {
            consumer_groups: vec!["payment-workers".into()],
            ..ServiceEntry::named("payments").unwrap()
        },
    ])
    .unwrap()
}

fn answer(summaries: Vec<Summary>) -> OverviewAnswer {
    let all = Gathered { source: "test".into(), covers: ALL.to_vec(), answer: Ok(summaries) };
    overview(&aliases(), &[all], Some(2), 100)
}

#[test]
fn instances_of_one_breaker_are_one_problem_dated_by_the_first() {
    let answer = answer(vec![
        breaker("i-1", BreakerState::Open, 30),
        breaker("i-2", BreakerState::Open, 20),
        breaker("i-3", BreakerState::Closed, 10),
    ]);
    let [problem] = answer.problems.as_slice() else { panic!("one problem: {answer:?}") };
    assert_eq!(problem.title, "breaker stock (orders → products) is open on 2 of 3 instances");
    assert_eq!(problem.since, Some(to_rfc3339(20)));
    assert_eq!(problem.links[0].href, "/breakers?service=orders&name=stock");
    assert_eq!(problem.links[2].href, "/contracts?pacticipant=products");
    assert_eq!(answer.counts.breakers_open, Some(1));
}

#[test]
fn half_open_is_a_warning_and_not_counted_as_open() {
    let answer = answer(vec![breaker("i-1", BreakerState::HalfOpen, 30)]);
    assert_eq!(answer.problems[0].severity, Severity::Warning);
    assert_eq!(answer.counts.breakers_open, Some(0));
}

#[test]
fn lag_names_the_service_that_owns_the_group_and_its_units() {
    let answer = answer(vec![lag(LagVerdict::Stop)]);
    assert_eq!(answer.problems[0].service.as_deref(), Some("payments"));
    assert_eq!(
        answer.problems[0].title,
        "group payment-workers has stopped on order-placed: 1 message and 12 s behind"
    );
    assert_eq!(answer.counts.groups_lagging, Some(1));
}

#[test]
fn a_newer_yes_clears_a_refusal_and_unknown_does_not() {
    assert_eq!(
        answer(vec![gate("2", Some(false), 1), gate("3", Some(true), 2)]).counts.deploys_refused,
        Some(0)
    );
    let refused = answer(vec![gate("3", Some(true), 2), gate("4", Some(false), 3)]);
    assert!(refused.problems[0].title.starts_with("Products 4 refused for production: orders needs"));
    assert_eq!(refused.problems[0].links[1].href, "/traces/463ac35c9f6413ad");
    assert_eq!(answer(vec![gate("2", None, 1)]).counts.deploys_refused, Some(1));
}

#[test]
fn few_requests_or_few_errors_are_no_problem() {
    let errors = |requests, errors| {
        answer(vec![Summary::Errors(ErrorSummary {
            service: name("gateway"),
            edge: None,
            requests,
            errors,
            window_seconds: 60,
            since_ns: None,
        })])
        .problems
        .first()
        .map(|p| p.severity)
    };
    assert_eq!(errors(19, 19), None);
    assert_eq!(errors(100, 4), None);
    assert_eq!(errors(100, 5), Some(Severity::Warning));
    assert_eq!(errors(100, 25), Some(Severity::Error));
}

#[test]
fn urgent_first_then_what_lasted_longest() {
    let severe = Summary::Collector(CollectorSummary {
        title: "the store is read-only".into(),
        severe: true,
        since_ns: None,
    });
    let answer = answer(vec![
        gate("2", Some(false), 1),
        lag(LagVerdict::Warn),
        lost(3),
        breaker("i-1", BreakerState::Open, 60),
        severe,
    ]);
    let kinds: Vec<_> = answer.problems.iter().map(|p| p.kind).collect();
    assert_eq!(
        kinds,
        [
            ProblemKind::Collector,
            ProblemKind::BreakerOpen,
            ProblemKind::MessageLost,
            ProblemKind::Lag,
            ProblemKind::GateRefused
        ]
    );
    assert_eq!(answer.counts.messages_lost, Some(3));
}

#[test]
fn what_nobody_could_tell_is_unknown_and_never_zero() {
    let failed = Gathered {
        source: "kafka".into(),
        covers: vec![ProblemKind::Lag],
        answer: Err(SourceError::new("connection refused")),
    };
    let breakers = Gathered {
        source: "breakers".into(),
        covers: vec![ProblemKind::BreakerOpen],
        answer: Ok(Vec::new()),
    };
    let answer = overview(&aliases(), &[failed, breakers], None, 0);
    assert_eq!(answer.counts.breakers_open, Some(0));
    assert_eq!(answer.counts.groups_lagging, None, "its source failed");
    assert_eq!(answer.counts.messages_lost, None, "nobody covers it");
    assert_eq!(answer.cut.as_deref(), Some("kafka did not answer: connection refused"));
    let json = serde_json::to_value(&answer).unwrap();
    assert!(json["counts"].get("groups_lagging").is_none(), "absent in the answer: {json}");
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let many = (0..=PROBLEMS_MAX as u64)
        .map(|n| {
            Summary::Collector(CollectorSummary {
                title: format!("problem {n}"),
                severe: n == PROBLEMS_MAX as u64,
                since_ns: Some(n),
            })
        })
        .collect();
    let answer = answer(many);
    assert_eq!(answer.problems.len(), PROBLEMS_MAX);
    assert!(!answer.complete);
    assert_eq!(answer.problems[0].severity, Severity::Error, "the urgent one stays");
}

proptest! {
    #[test]
    fn the_order_never_puts_a_warning_above_an_error(states in proptest::collection::vec(0_u8..6, 0..40)) {
        let summaries = states.iter().enumerate().map(|(n, s)| match s {
            0 => breaker("i", BreakerState::Open, n as u64),
            1 => lag(LagVerdict::Warn),
            2 => lag(LagVerdict::Stall),
            3 => lost(1),
            4 => gate(&n.to_string(), Some(false), n as u64),
            _ => breaker("j", BreakerState::HalfOpen, n as u64),
        }).collect();
        let answer = answer(summaries);
        prop_assert!(answer.problems.windows(2).all(|w| w[0].severity <= w[1].severity));
    }
}
