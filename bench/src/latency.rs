//! Latencies of one kind of request.

use std::time::Duration;

/// All of them; benchmarks are short enough to keep each.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    all: Vec<Duration>,
}

impl Latency {
    pub(crate) fn add(&mut self, took: Duration) {
        self.all.push(took);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.all.extend(other.all);
    }

    /// The latency that a share of `q` of the requests did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, q: f64) -> f64 {
        let mut sorted = self.all.clone();
        sorted.sort();
        let index = ((sorted.len().saturating_sub(1)) as f64 * q).round() as usize;
        sorted.get(index).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3)
    }
}
