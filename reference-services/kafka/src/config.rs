//! The bounds and habits of one broker.

use std::time::Duration;

use tracepact_base::{SharedClock, SystemClock};

/// Settings of one broker. Every bound has a default that suits a demo on a laptop.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; port 0 lets the system choose. The address that is really bound is the advertised one.
    pub listen: String,
    /// Partitions of a topic that is created without a number.
    pub default_partitions: i32,
    /// Whether a metadata request or a produce may create a topic.
    pub auto_create_topics: bool,
    /// Bytes kept per partition (`retention.bytes` of a topic wins). The newest batch always stays.
    pub retention_bytes: u64,
    /// Age kept, by arrival (`retention.ms` of a topic wins). The newest batch always stays.
    pub retention_ms: u64,
    /// Bytes of record batches kept over all partitions. Beyond it the oldest batch of the whole broker is dropped, so
    /// producers never stall and a reader that was left behind sees its log start move, as with retention.
    pub memory_bytes_max: u64,
    /// Largest request accepted; a longer one ends the connection. A produced batch is bounded by it too.
    pub frame_bytes_max: u32,
    /// Connections served at once; one more is closed right after it was accepted.
    pub connections_max: usize,
    /// Topics × partitions at most; creating more answers POLICY_VIOLATION.
    pub partitions_max: usize,
    /// Consumer groups and members of a group at most; one more answers GROUP_MAX_SIZE_REACHED.
    pub group_members_max: usize,
    /// How long an empty group waits for further members before its first generation.
    pub initial_rebalance_delay: Duration,
    /// Shortest and longest session timeout a consumer may ask for.
    pub session_timeout: (Duration, Duration),
    /// How often sessions, join deadlines and retention are looked at.
    pub tick: Duration,
    /// Where arrival times come from.
    pub clock: SharedClock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            default_partitions: 6,
            auto_create_topics: true,
            retention_bytes: 8 << 20,
            retention_ms: 3_600_000,
            memory_bytes_max: 256 << 20,
            frame_bytes_max: 16 << 20,
            connections_max: 1_000,
            partitions_max: 10_000,
            group_members_max: 1_000,
            initial_rebalance_delay: Duration::from_millis(300),
            session_timeout: (Duration::from_millis(500), Duration::from_secs(1_800)),
            tick: Duration::from_millis(50),
            clock: SystemClock::shared(),
        }
    }
}
