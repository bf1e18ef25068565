//! The candidates for the layout of a block, written and read with the plain Parquet library on the same generated spans:
//! what each costs in CPU time, bytes and latency. The choice is in `docs/adr`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use arrow::array::{ArrayRef, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rustix::fs::{Advice, fadvise};
use tracepact_bench::generate;
use tracepact_model::columnar::Merged;
use tracepact_model::{Codec, DecodeLimits, SpanChunk, decode_chunk};

use crate::latency::Latency;
use crate::process;

/// Traces looked up in each layout.
const LOOKUPS: usize = 200;
/// Traces whose rows stand in one compressed piece of the side file.
const SIDE_TRACES: usize = 32;

#[derive(Clone, Copy)]
struct Layout {
    row_group: usize,
    page_rows: usize,
    dictionary: bool,
    parent_as_place: bool,
    resource_as_one: bool,
    zstd: i32,
}

const BASE: Layout = Layout {
    row_group: 131_072,
    page_rows: 1_024,
    dictionary: true,
    parent_as_place: true,
    resource_as_one: true,
    zstd: 1,
};

const LAYOUTS: [(&str, Layout); 10] = [
    ("base: groups of 128 k, pages of 1 k, dictionaries, parent by place, one resource, zstd 1", BASE),
    ("row groups of 32 k", Layout { row_group: 32_768, ..BASE }),
    ("row groups of 1 M", Layout { row_group: 1_048_576, ..BASE }),
    ("pages of 4 k rows", Layout { page_rows: 4_096, ..BASE }),
    ("pages of 20 k rows", Layout { page_rows: 20_000, ..BASE }),
    ("no dictionaries", Layout { dictionary: false, ..BASE }),
    ("parent by id", Layout { parent_as_place: false, ..BASE }),
    ("resource in columns", Layout { resource_as_one: false, ..BASE }),
    ("zstd 3", Layout { zstd: 3, ..BASE }),
    ("zstd 3 and pages of 4 k", Layout { zstd: 3, page_rows: 4_096, ..BASE }),
];

/// Rows sorted by trace, and where each trace starts.
struct Rows {
    chunk: SpanChunk,
    order: Vec<u32>,
    firsts: Vec<usize>,
}

/// Writes and reads every candidate.
pub(crate) fn run(spans: usize, per_request: usize, seed: u64) -> anyhow::Result<()> {
    let work = generate::requests(spans, per_request, seed);
    let mut merged = Merged::default();
    for body in work.bodies.iter() {
        merged.absorb(&decode_chunk(Codec::OtlpProto, body, &DecodeLimits::default())?.chunk);
    }
    let rows = sorted(merged.chunk().clone());
    let folder = tempfile::tempdir()?;
    println!("{spans} spans, {} traces", rows.firsts.len());
    println!(
        "| layout | CPU-s per M spans | bytes per span | by id, cold, p50 / p99, ms | a scan of 3 columns, ms |"
    );
    println!("|---|---|---|---|---|");
    for (name, layout) in LAYOUTS {
        measure(name, layout, &rows, folder.path())?;
    }
    side_file(&rows, folder.path())
}

fn sorted(chunk: SpanChunk) -> Rows {
    let mut order: Vec<u32> = (0..chunk.len() as u32).collect();
    order.sort_by_key(|row| (chunk.rows.trace_low[*row as usize], chunk.rows.trace_high[*row as usize]));
    let low = |row: &u32| chunk.rows.trace_low[*row as usize];
    let firsts = (0..order.len()).filter(|i| *i == 0 || low(&order[*i]) != low(&order[*i - 1])).collect();
    Rows { chunk, order, firsts }
}

fn measure(name: &str, layout: Layout, rows: &Rows, folder: &Path) -> anyhow::Result<()> {
    let pid = std::process::id();
    let path = folder.join("rows.parquet");
    let before = process::cpu_s(pid)?;
    write(&path, layout, rows)?;
    let cpu = process::cpu_s(pid)? - before;
    let bytes = std::fs::metadata(&path)?.len();
    let million = rows.order.len() as f64 / 1e6;
    let latency = lookups(&path, rows)?;
    let scan = scan(&path)?;
    println!(
        "| {name} | {:.2} | {:.1} | {:.2} / {:.2} | {scan:.1} |",
        cpu / million,
        bytes as f64 / rows.order.len() as f64,
        latency.quantile_ms(0.5),
        latency.quantile_ms(0.99),
    );
    Ok(())
}

