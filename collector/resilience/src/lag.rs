//! Consumer lag: what offsets say, over time.

use serde::{Deserialize, Serialize};

/// How a group does with a partition, worst last.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It keeps up, or was caught up within the last minutes.
    Ok,
    /// Not enough is known: never committed, or its coordinator did not answer.
    Unknown,
    /// It commits, and its lag never shrinks.
    Warn,
    /// It lives, lags and does not move.
    Stall,
    /// Nobody reads, and there is something to read.
    Stop,
    /// Its committed offset went back and did not return.
    Rewind,
}

impl Verdict {
    /// Its name in JSON and attributes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Stall => "stall",
            Self::Stop => "stop",
            Self::Rewind => "rewind",
        }
    }
}
