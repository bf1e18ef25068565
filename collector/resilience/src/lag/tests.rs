use super::*;

const SLOT: u64 = 10_000_000_000;

/// Polls every 2 s for `seconds`; `committed`, `end` and `owned` are functions of the second. The last verdict.
fn run(
    ring: &mut Ring,
    from: u64,
    seconds: u64,
    committed: impl Fn(i64) -> i64,
    end: impl Fn(i64) -> i64,
    owned: bool,
) -> Verdict {
    let mut verdict = Verdict::Unknown;
    for second in (from..from + seconds).step_by(2) {
        let t = second as i64;
        let poll = Poll {
            at_ns: (second + 1_000) * 1_000_000_000,
            committed: Some(committed(t)),
            start: 0,
            end: end(t),
            owned,
        };
        verdict = ring.observe(poll, &Rules::default());
    }
    verdict
}

#[test]
fn a_healthy_group_is_ok() {
    assert_eq!(run(&mut Ring::default(), 0, 300, |t| 50 * t, |t| 50 * t, true), Verdict::Ok);
    // Always a little behind, never more: the lag moves up and down.
    let wobbly = |t: i64| 50 * t - 20 - 5 * ((t / 10) % 2);
    assert_eq!(run(&mut Ring::default(), 0, 300, wobbly, |t| 50 * t, true), Verdict::Ok);
}

#[test]
fn a_slow_group_that_commits_every_second_is_warned() {
    assert_eq!(run(&mut Ring::default(), 0, 122, |t| 20 * t, |t| 50 * t, true), Verdict::Warn);
}

#[test]
fn a_live_member_that_commits_the_same_offset_stalls() {
    assert_eq!(run(&mut Ring::default(), 0, 120, |_| 7, |t| 50 * t, true), Verdict::Stall);
    assert_eq!(run(&mut Ring::default(), 0, 15, |_| 7, |t| 50 * t, true), Verdict::Ok, "too early to say");
}

#[test]
fn a_group_without_members_stops_once_it_is_silent_for_long_enough() {
    let mut ring = Ring::default();
    assert_eq!(run(&mut ring, 0, 20, |t| 50 * t, |t| 50 * t, true), Verdict::Ok);
    assert_eq!(run(&mut ring, 20, 10, |_| 900, |t| 50 * t, false), Verdict::Ok);
    assert_eq!(run(&mut ring, 30, 120, |_| 900, |t| 50 * t, false), Verdict::Stop);
    // First seen when it was gone already: an idle topic with a backlog.
    assert_eq!(run(&mut Ring::default(), 0, 60, |_| 10, |_| 310, false), Verdict::Stop);
    // All read: fine for ever, though nobody is there.
    assert_eq!(run(&mut Ring::default(), 0, 600, |_| 310, |_| 310, false), Verdict::Ok);
}

#[test]
fn a_commit_that_goes_back_and_does_not_return_is_a_rewind() {
    let mut ring = Ring::default();
    run(&mut ring, 0, 60, |t| 50 * t, |t| 50 * t, true);
    assert_eq!(run(&mut ring, 60, 30, |t| 10 + (t - 60), |_| 3_000, true), Verdict::Rewind);
    // Replaying quickly past the old offset is no rewind any more.
    assert_eq!(run(&mut ring, 90, 60, |t| 10 + 200 * (t - 88), |_| 20_000, true), Verdict::Ok);
}

#[test]
fn numbers_floor_at_the_log_start_and_never_go_negative() {
    let of = |committed, start, end| {
        let n = Numbers::of(committed, start, end);
        (n.lag_messages, n.lost_messages, n.ahead_messages)
    };
    assert_eq!(of(Some(100), 400, 500), (Some(100), 300, 0));
    assert_eq!(of(Some(800), 0, 500), (Some(0), 0, 300));
    assert_eq!(of(None, 0, 500), (None, 0, 0));
}

#[test]
fn ages_are_interpolated_and_bounded_by_what_was_seen() {
    let mut table = TimeTable::default();
    assert_eq!(table.age(0, SLOT), None);
    // 10 records a second from second 100 to 200, then nothing.
    for second in (100..=300u64).step_by(2) {
        table.note(second * 1_000_000_000, (second.min(200) as i64 - 100) * 10 + 50);
    }
    let age = |committed| table.age(committed, 300_000_000_000).unwrap();
    assert_eq!(age(1_050), Age { seconds: 0.0, at_least: false });
    // The record at offset 549 was written at second 149.9; the backlog ages on although the topic is idle.
    assert!((age(549).seconds - 150.1).abs() < 0.2, "{:?}", age(549));
    assert_eq!(age(20), Age { seconds: 200.0, at_least: true });
    for second in 301..3_000u64 {
        table.note(second * 1_000_000_000, 1_050 + second as i64);
    }
    assert!(table.age(549, 3_000_000_000_000).is_some_and(|age| (age.seconds - 2_850.0).abs() < 60.0));
    // A log that ends earlier is another log.
    table.note(4_000_000_000_000, 3);
    assert_eq!(table.age(1, 4_010_000_000_000), Some(Age { seconds: 10.0, at_least: true }));
}