fn columns(layout: Layout, rows: &Rows, part: &[u32], first: usize) -> anyhow::Result<RecordBatch> {
    let chunk = &rows.chunk;
    let at = |row: &u32| *row as usize;
    let numbers =
        |of: &[u64]| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(part.iter().map(|r| of[at(r)]))) };
    let texts = |of: &dyn Fn(usize) -> u32| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(part.iter().map(|r| chunk.texts.get(of(at(r))))))
    };
    let id = |row: &u32| {
        (u128::from(chunk.rows.trace_high[at(row)]) << 64 | u128::from(chunk.rows.trace_low[at(row)]))
            .to_be_bytes()
    };
    let mut list: Vec<(String, ArrayRef)> = vec![
        ("trace_id".into(), Arc::new(FixedSizeBinaryArray::try_from_iter(part.iter().map(id))?)),
        ("span_id".into(), numbers(&chunk.rows.span_id)),
        ("start_ns".into(), numbers(&chunk.rows.start_ns)),
        ("duration_ns".into(), numbers(&chunk.rows.duration_ns)),
        ("name".into(), texts(&|row| chunk.rows.name[row])),
        ("service".into(), texts(&|row| chunk.endpoints[chunk.rows.local[row] as usize].service)),
        ("events".into(), texts(&|row| chunk.rows.events[row])),
    ];
    if layout.parent_as_place {
        let places = (first..first + part.len()).map(|i| parent_place(rows, i));
        list.push(("parent_row".into(), Arc::new(UInt32Array::from_iter(places))));
    } else {
        list.push(("parent_id".into(), numbers(&chunk.rows.parent_id)));
    }
    let shape = chunk.shapes.iter().max_by_key(|shape| shape.len()).context("no attributes")?;
    for (slot, key) in shape.iter().enumerate() {
        let value =
            |row: usize| chunk.values.get(chunk.rows.values_at[row] as usize + slot).copied().unwrap_or(0);
        list.push((chunk.texts.get(key.text()).to_owned(), texts(&value)));
    }
    let origin = |row: usize| &chunk.origins[chunk.rows.origin[row] as usize];
    if layout.resource_as_one {
        list.push(("resource".into(), texts(&|row| origin(row).resource)));
    } else {
        let tags = chunk.origins.iter().map(|origin| origin.tags.len()).max().unwrap_or(0);
        for tag in 0..tags {
            let value = |row: usize| origin(row).tags.get(tag).map_or(0, |(_, value)| *value);
            list.push((format!("resource_{tag}"), texts(&value)));
        }
    }
    // Whether a column has nulls must not depend on the rows at hand.
    let nullable = list.into_iter().map(|(name, column)| {
        let may_be_null = name == "parent_row";
        (name, column, may_be_null)
    });
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}

/// The parent of the row at `i` in the order of the file, counted from the first row of its trace.
fn parent_place(rows: &Rows, i: usize) -> Option<u32> {
    let columns = &rows.chunk.rows;
    let parent = columns.parent_id[rows.order[i] as usize];
    let trace = rows.firsts.partition_point(|first| *first <= i) - 1;
    let end = rows.firsts.get(trace + 1).copied().unwrap_or(rows.order.len());
    let place = rows.order[rows.firsts[trace]..end]
        .iter()
        .position(|row| columns.span_id[*row as usize] == parent)?;
    u32::try_from(place).ok()
}

fn write(path: &Path, layout: Layout, rows: &Rows) -> anyhow::Result<()> {
    const BATCH: usize = 16_384;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(layout.zstd)?))
        .set_max_row_group_row_count(Some(layout.row_group))
        .set_data_page_row_count_limit(layout.page_rows)
        .set_write_batch_size(layout.page_rows.min(1_024))
        .set_dictionary_enabled(layout.dictionary)
        .set_dictionary_page_size_limit(64 << 10)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .build();
    let first = columns(layout, rows, &rows.order[..1], 0)?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, first.schema(), Some(properties))?;
    for (i, part) in rows.order.chunks(BATCH).enumerate() {
        writer.write(&columns(layout, rows, part, i * BATCH)?)?;
    }
    writer.close()?;
    Ok(())
}

