//! Fuzz targets of the parsers of network bytes that stand in this crate. Not part of the crate's promises.

use crate::{otlp_metrics, self_tracing};

/// A caller's trace context: ids that can be kept, or none; never a panic.
pub fn fuzz_context(data: &[u8]) {
    self_tracing::fuzz_context(data);
}

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
