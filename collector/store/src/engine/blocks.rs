//! Published blocks: finding them at start, and which log rows they already hold.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tracepact_base::Event;

use super::state::{Shared, State};
use super::tombstones::TombstoneBlock;
use crate::block::meta::MetaError;
use crate::block::{Block, BlockMeta, Table, write};
use crate::fs::{Fs, join, read_all};
use crate::red::RedBlock;
use crate::series_block::SeriesBlock;

/// Longest `meta.json`.
const META_BYTES_MAX: u64 = 1 << 20;
/// Longest block of events.
const EVENTS_BYTES_MAX: u64 = 256 << 20;
pub(super) const EVENTS_FILE: &str = "events.json.zst";

/// A block of events: its rows are in memory.
#[derive(Debug)]
pub(crate) struct EventBlock {
    pub(crate) meta: BlockMeta,
    pub(crate) dir: std::path::PathBuf,
}

/// All published blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocks {
    pub(crate) spans: Vec<Arc<Block>>,
    pub(crate) series: Vec<Arc<SeriesBlock>>,
    pub(crate) events: Vec<Arc<EventBlock>>,
    pub(crate) tombstones: Vec<Arc<TombstoneBlock>>,
    pub(crate) red: Vec<Arc<RedBlock>>,
}

impl Blocks {
    pub(crate) fn metas(&self) -> impl Iterator<Item = &BlockMeta> {
        let spans = self.spans.iter().map(|block| &block.meta);
        let series = self.series.iter().map(|block| &block.meta);
        let tombstones = self.tombstones.iter().map(|block| &block.meta);
        let red = self.red.iter().map(|block| &block.meta);
        spans.chain(series).chain(self.events.iter().map(|block| &block.meta)).chain(tombstones).chain(red)
    }

    /// The highest LSN in any block: it was durable once.
    pub(crate) fn last_lsn(&self) -> u64 {
        self.metas().map(|meta| meta.last_lsn).max().unwrap_or(0)
    }

    /// Whether a published block holds rows of this record (of this day, for spans).
    pub(crate) fn hold(&self, table: Table, lsn: u64, day: Option<&str>) -> bool {
        self.metas().any(|meta| {
            meta.table == table
                && (meta.first_lsn..=meta.last_lsn).contains(&lsn)
                && day.is_none_or(|day| day == meta.day)
        })
    }
}

/// Finds and opens all blocks; what is damaged is reported, what was never finished is removed.
pub(super) fn load(shared: &Shared) -> io::Result<()> {
    let base = join(&shared.dir, &["data", &shared.config.tenant]);
    let mut metas = Vec::new();
    for table in Table::ALL {
        let dir = base.join(table.dir());
        for day in shared.fs.list(&dir)? {
            for id in shared.fs.list(&dir.join(&day))? {
                let dir = join(&dir, &[&day, &id]);
                if shared.fs.list(&dir)?.iter().any(|name| name == "meta.json") {
                    let bytes = read_all(&*shared.fs, &dir.join("meta.json"), META_BYTES_MAX)?;
                    match BlockMeta::read(&bytes) {
                        Ok(meta) => metas.push((dir, meta)),
                        // Without its list, deleted traces would show; with a newer format, all of it is guesswork.
                        Err(error)
                            if table == Table::Tombstones || matches!(error, MetaError::Version(_)) =>
                        {
                            return Err(io::Error::other(format!("block {}: {error}", dir.display())));
                        }
                        Err(error) => lose(shared, table, &format!("{day}/{id}"), &error.to_string()),
                    }
                } else {
                    write::remove(&*shared.fs, &dir)?;
                }
            }
        }
    }
    let replaced: Vec<String> = metas.iter().flat_map(|(_, meta)| meta.replaces.clone()).collect();
    let mut state = shared.state.write();
    for (dir, meta) in metas {
        if replaced.contains(&meta.id) {
            write::remove(&*shared.fs, &dir)?;
        } else {
            let (table, name) = (meta.table, format!("{}/{}", meta.day, meta.id));
            if let Err(reason) = open_block(shared, &mut state, &dir, meta) {
                if table == Table::Tombstones {
                    return Err(io::Error::other(reason));
                }
                tracing::error!(dir = %dir.display(), %reason, "a block cannot be read");
                state.lost.push((table, name));
                shared.damage.lock().push(reason);
            }
        }
    }
    Ok(())
}

/// Notes that a block cannot be read at all.
fn lose(shared: &Shared, table: Table, name: &str, reason: &str) {
    let reason = format!("block {}/{name}: {reason}", table.dir());
    tracing::error!(%reason, "a block cannot be read");
    shared.damage.lock().push(reason);
    shared.state.write().lost.push((table, name.to_owned()));
}

/// Adds one block to the state.
pub(super) fn open_block(
    shared: &Shared,
    state: &mut State,
    dir: &Path,
    meta: BlockMeta,
) -> Result<(), String> {
    match meta.table {
        Table::Spans => {
            let block = Block::new(shared.fs.clone(), dir, meta);
            state.change_blocks(|blocks| blocks.spans.push(Arc::new(block)));
        }
        Table::Series => {
            let block = SeriesBlock::open(shared.fs.clone(), dir, meta).map_err(|error| error.reason)?;
            for run in block.runs() {
                if let Some(number) = state.series.number(&run.key, usize::MAX) {
                    state.series.note(number, run.last_ns, run.last_value);
                }
            }
            state.change_blocks(|blocks| blocks.series.push(Arc::new(block)));
        }
        Table::Events => {
            let events = read_events(&*shared.fs, dir, &meta)
                .map_err(|error| format!("{}: {error}", dir.display()))?;
            let tombstones = state.tombstones.clone();
            let kept = events.into_iter().filter(|event| !tombstones.hide_event(event, meta.last_lsn));
            state.events.insert(kept, shared.config.events_max);
            let block = EventBlock { meta, dir: dir.to_owned() };
            state.change_blocks(|blocks| blocks.events.push(Arc::new(block)));
        }
        Table::Red => {
            let block = RedBlock { meta, dir: dir.to_owned() };
            state.change_blocks(|blocks| blocks.red.push(Arc::new(block)));
        }
        Table::Tombstones => {
            let block = TombstoneBlock::open(&*shared.fs, dir, meta).map_err(|error| error.to_string())?;
            let mut tombstones = state.tombstones.as_ref().clone();
            block.marks.iter().for_each(|mark| tombstones.add(*mark));
            state.tombstones = Arc::new(tombstones);
            state.change_blocks(|blocks| blocks.tombstones.push(Arc::new(block)));
        }
    }
    Ok(())
}

/// The events of a block, checked.
pub(super) fn read_events(fs: &dyn Fs, dir: &Path, meta: &BlockMeta) -> io::Result<Vec<Event>> {
    let bytes = read_all(fs, &dir.join(EVENTS_FILE), EVENTS_BYTES_MAX)?;
    if meta.files.get(EVENTS_FILE).map(|file| file.crc32c) != Some(crc32c::crc32c(&bytes)) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the events are damaged"));
    }
    let json = zstd::stream::decode_all(&bytes[..])?;
    serde_json::from_slice(&json).map_err(io::Error::other)
}
