//! Encoded columns as a Parquet file of one row group, and where every page of it stands: readers of a block go there
//! directly, others read the file as any Parquet.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{
    Compression, Encoding, LogicalType, PageType, Repetition, Type as ParquetType, ZstdLevel,
};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::Type;

use super::encode::{Encoded, Physical};
use super::hybrid::{put_varint, take_varint};
use crate::wire::{Malformed, Put, Take};

type Result<T, E = ParquetError> = std::result::Result<T, E>;

/// The level at which pages are compressed: see the measurements of layouts.
const ZSTD_LEVEL: i32 = 1;

/// Where the bytes of a page stand in the file, behind its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PagePlace {
    pub(crate) at: u64,
    pub(crate) len: u32,
    /// Decompressed.
    pub(crate) raw_len: u32,
    /// First row, or the number of values of a dictionary.
    pub(crate) first_row: u32,
}

/// Where a column stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnPlace {
    pub(crate) name: String,
    pub(crate) physical: Physical,
    pub(crate) optional: bool,
    pub(crate) compressed: bool,
    pub(crate) dictionary: Option<PagePlace>,
    pub(crate) pages: Vec<PagePlace>,
}

/// What a column is called and holds, before its rows are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnSpec {
    pub(crate) name: String,
    pub(crate) physical: Physical,
    pub(crate) optional: bool,
}

fn schema_type(spec: &ColumnSpec) -> Result<Type> {
    let physical = match spec.physical {
        Physical::U64 => ParquetType::INT64,
        Physical::U32 => ParquetType::INT32,
        Physical::Id16 => ParquetType::FIXED_LEN_BYTE_ARRAY,
        Physical::Text => ParquetType::BYTE_ARRAY,
    };
    let logical = match spec.physical {
        Physical::U64 => Some(LogicalType::integer(64, false)),
        Physical::U32 => Some(LogicalType::integer(32, false)),
        Physical::Id16 => None,
        Physical::Text => Some(LogicalType::String),
    };
    let repetition = if spec.optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let length = if spec.physical == Physical::Id16 { 16 } else { 0 };
    Type::primitive_type_builder(&spec.name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical)
        .with_length(length)
        .build()
}

/// Writes a file of one row group: `encode` gives the columns of `specs` one after the other.
pub(crate) fn write(
    specs: Vec<ColumnSpec>,
    rows: usize,
    encode: impl FnMut(usize) -> Encoded,
) -> Result<(Vec<u8>, Vec<ColumnPlace>)> {
    let mut file = begin(Vec::new(), &specs)?;
    let places = write_group(&mut file, specs, rows, encode)?;
    Ok((file.into_inner()?, places))
}

/// Begins a file with these columns.
pub(crate) fn begin<W: Write + Send>(out: W, specs: &[ColumnSpec]) -> Result<SerializedFileWriter<W>> {
    let fields = specs.iter().map(|spec| schema_type(spec).map(Arc::new)).collect::<Result<Vec<_>>>()?;
    let schema = Arc::new(Type::group_type_builder("span").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_created_by(format!("tracepact {}", env!("CARGO_PKG_VERSION")))
        .build();
    SerializedFileWriter::new(out, schema, Arc::new(properties))
}

/// Appends a row group: `encode` gives the columns, which are those the file was begun with.
pub(crate) fn write_group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    specs: Vec<ColumnSpec>,
    rows: usize,
    mut encode: impl FnMut(usize) -> Encoded,
) -> Result<Vec<ColumnPlace>> {
    let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
    let mut places = Vec::with_capacity(specs.len());
    let columns = file.schema_descr().columns().to_vec();
    let mut group = file.next_row_group()?;
    for (i, spec) in specs.into_iter().enumerate() {
        let column = encode(i);
        if (column.physical, column.optional) != (spec.physical, spec.optional) {
            return Err(ParquetError::General(format!("column {} is not as its schema says", spec.name)));
        }
        let descr = columns
            .get(i)
            .ok_or_else(|| ParquetError::General("more columns than the schema has".to_owned()))?;
        let (bytes, place, close) = write_column(descr, spec, rows, column, &mut zstd)?;
        group.append_column(&bytes, close)?;
        places.push(place);
    }
    let written = group.close()?;
    for (place, chunk) in places.iter_mut().zip(written.columns()) {
        let base = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
        let base = u64::try_from(base).map_err(|_| ParquetError::General("a negative offset".to_owned()))?;
        place.dictionary.iter_mut().chain(&mut place.pages).for_each(|page| page.at += base);
    }
    Ok(places)
}

