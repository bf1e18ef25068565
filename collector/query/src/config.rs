//! Bounds of what is asked.

use std::time::Duration;

use tracepact_store::ReadCtx;

/// Settings of the readers.
#[derive(Debug, Clone)]
pub struct QueryConfig {
    /// How far back names are looked for, and traces when the question names no window (`QUERY_LOOKBACK`).
    pub lookback: Duration,
    /// How long one question may take (`QUERY_TIMEOUT`).
    pub timeout: Duration,
    /// `false`: trace ids are compared by their low 64 bits (`STRICT_TRACE_ID=false`).
    pub strict_trace_id: bool,
    /// Tag keys offered for completion by Zipkin's API (`AUTOCOMPLETE_KEYS`); empty: all that were seen.
    pub autocomplete_keys: Vec<String>,
    /// `false`: no question about traces is answered (`QUERY_ENABLED=false`).
    pub enabled: bool,
    /// `false`: traces are found by id only, and names are not told (`SEARCH_ENABLED=false`).
    pub search_enabled: bool,
    /// Most rows that one question looks at.
    pub rows_max: u64,
    /// Most bytes that one question reads from disk.
    pub read_bytes_max: u64,
    /// Most names in one answer.
    pub names_max: usize,
    /// Most traces in one answer.
    pub traces_max: usize,
    /// Most spans of one trace in the native answer.
    pub spans_max: usize,
    /// Most bytes of one answer.
    pub answer_bytes_max: usize,
    /// Most points in one answer.
    pub points_max: usize,
    /// Share of traces that the receivers keep, told beside counts of all.
    pub sample_rate: f64,
    /// Most clients listening for news at once.
    pub listeners_max: usize,
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            lookback: Duration::from_secs(24 * 3_600),
            timeout: Duration::from_secs(11),
            strict_trace_id: true,
            autocomplete_keys: Vec::new(),
            enabled: true,
            search_enabled: true,
            rows_max: 10_000_000,
            read_bytes_max: 1 << 30,
            names_max: 10_000,
            traces_max: 5_000,
            spans_max: 50_000,
            answer_bytes_max: 64 << 20,
            points_max: 200_000,
            sample_rate: 1.0,
            listeners_max: 256,
        }
    }
}

impl QueryConfig {
    pub(crate) fn ctx(&self) -> ReadCtx {
        ReadCtx {
            timeout: self.timeout,
            rows_max: self.rows_max,
            bytes_max: self.read_bytes_max,
            strict_trace_id: self.strict_trace_id,
        }
    }
}
