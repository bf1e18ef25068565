//! What can go wrong between a pipeline and the broker.

/// Why a pipeline step has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker did not answer. A gate that cannot be asked stays closed.
    #[error("the broker at {url} cannot be reached: {reason}")]
    Unreachable {
        /// Its address.
        url: String,
        /// What the connection said.
        reason: String,
    },
    /// The broker answered with an error.
    #[error("the broker refused {what} with status {status}: {detail}")]
    Refused {
        /// What was asked.
        what: String,
        /// HTTP status.
        status: u16,
        /// The broker's reason.
        detail: String,
    },
    /// The broker's answer was not understood.
    #[error("the broker's answer to {what} was not understood: {reason}")]
    Answer {
        /// What was asked.
        what: String,
        /// What was wrong with it.
        reason: String,
    },
    /// An argument or a file cannot be used.
    #[error("{0}")]
    Usage(String),
    /// A contract was to be verified and is not.
    #[error("{0}")]
    NotVerified(String),
    /// The verification itself could not run.
    #[error("the verification could not run: {0}")]
    Verification(String),
}

impl Error {
    /// The exit code of the command line: 2 for usage, 3 for a broker that cannot be reached, that lets nobody in, or is
    /// in no state to answer, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Unreachable { .. } => 3,
            Self::Refused { status, .. } if matches!(*status, 401 | 403 | 408 | 429 | 500..) => 3,
            _ => 1,
        }
    }
}
