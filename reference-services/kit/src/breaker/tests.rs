use super::*;
use tracepact_base::ManualClock;

const MS: u64 = 1_000_000;

fn breaker(settings: BreakerSettings) -> (Breaker, Arc<ManualClock>) {
    let clock = ManualClock::at(1_000_000 * MS);
    (Breaker::new("b", "callee", settings, clock.clone()), clock)
}

fn run(breaker: &Breaker, outcome: Outcome, times: usize) {
    for _ in 0..times {
        if let Ok(call) = breaker.try_call() {
            call.finish(outcome);
        }
    }
}

/// A breaker that tripped, its clock standing right after the trip.
fn tripped() -> (Breaker, Arc<ManualClock>) {
    let (breaker, clock) = breaker(BreakerSettings::default());
    run(&breaker, Outcome::Failure, 20);
    clock.advance_ns(500 * MS);
    assert!(breaker.try_call().is_err());
    assert_eq!(breaker.state(), State::Open);
    (breaker, clock)
}

#[test]
fn it_trips_at_the_thresholds_and_not_below() {
    for (successes, failures, trips) in
        [(0, 19, false), (0, 20, true), (10, 10, true), (11, 10, false), (51, 49, false)]
    {
        let (breaker, clock) = breaker(BreakerSettings::default());
        run(&breaker, Outcome::Success, successes);
        run(&breaker, Outcome::Failure, failures);
        clock.advance_ns(500 * MS);
        assert_eq!(breaker.try_call().is_err(), trips, "{successes} ok, {failures} failed");
    }
}

#[test]
fn a_slice_counts_once_it_is_complete() {
    let (breaker, clock) = breaker(BreakerSettings::default());
    run(&breaker, Outcome::Failure, 40);
    assert_eq!(breaker.window_requests(), 0);
    assert!(breaker.try_call().is_ok());
    clock.advance_ns(500 * MS);
    assert_eq!(breaker.window_requests(), 40);
}

#[test]
fn bad_requests_and_short_circuits_are_in_neither_count() {
    let (breaker, clock) = breaker(BreakerSettings::default());
    run(&breaker, Outcome::BadRequest, 100);
    clock.advance_ns(500 * MS);
    assert_eq!((breaker.window_requests(), breaker.error_percent()), (0, 0));
    let (breaker, _clock) = tripped();
    let before = breaker.window_requests();
    run(&breaker, Outcome::Failure, 10);
    assert_eq!((breaker.window_requests(), breaker.total(window::Event::ShortCircuited)), (before, 11));
}

#[test]
fn rejections_count_as_errors() {
    let (breaker, clock) = breaker(BreakerSettings::default());
    (0..20).for_each(|_| breaker.record_rejected());
    clock.advance_ns(500 * MS);
    assert!(breaker.try_call().is_err());
}

#[test]
fn one_probe_per_sleep_window_and_its_success_closes() {
    let (breaker, clock) = tripped();
    clock.advance_ns(5_000 * MS);
    assert!(breaker.try_call().is_err(), "exactly at the end of the sleep window it is still open");
    clock.advance_ns(1);
    let probe = breaker.try_call().unwrap();
    assert!(probe.is_probe());
    assert_eq!(breaker.state(), State::HalfOpen);
    assert!(breaker.try_call().is_err(), "only one probe");
    probe.finish(Outcome::Success);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.window_requests(), 0, "the health window begins anew");
    clock.advance_ns(500 * MS);
    assert_eq!(breaker.window_requests(), 1, "with the probe's success as its first event");
    let causes: Vec<_> = breaker.transitions().iter().map(|t| t.cause).collect();
    assert_eq!(causes, [Cause::ErrorPercent, Cause::SleepWindowElapsed, Cause::ProbeSucceeded]);
}

#[test]
fn a_failed_probe_waits_one_sleep_window_from_its_beginning() {
    let (breaker, clock) = tripped();
    clock.advance_ns(5_001 * MS);
    let probe = breaker.try_call().unwrap();
    clock.advance_ns(2_000 * MS);
    probe.finish(Outcome::Timeout);
    assert_eq!(breaker.state(), State::Open);
    clock.advance_ns(3_000 * MS);
    assert!(breaker.try_call().is_err());
    clock.advance_ns(1);
    assert!(breaker.try_call().unwrap().is_probe());
}

#[test]
fn a_late_success_does_not_close() {
    let (breaker, clock) = breaker(BreakerSettings::default());
    let late = breaker.try_call().unwrap();
    run(&breaker, Outcome::Failure, 20);
    clock.advance_ns(500 * MS);
    assert!(breaker.try_call().is_err());
    late.finish(Outcome::Success);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_lost_probe_is_replaced_and_can_no_longer_decide() {
    let (breaker, clock) = tripped();
    clock.advance_ns(5_001 * MS);
    let lost = breaker.try_call().unwrap();
    clock.advance_ns(5_001 * MS);
    let second = breaker.try_call().unwrap();
    assert!(second.is_probe());
    lost.finish(Outcome::Success);
    assert_eq!(breaker.state(), State::HalfOpen);
    second.finish(Outcome::Failure);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_dropped_probe_frees_its_place_at_once() {
    let (breaker, clock) = tripped();
    clock.advance_ns(5_001 * MS);
    drop(breaker.try_call().unwrap());
    assert_eq!(breaker.state(), State::Open);
    clock.advance_ns(1);
    assert!(breaker.try_call().unwrap().is_probe());
    assert_eq!(breaker.in_flight(), 0);
}

#[test]
fn reads_change_nothing() {
    let (breaker, clock) = breaker(BreakerSettings::default());
    run(&breaker, Outcome::Failure, 30);
    clock.advance_ns(500 * MS);
    for _ in 0..3 {
        assert_eq!((breaker.state(), breaker.error_percent()), (State::Closed, 100));
    }
    assert!(breaker.transitions().is_empty());
    clock.advance_ns(10_000 * MS);
    assert!(breaker.try_call().is_ok(), "the errors have left the window unseen");
}

#[test]
fn forced_states_hold_and_are_told() {
    let (breaker, _clock) = breaker(BreakerSettings::default());
    let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let log = seen.clone();
    breaker.on_transition(move |t| log.lock().push((t.from, t.to, t.cause)));
    breaker.force(Some(Forced::Open));
    assert!(breaker.try_call().is_err());
    breaker.force(None);
    assert!(breaker.try_call().is_ok());
    assert_eq!(
        *seen.lock(),
        [
            (State::Closed, State::ForcedOpen, Cause::Forced),
            (State::ForcedOpen, State::Closed, Cause::Released)
        ]
    );
    let (breaker, _clock) = tripped();
    breaker.force(Some(Forced::Closed));
    assert!(breaker.try_call().is_ok());
    assert_eq!(breaker.state(), State::Open, "it still publishes its own verdict");
}
