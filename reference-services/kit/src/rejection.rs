//! Why a call was not made or not waited for.

use std::time::Duration;

/// A refusal by one of the resilience parts; none of them says anything about this call's own work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The breaker is open.
    #[error("the circuit breaker {breaker} is open")]
    Open {
        /// Its name.
        breaker: String,
        /// When the next probe is due.
        retry_after: Duration,
    },
    /// Too many calls are running and waiting.
    #[error("the bulkhead {bulkhead} is full")]
    Full {
        /// Its name.
        bulkhead: String,
    },
    /// The call took longer than allowed.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

/// The result of a guarded call that has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// It was refused or given up.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It ran and failed.
    #[error("{0}")]
    Failed(E),
}

impl<E> CallError<E> {
    /// The call's own error, if it ran.
    pub fn failed(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Rejected(_) => None,
        }
    }
}