fn write_column(
    descr: &parquet::schema::types::ColumnDescPtr,
    spec: ColumnSpec,
    rows: usize,
    column: Encoded,
    zstd: &mut zstd::bulk::Compressor<'_>,
) -> Result<(Bytes, ColumnPlace, ColumnCloseResult)> {
    let mut out = TrackedWrite::new(Vec::new());
    let compressed = column.compress;
    let mut raw_bytes = 0i64;
    let mut packed = |bytes: Vec<u8>| -> Result<(Bytes, usize)> {
        let raw_len = bytes.len();
        raw_bytes += raw_len as i64;
        let bytes = if compressed { zstd.compress(&bytes)? } else { bytes };
        Ok((bytes.into(), raw_len))
    };
    let mut place = |page: Page, raw_len: usize, first_row: u32, len: usize| -> Result<PagePlace> {
        SerializedPageWriter::new(&mut out).write_page(CompressedPage::new(page, raw_len))?;
        let at = (out.bytes_written() - len) as u64;
        Ok(PagePlace { at, len: len as u32, raw_len: raw_len as u32, first_row })
    };
    let coded = column.dictionary.is_some();
    let mut dictionary = None;
    if let Some((bytes, count)) = column.dictionary {
        let (buf, raw_len) = packed(bytes)?;
        let len = buf.len();
        let page =
            Page::DictionaryPage { buf, num_values: count, encoding: Encoding::PLAIN, is_sorted: false };
        debug_assert_eq!(page.page_type(), PageType::DICTIONARY_PAGE);
        dictionary = Some(place(page, raw_len, count, len)?);
    }
    let mut pages = Vec::with_capacity(column.pages.len());
    for page in column.pages {
        let (buf, raw_len) = packed(page.bytes)?;
        let len = buf.len();
        let data = Page::DataPage {
            buf,
            num_values: page.rows,
            encoding: if coded { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN },
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        pages.push(place(data, raw_len, page.first_row, len)?);
    }
    let bytes = Bytes::from(out.into_inner()?);
    let len = bytes.len() as i64;
    // Headers are not compressed and count on both sides.
    let stored: i64 = dictionary.iter().chain(&pages).map(|page: &PagePlace| i64::from(page.len)).sum();
    let first_data = match (&dictionary, pages.first()) {
        // The first data page's header follows the dictionary.
        (Some(dictionary), _) => dictionary.at as i64 + i64::from(dictionary.len),
        (None, _) => 0,
    };
    let encodings = if coded {
        vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY]
    } else {
        vec![Encoding::PLAIN, Encoding::RLE]
    };
    let compression = if compressed {
        Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?)
    } else {
        Compression::UNCOMPRESSED
    };
    let metadata = ColumnChunkMetaData::builder(descr.clone())
        .set_compression(compression)
        .set_encodings(encodings)
        .set_num_values(rows as i64)
        .set_total_compressed_size(len)
        .set_total_uncompressed_size(len - stored + raw_bytes)
        .set_data_page_offset(first_data)
        .set_dictionary_page_offset(dictionary.map(|_| 0))
        .build()?;
    let close = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: rows as u64,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    let ColumnSpec { name, physical, optional } = spec;
    Ok((bytes, ColumnPlace { name, physical, optional, compressed, dictionary, pages }, close))
}

/// Appends the places of all columns to an index.
pub(crate) fn put_places(columns: &[ColumnPlace], out: &mut Vec<u8>) {
    put_varint(columns.len() as u64, out);
    for column in columns {
        out.put_text(&column.name);
        let bits = column.physical as u8
            | u8::from(column.optional) << 2
            | u8::from(column.compressed) << 3
            | u8::from(column.dictionary.is_some()) << 4;
        out.push(bits);
        put_varint(column.pages.len() as u64, out);
        let (mut end, mut row) = (0, 0);
        for (i, page) in column.dictionary.iter().chain(&column.pages).enumerate() {
            put_varint(page.at - end, out);
            put_varint(u64::from(page.len), out);
            put_varint(u64::from(page.raw_len), out);
            let is_dictionary = i == 0 && column.dictionary.is_some();
            put_varint(u64::from(page.first_row - if is_dictionary { 0 } else { row }), out);
            end = page.at + u64::from(page.len);
            row = if is_dictionary { 0 } else { page.first_row };
        }
    }
}

/// The places that [`put_places`] wrote.
pub(crate) fn take_places(bytes: &[u8]) -> Result<Vec<ColumnPlace>, Malformed> {
    const BAD: Malformed = Malformed("the list of its columns cannot be read");
    let small = |value: u64| u32::try_from(value).map_err(|_| BAD);
    let mut rest = bytes;
    let count = take_varint(&mut rest)?;
    let mut columns = Vec::new();
    for _ in 0..count {
        let mut take = Take(rest);
        let name = take.text()?.to_owned();
        let bits = take.u8()?;
        rest = take.0;
        let pages = take_varint(&mut rest)?;
        let with_dictionary = bits & 16 != 0;
        let (mut end, mut row) = (0u64, 0u32);
        let mut places = Vec::new();
        for i in 0..pages.checked_add(u64::from(with_dictionary)).ok_or(BAD)? {
            let at = end.checked_add(take_varint(&mut rest)?).ok_or(BAD)?;
            let (len, raw_len) = (small(take_varint(&mut rest)?)?, small(take_varint(&mut rest)?)?);
            let more = small(take_varint(&mut rest)?)?;
            let is_dictionary = i == 0 && with_dictionary;
            let first_row = if is_dictionary { more } else { row.checked_add(more).ok_or(BAD)? };
            places.push(PagePlace { at, len, raw_len, first_row });
            end = at.checked_add(u64::from(len)).ok_or(BAD)?;
            row = if is_dictionary { 0 } else { first_row };
        }
        let dictionary = with_dictionary.then(|| places.remove(0));
        columns.push(ColumnPlace {
            name,
            physical: Physical::from_number(bits & 3).ok_or(BAD)?,
            optional: bits & 4 != 0,
            compressed: bits & 8 != 0,
            dictionary,
            pages: places,
        });
    }
    Ok(columns)
}
