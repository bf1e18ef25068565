//! Call durations over a rolling minute: log-linear buckets with four bits of precision, in a ring of atomic slices.

use std::sync::atomic::Ordering;

use super::window::Ring;

/// Buckets: 16 below 16 ms of one each, then 16 per power of two up to about 17 minutes.
const BUCKETS: usize = 16 * 17;
/// Complete slices that are summed.
const SLICES: usize = 6;

/// Durations in milliseconds.
#[derive(Debug)]
pub struct Latency {
    ring: Ring<BUCKETS>,
}

/// Mean and percentiles of the last complete minute, in whole milliseconds; all 0 when there was no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LatencySummary {
    /// The mean.
    pub mean_ms: u64,
    /// The values at [`PERCENTILES`].
    pub percentiles_ms: [u64; 9],
}

/// Where [`LatencySummary::percentiles_ms`] are taken, in tenths of a percent, with Hystrix's keys.
pub const PERCENTILES: [(&str, u64); 9] = [
    ("0", 0),
    ("25", 250),
    ("50", 500),
    ("75", 750),
    ("90", 900),
    ("95", 950),
    ("99", 990),
    ("99.5", 995),
    ("100", 1000),
];

fn bucket(ms: u64) -> usize {
    if ms < 16 {
        return ms as usize;
    }
    let exponent = ms.ilog2() as usize;
    let mantissa = (ms >> (exponent - 4)) as usize & 15;
    ((exponent - 3) * 16 + mantissa).min(BUCKETS - 1)
}

fn middle(bucket: usize) -> u64 {
    if bucket < 16 {
        return bucket as u64;
    }
    let (exponent, mantissa) = (bucket / 16 + 3, (bucket % 16) as u64);
    let width = 1u64 << (exponent - 4);
    ((16 + mantissa) << (exponent - 4)) + width / 2
}

impl Latency {
    /// Empty, with slices of `slice_ns` aligned to `now`.
    pub fn new(slice_ns: u64, now: u64) -> Self {
        Self { ring: Ring::new(slice_ns, now) }
    }

    /// Notes one duration.
    pub fn record(&self, now: u64, duration_ns: u64) {
        if let Some(slice) = self.ring.slice(now) {
            slice[bucket(duration_ns / 1_000_000)].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The summary of the complete slices. A pure read; values are within 1/32 of the true ones.
    pub fn summary(&self, now: u64) -> LatencySummary {
        let mut counts = [0u64; BUCKETS];
        for slice in self.ring.complete(now, SLICES) {
            for (count, value) in counts.iter_mut().zip(slice) {
                *count += u64::from(value.load(Ordering::Relaxed));
            }
        }
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return LatencySummary::default();
        }
        let sum: u64 = counts.iter().enumerate().map(|(at, count)| middle(at) * count).sum();
        let percentiles_ms = PERCENTILES.map(|(_, tenths)| {
            let rank = (total * tenths).div_ceil(1000).max(1);
            let mut seen = 0;
            let at = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            middle(at.unwrap_or(BUCKETS - 1))
        });
        LatencySummary { mean_ms: sum / total, percentiles_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_the_stated_precision() {
        let latency = Latency::new(10, 0);
        for ms in 1..=1000u64 {
            latency.record(5, ms * 1_000_000);
        }
        let summary = latency.summary(10);
        for ((_, tenths), value) in PERCENTILES.iter().zip(summary.percentiles_ms) {
            let exact = (*tenths).max(1) as f64;
            assert!((value as f64 - exact).abs() <= exact / 16.0 + 1.0, "{tenths}: {value}");
        }
        assert!((470..=530).contains(&summary.mean_ms));
        assert_eq!(latency.summary(100), LatencySummary::default(), "after a minute nothing is left");
    }

    #[test]
    fn buckets_are_monotonic_and_hold_their_middle() {
        for at in 0..BUCKETS - 1 {
            assert!(middle(at) < middle(at + 1));
            assert_eq!(bucket(middle(at)), at);
        }
        assert_eq!(bucket(u64::MAX / 2), BUCKETS - 1);
    }
}