/// Drops a file from the page cache.
fn evict(file: &File) -> anyhow::Result<()> {
    file.sync_all()?;
    fadvise(file, 0, None, Advice::DontNeed)?;
    Ok(())
}

fn lookups(path: &Path, rows: &Rows) -> anyhow::Result<Latency> {
    let file = File::open(path)?;
    let options = ArrowReaderOptions::new()
        .with_column_index_policy(PageIndexPolicy::Skip)
        .with_offset_index_policy(PageIndexPolicy::Required);
    let metadata = ArrowReaderMetadata::load(&file, options)?;
    let mut latency = Latency::default();
    for trace in (0..rows.firsts.len()).step_by((rows.firsts.len() / LOOKUPS).max(1)) {
        let (first, end) =
            (rows.firsts[trace], rows.firsts.get(trace + 1).copied().unwrap_or(rows.order.len()));
        evict(&file)?;
        let begun = Instant::now();
        let selection = RowSelection::from(vec![RowSelector::skip(first), RowSelector::select(end - first)]);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone()?, metadata.clone())
            .with_row_selection(selection)
            .build()?;
        let found: usize = reader.map(|batch| batch.map_or(0, |batch| batch.num_rows())).sum();
        latency.add(begun.elapsed());
        anyhow::ensure!(found == end - first, "{found} rows of {}", end - first);
    }
    Ok(latency)
}

fn scan(path: &Path) -> anyhow::Result<f64> {
    let file = File::open(path)?;
    evict(&file)?;
    let begun = Instant::now();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["service", "name", "duration_ns"]);
    let rows: usize =
        builder.with_projection(mask).build()?.map(|batch| batch.map_or(0, |b| b.num_rows())).sum();
    anyhow::ensure!(rows > 0, "nothing was read");
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

/// Whole rows beside the columns, some traces in each compressed piece.
fn side_file(rows: &Rows, folder: &Path) -> anyhow::Result<()> {
    let pid = std::process::id();
    let path = folder.join("side");
    let before = process::cpu_s(pid)?;
    let (mut out, mut pieces) = (Vec::new(), Vec::new());
    for traces in rows.firsts.chunks(SIDE_TRACES) {
        let end = rows.firsts.get(rows.firsts.partition_point(|f| *f <= traces[traces.len() - 1]));
        let mut raw = Vec::new();
        for row in &rows.order[traces[0]..end.copied().unwrap_or(rows.order.len())] {
            let (row, columns) = (*row as usize, &rows.chunk.rows);
            for number in [
                columns.span_id[row],
                columns.parent_id[row],
                columns.start_ns[row],
                columns.duration_ns[row],
            ] {
                raw.extend_from_slice(&number.to_le_bytes());
            }
            for (key, value) in rows.chunk.attributes(row) {
                raw.extend_from_slice(&key.text().to_le_bytes());
                raw.extend_from_slice(rows.chunk.texts.get(value).as_bytes());
                raw.push(0);
            }
        }
        let at = out.len();
        out.extend_from_slice(&zstd::bulk::compress(&raw, 1)?);
        pieces.push((at, out.len() - at, raw.len()));
    }
    std::fs::write(&path, &out)?;
    let cpu = process::cpu_s(pid)? - before;
    let file = File::open(&path)?;
    let mut latency = Latency::default();
    for (at, len, raw) in pieces.iter().step_by((pieces.len() / LOOKUPS).max(1)) {
        evict(&file)?;
        let begun = Instant::now();
        let mut bytes = vec![0; *len];
        file.read_exact_at(&mut bytes, *at as u64)?;
        std::hint::black_box(zstd::bulk::decompress(&bytes, *raw)?);
        latency.add(begun.elapsed());
    }
    println!(
        "| beside any of these: whole rows in pieces of {SIDE_TRACES} traces | {:.2} | {:.1} | {:.2} / {:.2} | |",
        cpu / (rows.order.len() as f64 / 1e6),
        out.len() as f64 / rows.order.len() as f64,
        latency.quantile_ms(0.5),
        latency.quantile_ms(0.99),
    );
    Ok(())
}
