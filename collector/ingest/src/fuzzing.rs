//! Fuzz target of the one parser of network bytes that stands in this crate. Not part of the crate's promises.

use crate::otlp_metrics;

/// OTLP metrics: points or a reason, never a panic; what is read is finite, bounded and not ahead of now.
pub fn fuzz_otlp_metrics(data: &[u8]) {
    const NOW_NS: u64 = 1_795_219_200_000_000_000;
    match otlp_metrics::read(data, NOW_NS) {
        Ok(read) => {
            assert!(read.points.iter().all(|point| point.value.is_finite() && point.at_ns <= NOW_NS));
            assert_eq!(read.rejected.total() == 0, read.rejected.message().is_empty());
        }
        Err(refusal) => assert!(!refusal.reason.is_empty()),
    }
}
