//! What is taken from senders, and what of it is hidden.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracepact_base::Secret;
use tracepact_model::redact::DEFAULT_PATTERNS;

/// What is taken from senders: receivers, sampling and limits. What exceeds a limit of a request or a trace is refused, what exceeds one of a span is cut and marked; both are counted under `tracepact_ingest_…`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ingest {
    /// `false`: `POST /api/v2/spans` and `/api/v1/spans` are not found.
    pub(crate) zipkin_http: bool,
    /// `false`: Zipkin's gRPC service `zipkin.proto3.SpanService` does not exist.
    pub(crate) zipkin_grpc: bool,
    /// Share of traces that are kept, decided by trace id as Zipkin's collectors do: 0.1 keeps one of ten.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) sample_rate: f64,
    /// Spans a second that Zipkin's debug flag keeps although sampling would leave them out.
    pub(crate) debug_spans_per_second_max: u32,
    /// Most bytes of a body as sent.
    #[schemars(range(min = 1_024, max = 268_435_456))]
    pub(crate) body_bytes_max: u64,
    /// Most bytes of a body once decompressed.
    #[schemars(range(min = 1_024, max = 268_435_456))]
    pub(crate) decompressed_bytes_max: u64,
    /// Most bytes of bodies between receipt and acknowledgement; beyond it senders are told to come again.
    #[schemars(range(min = 1_048_576, max = 4_294_967_296_u64))]
    pub(crate) in_flight_bytes_max: u64,
    /// Most spans of one request.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub(crate) spans_per_request_max: u64,
    /// Most spans of one trace. Further ones are refused, and a span in the trace says so.
    #[schemars(range(min = 1))]
    pub(crate) spans_per_trace_max: u32,
    /// Most attributes (tags) on one level of a span.
    #[schemars(range(min = 1, max = 65_536))]
    pub(crate) attributes_max: u64,
    /// Most events (annotations) of a span.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub(crate) events_max: u64,
    /// Most links of a span.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub(crate) links_max: u64,
    /// Longest text or value, in bytes.
    #[schemars(range(min = 16, max = 16_777_216))]
    pub(crate) value_bytes_max: u64,
    /// How far in the future a span may start. How far in the past it may is `retention.spans_days`.
    #[schemars(range(min = 1_000, max = 31_536_000_000_u64))]
    pub(crate) ahead_max_ms: u64,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            zipkin_http: true,
            zipkin_grpc: true,
            sample_rate: 1.0,
            debug_spans_per_second_max: 1_000,
            body_bytes_max: 16 << 20,
            decompressed_bytes_max: 64 << 20,
            in_flight_bytes_max: 256 << 20,
            spans_per_request_max: 100_000,
            spans_per_trace_max: 100_000,
            attributes_max: 512,
            events_max: 2_048,
            links_max: 2_048,
            value_bytes_max: 64 << 10,
            ahead_max_ms: 86_400_000,
        }
    }
}

/// Which values of spans are hidden before they are written anywhere.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Redaction {
    /// Keys whose values are hidden on every level of a span; `*` at either end matches anything, case does not matter. An empty list hides none.
    pub(crate) keys: Vec<String>,
    /// Whether values that look like secrets are hidden whatever their key: bearer tokens, JSON web tokens, keys of AWS, GitHub, Slack and Stripe, private keys, secrets in query strings, passwords in addresses.
    pub(crate) known_secrets: bool,
    /// Regular expressions of further values to hide; of one with a group `(?P<secret>…)` only the group.
    pub(crate) values: Vec<String>,
    /// What becomes of them: `mask` (`***`), `drop`, `hash` (keyed: equal values stay equal), `truncate` (the first characters stay).
    pub(crate) action: String,
    /// Characters that `truncate` leaves.
    #[schemars(range(min = 0, max = 64))]
    pub(crate) keep_chars: u64,
    /// Key of `hash`, at least 16 characters. Printed as `***`.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash_key: Option<Secret>,
    /// File that holds the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash_key_file: Option<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            keys: DEFAULT_PATTERNS.map(str::to_owned).to_vec(),
            known_secrets: true,
            values: Vec::new(),
            action: "mask".into(),
            keep_chars: 4,
            hash_key: None,
            hash_key_file: None,
        }
    }
}
