//! Request and result correlated by key: told apart are queued, late, lost, dead-lettered and duplicated messages.
//!
//! A verdict is a function of facts: which records were seen, what the group committed, what time it is. So the order
//! in which records of different topics arrive does not matter, and records may be shown twice (a replay after a restart).

mod entry;
mod tracker;
mod verdict_event;

pub use tracker::{FlowRules, FlowTracker, Record, VerdictChange};

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
    /// Every verdict.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Answered,
        Self::Queued,
        Self::Late,
        Self::Lost,
        Self::DeadLettered,
        Self::Duplicated,
    ];

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

    /// Whether somebody should hear of it: lost, late, dead-lettered or duplicated.
    pub fn is_news(self) -> bool {
        matches!(self, Self::Late | Self::Lost | Self::DeadLettered | Self::Duplicated)
    }
}
