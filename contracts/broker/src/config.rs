//! What the broker is told at start.

use std::path::PathBuf;

/// Settings of a [`crate::Broker`].
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// The SQLite file; created when missing. Its `-wal` and `-shm` stand beside it.
    pub database: PathBuf,
    /// The address clients reach the broker under, when it is not the one they connect to (a proxy, a path prefix):
    /// every link begins with it. Without a trailing slash.
    pub base_url: Option<String>,
    /// Believe `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix`. Only behind a proxy that sets them.
    pub trust_forwarded: bool,
    /// Let a version's contract change after it was published. Results of the gate are then not reliable.
    pub allow_contract_changes: bool,
}

impl BrokerConfig {
    /// The defaults, with the database at `database`.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            database: database.into(),
            base_url: None,
            trust_forwarded: false,
            allow_contract_changes: false,
        }
    }
}
