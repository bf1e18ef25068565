use super::*;

fn sample(state: BreakerState, at_ns: u64) -> BreakerSample {
    let key = BreakerKey {
        service: ServiceName::new("orders").unwrap(),
        instance: String::new(),
        name: "products".to_owned(),
    };
    let mut sample = BreakerSample::new(key, Source::Hystrix, at_ns);
    sample.state = Some(state);
    sample.window_requests = Some(20.0);
    sample.error_percent = Some(60.0);
    sample
}

fn counted(state: BreakerState, opened: u64, since: u64, at_ns: u64) -> BreakerSample {
    let mut sample = sample(state, at_ns);
    sample.transitions.push(TransitionCount {
        from: BreakerState::Closed,
        to: BreakerState::Open,
        cause: Some("tripped".to_owned()),
        total: opened,
        counted_since_ns: Some(since),
    });
    sample
}

#[test]
fn a_change_of_state_is_a_transition_and_the_first_sight_is_none() {
    let mut memory = Memory::default();
    assert!(memory.advance(&sample(BreakerState::Open, 1), 0).is_empty());
    let closed = memory.advance(&sample(BreakerState::Closed, 2), 0);
    assert_eq!((closed[0].from, closed[0].to), (BreakerState::Open, BreakerState::Closed));
    let opened = memory.advance(&sample(BreakerState::Open, 3), 0);
    assert_eq!(opened[0].cause, "60 % of 20 requests in the window failed");
    assert!(memory.advance(&sample(BreakerState::Open, 4), 0).is_empty());
}

#[test]
fn counters_are_news_only_when_they_began_after_we_did() {
    let old = Memory::default().advance(&counted(BreakerState::Open, 3, 10, 100), 50);
    assert!(old.is_empty(), "counted before we watched: {old:?}");
    let new = Memory::default().advance(&counted(BreakerState::Open, 1, 60, 100), 50);
    assert_eq!((new.len(), new[0].cause.as_str()), (1, "tripped"));
}

#[test]
fn a_counter_that_starts_again_is_a_new_process() {
    let mut memory = Memory::default();
    memory.advance(&counted(BreakerState::Closed, 5, 10, 100), 50);
    let again = memory.advance(&counted(BreakerState::Open, 1, 110, 120), 50);
    assert_eq!(again.len(), 1);
}

#[test]
fn counter_and_state_that_agree_tell_one_transition() {
    let mut memory = Memory::default();
    memory.advance(&counted(BreakerState::Closed, 0, 10, 100), 50);
    let news = memory.advance(&counted(BreakerState::Open, 1, 10, 200), 50);
    assert_eq!(news.len(), 1);
    // The state is seen first and the counter follows in the next export: the state told it already.
    let mut memory = Memory::default();
    memory.advance(&counted(BreakerState::Closed, 0, 10, 100), 50);
    assert_eq!(memory.advance(&counted(BreakerState::Open, 0, 10, 200), 50).len(), 1);
    assert!(memory.advance(&counted(BreakerState::Open, 1, 10, 300), 50).is_empty());
    assert_eq!(memory.advance(&counted(BreakerState::Open, 2, 10, 400), 50).len(), 1);
}
