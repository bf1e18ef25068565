//! What every read carries and how every answer ends.

use std::time::Duration;

/// Bounds of one read. Dropping the returned future or stream cancels the work.
#[derive(Debug, Clone)]
pub struct ReadCtx {
    /// How long the read may take before it ends as [`Completeness::Cut`] or a deadline error.
    pub timeout: Duration,
    /// Most rows looked at.
    pub rows_max: u64,
    /// Most bytes read from blocks.
    pub bytes_max: u64,
    /// `false`: trace ids are looked up and grouped by their low 64 bits (Zipkin's `STRICT_TRACE_ID=false`).
    pub strict_trace_id: bool,
}

impl Default for ReadCtx {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(11),
            rows_max: 10_000_000,
            bytes_max: 1 << 30,
            strict_trace_id: true,
        }
    }
}

/// How an answer ended. Dialects must carry everything but `Complete` to the reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Completeness {
    /// Everything that matches is in the answer, up to the limit the caller asked for.
    #[default]
    Complete,
    /// A budget of the [`ReadCtx`] or of the store ended the read early.
    Cut {
        /// Which one, in words: `rows_max`, `bytes_max`, `timeout`.
        limit: String,
    },
    /// These blocks could not be read.
    Damaged {
        /// Their names.
        blocks: Vec<String>,
    },
}
