//! Where sightings and summaries come from. The binary implements these over the collector's queries and the broker.

use futures::future::BoxFuture;

use crate::{ProblemKind, Sightings, Summary};

/// Why a source could not answer. What it covers is then *unknown* in the answer, never zero.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct SourceError {
    /// What went wrong, for people.
    pub reason: String,
}

impl SourceError {
    /// A failure because of `reason`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Knows which services, consumer groups and pacticipants exist.
pub trait SightingSource: Send + Sync {
    /// Its name for people: `spans`, `kafka`, `broker`.
    fn name(&self) -> &str;
    /// Everything seen within the source's own retention.
    fn sightings(&self) -> BoxFuture<'_, Result<Sightings, SourceError>>;
}

/// Knows the present state of something that can be wrong.
pub trait SummarySource: Send + Sync {
    /// Its name for people: `breakers`, `kafka`, `broker`.
    fn name(&self) -> &str;
    /// The kinds of problems whose absence this source can vouch for. A kind that no source covers counts as unknown.
    fn covers(&self) -> &[ProblemKind];
    /// The present summaries, healthy ones included.
    fn summaries(&self) -> BoxFuture<'_, Result<Vec<Summary>, SourceError>>;
}

/// What one source answered, or why it did not.
#[derive(Debug, Clone)]
pub struct Gathered<T> {
    /// The source's name.
    pub source: String,
    /// What it vouches for (empty for sightings).
    pub covers: Vec<ProblemKind>,
    /// Its answer.
    pub answer: Result<T, SourceError>,
}

/// One sentence about the sources that did not answer; `None` when all did.
pub(crate) fn cut<T>(gathered: &[Gathered<T>]) -> Option<String> {
    let failed: Vec<String> = gathered
        .iter()
        .filter_map(|g| g.answer.as_ref().err().map(|e| format!("{} did not answer: {}", g.source, e.reason)))
        .collect();
    if failed.is_empty() { None } else { Some(failed.join("; ")) }
}
