//! Request and result correlated by key: told apart are queued, late, lost, dead-lettered and duplicated messages.

use serde::{Deserialize, Serialize};

/// What became of a message.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MessageVerdict {
    /// Its answer is not due yet.
    Open,
    /// Answered within the window.
    Answered,
    /// Past the window, but the consumer's group has not committed past it: it is still in line.
    Queued,
    /// Answered after the window.
    Late,
    /// The group committed past it, the window passed, and there is neither result nor dead letter.
    Lost,
    /// Put into the dead-letter topic.
    DeadLettered,
    /// Requested or answered more than once.
    Duplicated,
}

impl MessageVerdict {
    /// Its name in JSON, labels and attributes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Queued => "queued",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::DeadLettered => "dead_lettered",
            Self::Duplicated => "duplicated",
        }
    }
}
