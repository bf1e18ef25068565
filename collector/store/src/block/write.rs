//! Writing a block: its files, each synced, then `meta.json`, then the directory. Only then does it exist.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::file::checksums;
use super::meta::{BlockMeta, FileMeta, Table};
use super::schema::FORMAT_VERSION;
use super::sorted::Sorted;
use super::terms::TermBuilder;
use super::{columns, index, links};
use crate::fs::{Fs, create_dirs};
use crate::wire::Put;

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

/// Rows of one day as files.
pub(crate) fn span_block(
    day: String,
    lsns: (u64, u64),
    sorted: &Sorted<'_>,
) -> Result<NewBlock, parquet::errors::ParquetError> {
    let mut terms = TermBuilder::default();
    let (parquet, places) = columns::write(sorted, &mut terms)?;
    terms.rows(sorted);
    terms.finish();
    let (index, sections) = index::build(&sorted.traces, &terms, &places);
    let mut sums = Vec::new();
    for bytes in [&parquet, &index] {
        let list = checksums(bytes);
        sums.put_u32(list.len() as u32);
        list.into_iter().for_each(|sum| sums.put_u32(sum));
    }
    let mut files = vec![("spans.parquet", parquet), ("index.bin", index), ("sums.bin", sums)];
    // Without it links are computed from the rows.
    files.extend(links::write(sorted).map(|bytes| (links::FILE, bytes)));
    let (min_ns, max_ns) = sorted.window_ns();
    Ok(NewBlock {
        table: Table::Spans,
        day,
        first_lsn: lsns.0,
        last_lsn: lsns.1,
        rows: sorted.len() as u64,
        traces: sorted.traces.len() as u64,
        min_ns,
        max_ns,
        index: Some(sections),
        files,
        replaces: Vec::new(),
    })
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    use tracepact_base::{SpanId, TraceId};
    use tracepact_model::{Span, Value};

    use super::*;
    use crate::hot::Generation;

    fn span(trace: u128, id: u64, parent: Option<u64>) -> Span {
        let mut span = Span::new(TraceId::new(trace).unwrap(), SpanId::new(id).unwrap());
        span.parent_id = parent.and_then(SpanId::new);
        span.start_ns = Some(1_000 + id);
        span.local.service_name = Some("orders".into());
        span.name = format!("operation {}", id % 3).into();
        span.attributes = vec![
            ("order.id".into(), Value::String(format!("{id}").into())),
            ("attempt".into(), Value::Int(id as i64)),
        ];
        span
    }

    /// Guarantees: any Parquet reader reads a block, whatever page a row stands in.
    #[test]
    fn a_block_is_plain_parquet() {
        const ROWS: u64 = 3_000;
        let spans: Vec<Span> = (1..=ROWS)
            .map(|id| span(u128::from(id % 1_000 + 1), id, (id > 1_000).then(|| id - 1_000)))
            .collect();
        let generation = Generation::default();
        generation.push_spans(7, 9, &spans.into());
        let inner = generation.read();
        let sorted = Sorted::of(&inner, |_| true);
        let new = span_block("1970-01-01".to_owned(), (7, 7), &sorted).unwrap();
        assert_eq!((new.rows, new.traces, new.min_ns, new.max_ns), (ROWS, 1_000, 1_001, 1_000 + ROWS));
        let (_, bytes) = new.files.into_iter().find(|(name, _)| *name == "spans.parquet").unwrap();
        let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        let columns: Vec<String> = file
            .metadata()
            .file_metadata()
            .schema_descr()
            .columns()
            .iter()
            .map(|c| c.name().to_owned())
            .collect();
        let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
        let mut rows = 0;
        let mut before = 0;
        for row in file.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let id = row.get_ulong(at("span_id")).unwrap();
            let place = rows % 3;
            if place > 0 {
                assert_eq!(row.get_uint(at("parent_row")).unwrap(), place - 1);
                assert_eq!(id, before + 1_000);
            }
            assert_eq!(row.get_string(at("attributes.order.id")).unwrap(), &id.to_string());
            assert_eq!(row.get_string(at("attributes:i.attempt")).unwrap(), &id.to_string());
            assert_eq!(row.get_string(at("service")).unwrap(), "orders");
            assert_eq!(row.get_ulong(at("lsn")).unwrap(), 7);
            before = id;
            rows += 1;
        }
        assert_eq!(u64::from(rows), ROWS);
    }
}
