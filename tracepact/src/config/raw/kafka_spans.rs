//! Spans that are read from Kafka.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Spans from Kafka topics. Off unless `bootstrap` is set. Offsets are committed once the spans are durable; records that cannot be read are counted, kept in `data_dir/poison` and skipped.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KafkaSpans {
    /// `false`: not read, whatever else is set.
    pub(crate) enabled: bool,
    /// Brokers to begin with: `host:port`, several with commas. Unset: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bootstrap: Option<String>,
    /// Topics with Zipkin's encodings (v1 and v2 JSON, thrift, proto3), told apart record by record.
    pub(crate) zipkin_topics: Vec<String>,
    /// Topics with OTLP, protobuf or JSON.
    pub(crate) otlp_topics: Vec<String>,
    /// Consumer group.
    pub(crate) group: String,
    /// Members of the group in this process; they share the partitions.
    #[schemars(range(min = 1, max = 64))]
    pub(crate) consumers: u64,
    /// Most bytes that records which cannot be read may take on disk; the oldest go first.
    #[schemars(range(min = 65_536, max = 4_294_967_296_u64))]
    pub(crate) poison_bytes_max: u64,
    /// Days that records which cannot be read are kept.
    #[schemars(range(min = 1, max = 3_650))]
    pub(crate) poison_days: u64,
}

impl Default for KafkaSpans {
    fn default() -> Self {
        Self {
            enabled: true,
            bootstrap: None,
            zipkin_topics: vec!["zipkin".into()],
            otlp_topics: Vec::new(),
            group: "zipkin".into(),
            consumers: 1,
            poison_bytes_max: 16 << 20,
            poison_days: 7,
        }
    }
}
