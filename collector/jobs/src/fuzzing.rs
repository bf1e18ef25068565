//! Entry for fuzzing what Kafka sends.

/// Reads `data` as answers of every kind, as record batches and as a member's assignment. Must never panic.
pub fn fuzz_kafka(data: &[u8]) {
    crate::kafka::fuzz(data);
}
