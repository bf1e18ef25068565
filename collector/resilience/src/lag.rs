//! Consumer lag: what offsets say, over time.
//!
//! The numbers of one moment are [`Numbers`]; a [`Ring`] of polls gives the verdict, by Burrow's rules applied to polls
//! instead of commits, because admin APIs carry no commit times; a [`TimeTable`] turns an offset into an age.

mod ring;
mod time_table;

pub use ring::{Poll, Ring, Rules};
pub use time_table::{Age, TimeTable};

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

/// What the offsets of one partition say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Records between commit (or log start, if later) and end; `None` without a commit.
    pub lag_messages: Option<i64>,
    /// Records removed before the group committed past them.
    pub lost_messages: i64,
    /// How far the commit lies beyond the end.
    pub ahead_messages: i64,
}

impl Numbers {
    /// The numbers for a group that committed `committed` of a log from `start` to `end`. Without a commit the lag is
    /// unknown, never 0. What lies below the log start cannot be read any more: it is lost, not lag.
    pub fn of(committed: Option<i64>, start: i64, end: i64) -> Self {
        let Some(committed) = committed else {
            return Self { lag_messages: None, lost_messages: 0, ahead_messages: 0 };
        };
        Self {
            lag_messages: Some(end.saturating_sub(committed.max(start)).max(0)),
            lost_messages: start.saturating_sub(committed).max(0),
            ahead_messages: committed.saturating_sub(end).max(0),
        }
    }
}

#[cfg(test)]
mod tests;
