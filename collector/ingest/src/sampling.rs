//! Which traces are kept: a boundary on the low 64 bits of the trace id, as Zipkin's collector draws it, so that every
//! part of a trace, whatever the width of its id, and every collector with the same rate decides alike.

use parking_lot::Mutex;

/// What becomes of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampled {
    /// Kept by its trace id.
    Kept,
    /// Kept because it has the debug flag.
    Debug,
    /// It has the debug flag, but too many had; its trace id did not keep it.
    DebugCapped,
    /// Left out by its trace id.
    Out,
}

/// The sampler of all receivers.
#[derive(Debug)]
pub struct Sampler {
    boundary: i64,
    debug: Mutex<Bucket>,
}

/// Spans with the debug flag that may still be kept, and since when that is so.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    left: f64,
    at_ns: u64,
}

impl Sampler {
    /// Keeps the share `rate` (0 to 1) of traces, and at most `debug_per_second` spans with the debug flag beside them.
    pub fn new(rate: f64, debug_per_second: u32) -> Self {
        // Zipkin computes in 32-bit floats: the same rate must give the same boundary.
        let boundary = (i64::MAX as f32 * rate.clamp(0.0, 1.0) as f32) as i64;
        let per_second = f64::from(debug_per_second);
        Self { boundary, debug: Mutex::new(Bucket { per_second, left: per_second, at_ns: 0 }) }
    }

    /// Whether everything is kept.
    pub fn keeps_all(&self) -> bool {
        self.boundary == i64::MAX
    }

    /// Whether the trace with this low half of its id is kept.
    pub fn keeps(&self, trace_low: u64) -> bool {
        let low = trace_low as i64;
        // The smallest number has no absolute value; Zipkin takes the largest for it.
        let distance = if low == i64::MIN { i64::MAX } else { low.abs() };
        distance <= self.boundary
    }

    /// Decides over one span at `monotonic_ns`.
    pub fn decide(&self, trace_low: u64, debug: bool, monotonic_ns: u64) -> Sampled {
        if self.keeps(trace_low) {
            return Sampled::Kept;
        }
        match debug {
            false => Sampled::Out,
            true if self.debug.lock().take(monotonic_ns) => Sampled::Debug,
            true => Sampled::DebugCapped,
        }
    }
}

impl Bucket {
    fn take(&mut self, now_ns: u64) -> bool {
        let seconds = now_ns.saturating_sub(self.at_ns) as f64 / 1e9;
        self.at_ns = self.at_ns.max(now_ns);
        self.left = (self.left + seconds * self.per_second).min(self.per_second);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(low: i64) -> u64 {
        low as u64
    }

    #[test]
    fn the_boundary_is_zipkins() {
        let half = Sampler::new(0.5, 0);
        let boundary = i64::MAX / 2 + 1;
        for (low, kept) in [
            (1, true),
            (-1, true),
            (boundary, true),
            (boundary + 1, false),
            (i64::MAX, false),
            (-boundary, true),
            (i64::MIN, false),
        ] {
            assert_eq!(half.keeps(id(low)), kept, "{low}");
        }
        let all = Sampler::new(1.0, 0);
        assert!(all.keeps_all() && all.keeps(id(i64::MIN)) && all.keeps(id(i64::MAX)));
        let none = Sampler::new(0.0, 0);
        assert!(!none.keeps(id(1)) && !none.keeps(id(i64::MIN)));
    }

    #[test]
    fn the_share_is_right() {
        let sampler = Sampler::new(0.25, 0);
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut kept = 0;
        for _ in 0..10_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            kept += u32::from(sampler.keeps(random));
        }
        assert!((2_300..2_700).contains(&kept), "{kept} of 10000");
    }

    #[test]
    fn debug_passes_until_its_own_rate_is_used_up() {
        let sampler = Sampler::new(0.0, 2);
        let decide = |at_s: u64| sampler.decide(id(9), true, at_s * 1_000_000_000);
        assert_eq!([decide(0), decide(0), decide(0)], [Sampled::Debug, Sampled::Debug, Sampled::DebugCapped]);
        assert_eq!([decide(1), decide(1), decide(1)], [Sampled::Debug, Sampled::Debug, Sampled::DebugCapped]);
        assert_eq!(sampler.decide(id(9), false, 5_000_000_000), Sampled::Out);
        // What is kept anyway uses nothing up.
        assert_eq!(Sampler::new(1.0, 0).decide(id(9), true, 0), Sampled::Kept);
    }
}
