//! Publishing a block in place of others.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::blocks::{EventBlock, open_block};
use super::leaving::{leave, sweep};
use super::state::Shared;
use crate::block::Block;
use crate::block::write::{self, NewBlock, publish};
use crate::red::RedBlock;

/// A block that is to go.
#[derive(Debug)]
pub(super) struct Old {
    id: String,
    dir: PathBuf,
    /// Queries that began before read it to their end.
    spans: Option<Arc<Block>>,
}

impl From<Arc<Block>> for Old {
    fn from(block: Arc<Block>) -> Self {
        Self { id: block.meta.id.clone(), dir: block.dir.clone(), spans: Some(block) }
    }
}

impl From<&EventBlock> for Old {
    fn from(block: &EventBlock) -> Self {
        Self { id: block.meta.id.clone(), dir: block.dir.clone(), spans: None }
    }
}

impl From<&RedBlock> for Old {
    fn from(block: &RedBlock) -> Self {
        Self { id: block.meta.id.clone(), dir: block.dir.clone(), spans: None }
    }
}

/// Publishes `new` in place of blocks; without one they just go. `false` when retention took one of them meanwhile: then
/// nothing is changed.
pub(super) fn replace(shared: &Shared, old: Vec<Old>, new: Option<NewBlock>) -> io::Result<bool> {
    let published = match new {
        Some(new) => {
            let id = ulid::Ulid::new().to_string();
            let new = NewBlock { replaces: old.iter().map(|block| block.id.clone()).collect(), ..new };
            Some(publish(&*shared.fs, &shared.dir, &shared.config.tenant, id, new)?)
        }
        None => None,
    };
    let is_old = |id: &str| old.iter().any(|block| block.id == id);
    {
        // One step: a query sees the old blocks or the new one.
        let mut state = shared.state.write();
        if state.blocks.metas().filter(|meta| is_old(&meta.id)).count() < old.len() {
            drop(state);
            return published.map_or(Ok(()), |(dir, _)| write::remove(&*shared.fs, &dir)).map(|()| false);
        }
        state.change_blocks(|blocks| {
            blocks.spans.retain(|block| !is_old(&block.meta.id));
            blocks.events.retain(|block| !is_old(&block.meta.id));
            blocks.red.retain(|block| !is_old(&block.meta.id));
        });
        if let Some((dir, meta)) = published {
            open_block(shared, &mut state, &dir, meta).map_err(io::Error::other)?;
        }
    }
    for Old { dir, spans, .. } in old {
        leave(shared, dir, spans);
    }
    sweep(shared);
    Ok(true)
}
