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

mod model {
    //! The whole breaker against its definition, written without any cleverness.

    use super::*;
    use proptest::prelude::*;

    const SLICE: u64 = 500 * MS;
    const SLEEP: u64 = 5_000 * MS;

    struct Model {
        origin: u64,
        events: Vec<(u64, bool)>,
        state: State,
        stamp: u64,
        /// The probe that may decide, by the number of the call.
        probe: Option<usize>,
    }

    impl Model {
        fn health(&self, now: u64) -> (u64, u64) {
            let slice = |t: u64| (t - self.origin) / SLICE;
            let inside =
                self.events.iter().filter(|(t, _)| slice(*t) < slice(now) && slice(*t) + 20 >= slice(now));
            let (mut all, mut bad) = (0, 0);
            for (_, good) in inside {
                all += 1;
                bad += u64::from(!good);
            }
            (all, bad)
        }

        /// Whether the call is admitted.
        fn call(&mut self, now: u64, number: usize) -> bool {
            if self.state == State::Closed {
                let (all, bad) = self.health(now);
                if all < 20 || bad * 100 / all < 50 {
                    return true;
                }
                (self.state, self.stamp, self.probe) = (State::Open, now, None);
            }
            if now <= self.stamp + SLEEP {
                return false;
            }
            (self.state, self.stamp, self.probe) = (State::HalfOpen, now, Some(number));
            true
        }

        fn finish(&mut self, now: u64, number: usize, outcome: Option<Outcome>) {
            let decides = self.state == State::HalfOpen && self.probe == Some(number);
            match (decides, outcome) {
                (true, Some(Outcome::Success)) => {
                    (self.state, self.origin) = (State::Closed, now);
                    self.events.clear();
                }
                (true, Some(_)) => self.state = State::Open,
                (true, None) => {
                    (self.state, self.stamp) = (State::Open, self.stamp.saturating_sub(SLEEP + 1))
                }
                (false, _) => {}
            }
            match outcome {
                Some(Outcome::Success) => self.events.push((now, true)),
                Some(Outcome::Failure | Outcome::Timeout) => self.events.push((now, false)),
                Some(Outcome::BadRequest) | None => {}
            }
        }
    }

    fn outcome(pick: u8) -> Option<Outcome> {
        match pick {
            0..=4 => Some(Outcome::Failure),
            5..=8 => Some(Outcome::Success),
            9 => Some(Outcome::Timeout),
            10 => Some(Outcome::BadRequest),
            _ => None,
        }
    }

    fn end(call: Call, outcome: Option<Outcome>) {
        match outcome {
            Some(outcome) => call.finish(outcome),
            None => drop(call),
        }
    }

    proptest! {
        #[test]
        fn the_breaker_does_what_its_definition_says(
            steps in proptest::collection::vec((0u8..4, 0u8..12, 0u64..3_000, any::<proptest::sample::Index>()), 1..600),
        ) {
            let (breaker, clock) = breaker(BreakerSettings::default());
            let mut model =
                Model { origin: 0, events: Vec::new(), state: State::Closed, stamp: 0, probe: None };
            let mut open: Vec<(usize, Call)> = Vec::new();
            let (mut now, mut number) = (0, 0);
            for (what, pick, wait_ms, index) in steps {
                // A burst of failures so that it trips often; a single call, which may stay in flight for long.
                let (calls, held) = if what == 3 { (12, false) } else { (u8::from(what == 2), pick % 3 == 0) };
                if what == 0 {
                    let wait = if wait_ms < 2_400 { wait_ms / 20 } else { wait_ms * 2 };
                    now += wait * MS;
                    clock.advance_ns(wait * MS);
                } else if what == 1 && !open.is_empty() {
                    let (number, call) = open.swap_remove(index.index(open.len()));
                    model.finish(now, number, outcome(pick));
                    end(call, outcome(pick));
                }
                for _ in 0..calls {
                    number += 1;
                    let admitted = breaker.try_call();
                    prop_assert_eq!(admitted.is_ok(), model.call(now, number), "call {}", number);
                    let Ok(call) = admitted else { continue };
                    prop_assert_eq!(call.is_probe(), model.probe == Some(number));
                    if held {
                        open.push((number, call));
                    } else {
                        let outcome = outcome(if what == 3 { 0 } else { pick });
                        model.finish(now, number, outcome);
                        end(call, outcome);
                    }
                }
                prop_assert_eq!(breaker.state(), model.state);
                let (requests, errors) = model.health(now);
                prop_assert_eq!((breaker.window_requests(), breaker.window_errors()), (requests, errors));
            }
        }
    }
}
