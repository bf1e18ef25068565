//! Why the store did not do what was asked.

use tracepact_base::ErrorKind;

/// A refusal or failure of the store. `kind` decides the status every dialect answers with.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct StoreError {
    /// The kind, one stable code each.
    pub kind: ErrorKind,
    /// What was wrong, where, and what to do; a lower-case fragment.
    pub reason: String,
    /// When to try again, for retryable kinds.
    pub retry_after_ms: Option<u64>,
}

impl StoreError {
    /// An error of `kind`.
    pub fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), retry_after_ms: kind.is_retryable().then_some(1_000) }
    }
}
