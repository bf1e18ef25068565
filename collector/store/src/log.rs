//! The log: what was acknowledged stands here before the acknowledgement leaves.
//!
//! Spans, points and events share one sequence of records. A dedicated thread writes and syncs them in groups.

pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod segment;
pub(crate) mod writer;

pub(crate) use record::{Record, Table};
pub(crate) use replay::replay;
pub(crate) use writer::{Applied, Job, Log, Payload};
