//! Which of our own requests are traced: a share of them, or so many a second.

use parking_lot::Mutex;
use tracepact_base::SharedClock;

use super::SelfTracing;

const SECOND_NS: u64 = 1_000_000_000;

/// Decides for each request.
#[derive(Debug)]
pub(super) struct Sampler {
    settings: SelfTracing,
    /// The second, and how many were taken in it.
    taken: Mutex<(u64, u64)>,
}

impl Sampler {
    pub(super) fn new(settings: SelfTracing) -> Self {
        Self { settings, taken: Mutex::new((0, 0)) }
    }

    pub(super) fn sample(&self, clock: &SharedClock) -> bool {
        let SelfTracing { sample_rate, traces_per_second } = self.settings;
        if sample_rate < 1.0 {
            return rand::random::<f64>() < sample_rate;
        }
        if traces_per_second == 0 {
            return true;
        }
        let second = clock.monotonic_ns() / SECOND_NS;
        let mut taken = self.taken.lock();
        if taken.0 != second {
            *taken = (second, 0);
        }
        taken.1 += 1;
        taken.1 <= traces_per_second
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracepact_base::ManualClock;

    use super::*;

    fn taken(sampler: &Sampler, clock: &SharedClock) -> usize {
        (0..1_000).filter(|_| sampler.sample(clock)).count()
    }

    #[test]
    fn so_many_a_second_or_a_share() {
        let manual = ManualClock::at(5 * SECOND_NS);
        let clock: SharedClock = manual.clone() as Arc<_>;
        let limited = Sampler::new(SelfTracing { sample_rate: 1.0, traces_per_second: 3 });
        assert_eq!(taken(&limited, &clock), 3);
        manual.advance_ns(SECOND_NS);
        assert_eq!(taken(&limited, &clock), 3);
        let all = Sampler::new(SelfTracing { sample_rate: 1.0, traces_per_second: 0 });
        assert_eq!(taken(&all, &clock), 1_000);
        let none = Sampler::new(SelfTracing { sample_rate: 0.0, traces_per_second: 9 });
        assert_eq!(taken(&none, &clock), 0);
        let half = taken(&Sampler::new(SelfTracing { sample_rate: 0.5, traces_per_second: 1 }), &clock);
        assert!((300..700).contains(&half), "{half}");
    }
}
