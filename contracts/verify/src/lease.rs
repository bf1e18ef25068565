//! A lease on an environment, as a deploying pipeline holds it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What would be deployed, by whom, and how long to wait for those before.
#[derive(Debug, Clone)]
pub struct LeaseWish {
    /// The pacticipant.
    pub pacticipant: String,
    /// Its version.
    pub version: String,
    /// Who deploys, for people who find the environment taken.
    pub holder: String,
    /// Without renewal the lease ends after this time; 5 to 600 seconds.
    pub life: Duration,
    /// How long to wait while somebody else deploys.
    pub wait: Duration,
}

impl LeaseWish {
    pub(crate) fn body(&self, wait: Duration) -> Value {
        json!({
            "pacticipant": self.pacticipant,
            "version": self.version,
            "holder": self.holder,
            "life_s": self.life.as_secs(),
            "wait_s": wait.as_secs(),
        })
    }
}

/// A lease that was got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Names it in the requests that renew it, end it and record under it.
    pub id: String,
    /// Grows with every holder of the environment.
    pub fence: i64,
    /// When it ends unless it is renewed, RFC 3339.
    pub expires_at: String,
}
