//! Noticing that somebody set the machine's clock: retention must not drop a week because of a wrong year.

/// How far the wall clock may run ahead of the monotonic one between two looks before it counts as a jump.
const JUMP_NS: u64 = 10 * 60 * 1_000_000_000;
/// How long after a jump forward nothing is dropped by age: time to put the clock right.
const HOLD_NS: u64 = 3600 * 1_000_000_000;

/// Compares the two readings of a clock from look to look.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    wall_ns: u64,
    monotonic_ns: u64,
    /// Until when, by the monotonic reading, the wall clock is not believed.
    hold_until_ns: Option<u64>,
}

/// What a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wall {
    /// The wall clock can be believed.
    Trusted,
    /// It just jumped forward by about so many nanoseconds; nothing is dropped by it for a while.
    Jumped(u64),
    /// It jumped not long ago.
    Held,
}

impl ClockWatch {
    pub(crate) fn new(wall_ns: u64, monotonic_ns: u64) -> Self {
        Self { wall_ns, monotonic_ns, hold_until_ns: None }
    }

    /// Looks again.
    pub(crate) fn look(&mut self, wall_ns: u64, monotonic_ns: u64) -> Wall {
        let expected_ns = self.wall_ns.saturating_add(monotonic_ns.saturating_sub(self.monotonic_ns));
        (self.wall_ns, self.monotonic_ns) = (wall_ns, monotonic_ns);
        if wall_ns > expected_ns.saturating_add(JUMP_NS) {
            self.hold_until_ns = Some(monotonic_ns.saturating_add(HOLD_NS));
            return Wall::Jumped(wall_ns - expected_ns);
        }
        // A jump back puts right what a jump forward put wrong; by itself it only makes everything younger.
        let put_right = wall_ns.saturating_add(JUMP_NS) < expected_ns;
        if put_right || self.hold_until_ns.is_some_and(|until| monotonic_ns >= until) {
            self.hold_until_ns = None;
        }
        if self.hold_until_ns.is_some() { Wall::Held } else { Wall::Trusted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60 * 1_000_000_000;

    #[test]
    fn a_jump_forward_is_held_for_an_hour_or_until_it_is_put_right() {
        let mut watch = ClockWatch::new(1_000 * MINUTE, 0);
        assert_eq!(watch.look(1_001 * MINUTE, MINUTE), Wall::Trusted);
        assert_eq!(watch.look(9_002 * MINUTE, 2 * MINUTE), Wall::Jumped(8_000 * MINUTE));
        assert_eq!(watch.look(9_003 * MINUTE, 3 * MINUTE), Wall::Held);
        assert_eq!(watch.look(1_004 * MINUTE, 4 * MINUTE), Wall::Trusted, "put right");
        assert!(matches!(watch.look(9_005 * MINUTE, 5 * MINUTE), Wall::Jumped(_)));
        assert_eq!(watch.look(9_064 * MINUTE, 64 * MINUTE), Wall::Held);
        assert_eq!(
            watch.look(9_065 * MINUTE, 65 * MINUTE),
            Wall::Trusted,
            "it stayed for an hour: it is the time"
        );
    }

    #[test]
    fn a_jump_back_and_long_sleeps_of_the_looker_are_no_reason() {
        let mut watch = ClockWatch::new(1_000 * MINUTE, 0);
        assert_eq!(watch.look(10 * MINUTE, MINUTE), Wall::Trusted);
        assert_eq!(watch.look(5_010 * MINUTE, 5_001 * MINUTE), Wall::Trusted);
    }
}
