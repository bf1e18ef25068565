//! Writing a block: its files, each synced, then `meta.json`, then the directory. Only then does it exist.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::columns::{Sealed, to_batch};
use super::file::checksums;
use super::index;
use super::meta::{BlockMeta, FileMeta, Table};
use super::schema::{FORMAT_VERSION, schema};
use crate::fs::{Fs, create_dirs};
use crate::wire::Put;

const ROW_GROUP_ROWS: usize = 32_768;
/// Small pages: a trace is read by pages.
const PAGE_ROWS: usize = 1_024;
const DICTIONARY_BYTES_MAX: usize = 64 << 10;
const BATCH_ROWS: usize = 4_096;

/// What the caller knows of a new block.
#[derive(Debug, Clone)]
pub(crate) struct NewBlock {
    pub(crate) table: Table,
    pub(crate) day: String,
    pub(crate) first_lsn: u64,
    pub(crate) last_lsn: u64,
    pub(crate) rows: u64,
    pub(crate) traces: u64,
    pub(crate) min_ns: u64,
    pub(crate) max_ns: u64,
    pub(crate) index: Option<index::Sections>,
    pub(crate) files: Vec<(&'static str, Vec<u8>)>,
    /// Blocks that must not be read once this one is published.
    pub(crate) replaces: Vec<String>,
}

/// Rows of one day, sorted by trace and arrival, as files.
pub(crate) fn span_block(
    day: String,
    lsns: (u64, u64),
    rows: &[Sealed<'_>],
) -> Result<NewBlock, parquet::errors::ParquetError> {
    let (index, sections, traces) = index::build(rows);
    let parquet = write_parquet(rows)?;
    let mut sums = Vec::new();
    for bytes in [&parquet, &index] {
        let list = checksums(bytes);
        sums.put_u32(list.len() as u32);
        list.into_iter().for_each(|sum| sums.put_u32(sum));
    }
    let times = || rows.iter().filter_map(|sealed| sealed.row.start_ns);
    Ok(NewBlock {
        table: Table::Spans,
        day,
        first_lsn: lsns.0,
        last_lsn: lsns.1,
        rows: rows.len() as u64,
        traces: traces.len() as u64,
        min_ns: times().min().unwrap_or(0),
        max_ns: times().max().unwrap_or(0),
        index: Some(sections),
        files: vec![("spans.parquet", parquet), ("index.bin", index), ("sums.bin", sums)],
        replaces: Vec::new(),
    })
}

fn write_parquet(rows: &[Sealed<'_>]) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(format!("tracepact {}", env!("CARGO_PKG_VERSION")))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema(), Some(properties))?;
    for rows in rows.chunks(BATCH_ROWS) {
        writer.write(&to_batch(rows)?)?;
    }
    writer.into_inner()
}

/// Puts a block on disk and publishes it; it survives a power loss when this returns.
pub(crate) fn publish(
    fs: &dyn Fs,
    data_dir: &Path,
    tenant: &str,
    id: String,
    new: NewBlock,
) -> io::Result<(PathBuf, BlockMeta)> {
    let dir = create_dirs(fs, data_dir, &["data", tenant, new.table.dir(), &new.day, &id])?;
    let mut files = BTreeMap::new();
    for (name, bytes) in &new.files {
        write_synced(fs, &dir.join(name), bytes)?;
        files.insert((*name).to_owned(), FileMeta::of(bytes));
    }
    fs.sync_dir(&dir)?;
    let meta = BlockMeta {
        format_version: FORMAT_VERSION,
        writer: env!("CARGO_PKG_VERSION").to_owned(),
        table: new.table,
        id,
        day: new.day,
        first_lsn: new.first_lsn,
        last_lsn: new.last_lsn,
        rows: new.rows,
        traces: new.traces,
        min_ns: new.min_ns,
        max_ns: new.max_ns,
        files,
        index: new.index,
        replaces: new.replaces,
    };
    let json = meta.to_bytes().map_err(io::Error::other)?;
    let unfinished = dir.join("meta.json.new");
    write_synced(fs, &unfinished, &json)?;
    fs.rename(&unfinished, &dir.join("meta.json"))?;
    fs.sync_dir(&dir)?;
    Ok((dir, meta))
}

fn write_synced(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs.create(path)?;
    file.append(bytes)?;
    file.sync_data()
}

/// Removes a block: first what makes it one.
pub(crate) fn remove(fs: &dyn Fs, dir: &Path) -> io::Result<()> {
    let names = fs.list(dir)?;
    if names.iter().any(|name| name == "meta.json") {
        fs.remove(&dir.join("meta.json"))?;
        fs.sync_dir(dir)?;
    }
    for name in names.iter().filter(|name| *name != "meta.json") {
        fs.remove(&dir.join(name))?;
    }
    // Without a sync: what comes back after a power loss has no meta.json and goes at the next start.
    fs.remove_dir(dir)?;
    if let Some(parent) = dir.parent()
        && fs.list(parent)?.is_empty()
    {
        fs.remove_dir(parent)?;
    }
    Ok(())
}
