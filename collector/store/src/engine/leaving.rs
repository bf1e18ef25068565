//! Blocks that are no part of the store any more and whose files go once no query reads them.

use std::path::PathBuf;
use std::sync::Arc;

use super::state::Shared;
use crate::block::{Block, write};

/// A block on its way out.
#[derive(Debug)]
pub(crate) struct Leaving {
    dir: PathBuf,
    /// Queries that began before hold the block as well.
    spans: Option<Arc<Block>>,
}

/// Marks a block for removal: it is no longer in the set that new queries see.
pub(super) fn leave(shared: &Shared, dir: PathBuf, spans: Option<Arc<Block>>) {
    shared.leaving.lock().push(Leaving { dir, spans });
}

/// Removes the files of blocks that nobody reads any more; `true` when none is left.
pub(super) fn sweep(shared: &Shared) -> bool {
    let mut leaving = shared.leaving.lock();
    leaving.retain(|block| {
        if block.spans.as_ref().is_some_and(|spans| Arc::strong_count(spans) > 1) {
            return true;
        }
        // What stays behind without its meta.json is removed at the next start; what keeps it is tried again.
        write::remove(&*shared.fs, &block.dir)
            .inspect_err(
                |error| tracing::warn!(block = %block.dir.display(), %error, "a block could not be removed"),
            )
            .is_err()
    });
    leaving.is_empty()
}
