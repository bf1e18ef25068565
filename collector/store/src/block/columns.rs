//! Rows of a chunk to the columns of a block. Codes are written as they are; a text is looked at once for each column.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use foldhash::fast::RandomState;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use tracepact_model::columnar::{Key, NO_DURATION, ValueType};
use tracepact_model::{Kind, Source, SpanChunk, StatusCode};

use super::encode::{
    DICTIONARY_BYTES_MAX, Encoded, NULL, Physical, TextCodes, coded, few32, few64, numbers32, numbers64,
    plain, put_text,
};
use super::parquet_file::{self, ColumnPlace, ColumnSpec};
use super::schema::COLUMNS;
use super::sorted::Sorted;
use super::terms::TermBuilder;

/// Keys with a column of their own in one block; the values of the rest stand together in `attribute_rest`.
pub(crate) const ATTRIBUTE_COLUMNS_MAX: usize = 96;

/// An attribute by its key and the type of its values.
pub(crate) type AttributeKey = (String, ValueType);

/// The name of an attribute's column.
pub(crate) fn attribute_column(key: &str, kind: ValueType) -> String {
    match kind {
        ValueType::Text => format!("attributes.{key}"),
        kind => format!("attributes:{}.{key}", kind.letter()),
    }
}

/// Key and type behind the name of an attribute's column.
pub(crate) fn attribute_key(name: &str) -> Option<(&str, ValueType)> {
    let rest = name.strip_prefix("attributes")?;
    if let Some(key) = rest.strip_prefix('.') {
        return Some((key, ValueType::Text));
    }
    let (letter, key) = rest.strip_prefix(':')?.split_once('.')?;
    Some((key, ValueType::from_letter(letter)?))
}

/// The word of a kind in the column of that name.
pub(crate) const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Unset => "unset",
        Kind::Internal => "internal",
        Kind::Server => "server",
        Kind::Client => "client",
        Kind::Producer => "producer",
        Kind::Consumer => "consumer",
    }
}

/// The word of a status.
pub(crate) const fn status_word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "unset",
        StatusCode::Ok => "ok",
        StatusCode::Error => "error",
    }
}

/// The word of a source.
pub(crate) const fn source_word(source: Source) -> &'static str {
    match source {
        Source::ZipkinV1 => "zipkin_v1",
        Source::ZipkinV2 => "zipkin_v2",
        Source::Otlp => "otlp",
    }
}

/// Where the values of one key stand in each shape, or [`NULL`].
struct AttributeColumn {
    /// `None` when no row has it.
    key: Option<Key>,
    slots: Vec<u32>,
}

/// The columns of one block while they are written.
struct Writer<'s, 'c> {
    sorted: &'s Sorted<'c>,
    /// Whether all rows of a trace are here, so that a parent can be named by its place among them.
    whole_traces: bool,
    attributes: Vec<AttributeColumn>,
    /// Values of attributes in the order of the block, and where each row's begin.
    values: Vec<u32>,
    values_at: Vec<u32>,
    shapes: Vec<u32>,
    /// Of each row: its parent's id where that is not a row of the block.
    parent_ids: Vec<u64>,
    codes: TextCodes,
}

/// Writes the Parquet file of a block and gives the terms of its tags to `terms`.
pub(crate) fn write(
    sorted: &Sorted<'_>,
    terms: &mut TermBuilder,
) -> Result<(Vec<u8>, Vec<ColumnPlace>), ParquetError> {
    let keys = frequent_keys(sorted);
    let mut writer = Writer::new(sorted, &keys, true);
    parquet_file::write(specs(&keys), sorted.len(), |column| match COLUMNS.get(column) {
        Some(fixed) => writer.fixed(fixed.name),
        None => writer.attribute(column - COLUMNS.len(), Some(&mut *terms)),
    })
    .inspect(|_| writer.rest_terms(terms))
}

/// Appends rows to a file that was begun with the columns of `keys`. Other rows of their traces may stand elsewhere, so
/// parents are said by their ids.
pub(crate) fn append<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    keys: &[AttributeKey],
    sorted: &Sorted<'_>,
) -> Result<(), ParquetError> {
    let mut writer = Writer::new(sorted, keys, false);
    parquet_file::write_group(file, specs(keys), sorted.len(), |column| match COLUMNS.get(column) {
        Some(fixed) => writer.fixed(fixed.name),
        None => writer.attribute(column - COLUMNS.len(), None),
    })
    .map(|_| ())
}

/// The columns of a file with columns for these attributes.
pub(crate) fn specs(keys: &[AttributeKey]) -> Vec<ColumnSpec> {
    let mut specs: Vec<ColumnSpec> = COLUMNS
        .iter()
        .map(|column| ColumnSpec {
            name: column.name.to_owned(),
            physical: column.kind.physical(),
            optional: column.nullable,
        })
        .collect();
    specs.extend(keys.iter().map(|(key, kind)| ColumnSpec {
        name: attribute_column(key, *kind),
        physical: Physical::Text,
        optional: true,
    }));
    specs
}

impl<'s, 'c> Writer<'s, 'c> {
    fn new(sorted: &'s Sorted<'c>, keys: &[AttributeKey], whole_traces: bool) -> Self {
        let chunk = sorted.chunk;
        let shapes: Vec<u32> = sorted.column(&chunk.rows.shape).collect();
        let mut values = Vec::with_capacity(chunk.values.len());
        let mut values_at = Vec::with_capacity(sorted.len());
        for (row, shape) in sorted.rows.iter().zip(&shapes) {
            values_at.push(values.len() as u32);
            let from = chunk.rows.values_at[*row as usize] as usize;
            values.extend_from_slice(&chunk.values[from..from + chunk.shapes[*shape as usize].len()]);
        }
        let attributes = keys.iter().map(|key| AttributeColumn::of(chunk, key)).collect();
        Self {
            sorted,
            whole_traces,
            attributes,
            values,
            values_at,
            shapes,
            parent_ids: Vec::new(),
            codes: TextCodes::default(),
        }
    }

    /// A column of the schema.
    fn fixed(&mut self, name: &str) -> Encoded {
        let sorted = self.sorted;
        let chunk = sorted.chunk;
        let rows = &chunk.rows;
        let endpoint = |numbers| sorted.column::<u32>(numbers).map(|n| &chunk.endpoints[n as usize]);
        let origin = || sorted.column(&rows.origin).map(|n| &chunk.origins[n as usize]);
        let known = |text: u32| (text != 0).then_some(text);
        let port = |port: u16| if port == 0 { NULL } else { u32::from(port) };
        match name {
            "trace_id" => self.trace_ids(),
            "span_id" => Encoded {
                compress: false,
                ..numbers64(&sorted.column(&rows.span_id).collect::<Vec<_>>(), None)
            },
            "parent_row" => {
                let (places, ids) = self.parents();
                self.parent_ids = ids;
                numbers32(&places, Some(NULL))
            }
            "parent_id" => numbers64(&std::mem::take(&mut self.parent_ids), Some(0)),
            "lsn" => few64(sorted.lsns.iter().copied()),
            "start_ns" => numbers64(&sorted.column(&rows.start_ns).collect::<Vec<_>>(), Some(0)),
            "duration_ns" => {
                numbers64(&sorted.column(&rows.duration_ns).collect::<Vec<_>>(), Some(NO_DURATION))
            }
            "kind" => words(sorted.column(&rows.kind), |n| kind_word(Kind::from_number(n))),
            "status" => words(sorted.column(&rows.status), |n| status_word(StatusCode::from_number(n))),
            "source" => words(sorted.column(&rows.source), |n| source_word(Source::from_number(n))),
            "name" => self.texts(false, sorted.column(&rows.name).map(Some)),
            "status_message" => self.texts(false, sorted.column(&rows.status_message).map(Some)),
            "tracestate" => self.texts(false, sorted.column(&rows.tracestate).map(Some)),
            // The mark of failure follows from the other columns.
            "flags" => few32(sorted.column(&rows.flags).map(|flags| u32::from(flags & 15)), None),
            "otlp_flags" => few32(sorted.column(&rows.otlp_flags), None),
            "service" => self.texts(true, endpoint(&rows.local).map(|e| known(e.service))),
            "remote_service" => self.texts(true, endpoint(&rows.remote).map(|e| known(e.service))),
            "service_instance_id" => self.texts(true, origin().map(|o| known(o.instance))),
            "service_version" => self.texts(true, origin().map(|o| known(o.version))),
            "local_ipv4" => self.addresses(&rows.local, |n| chunk.endpoints[n].ipv4.map(|ip| ip.to_string())),
            "local_ipv6" => self.addresses(&rows.local, |n| chunk.endpoints[n].ipv6.map(|ip| ip.to_string())),
            "remote_ipv4" => {
                self.addresses(&rows.remote, |n| chunk.endpoints[n].ipv4.map(|ip| ip.to_string()))
            }
            "remote_ipv6" => {
                self.addresses(&rows.remote, |n| chunk.endpoints[n].ipv6.map(|ip| ip.to_string()))
            }
            "local_port" => few32(endpoint(&rows.local).map(|e| port(e.port)), Some(NULL)),
            "remote_port" => few32(endpoint(&rows.remote).map(|e| port(e.port)), Some(NULL)),
            "events" => self.texts(false, sorted.column(&rows.events).map(Some)),
            "links" => self.texts(false, sorted.column(&rows.links).map(Some)),
            "dropped_attributes" => few32(sorted.column(&rows.dropped_attributes), None),
            "dropped_events" => few32(sorted.column(&rows.dropped_events), None),
            "dropped_links" => few32(sorted.column(&rows.dropped_links), None),
            "resource" => self.texts(false, origin().map(|o| Some(o.resource))),
            "scope" => self.texts(false, origin().map(|o| Some(o.scope))),
            "attribute_shape" => by_number(&self.shapes, false, |shape| Some(self.shape_text(shape))),
            "attribute_rest" => self.rest(),
            // The schema and this list are compared by a test.
            _ => coded(Physical::Text, true, &vec![NULL; sorted.len()], Vec::new(), 0),
        }
    }

    fn texts(&mut self, optional: bool, rows: impl Iterator<Item = Option<u32>>) -> Encoded {
        self.codes.fill(&self.sorted.chunk.texts, rows);
        self.codes.encode(&self.sorted.chunk.texts, optional)
    }

    fn addresses(&self, numbers: &[u32], text: impl Fn(usize) -> Option<String>) -> Encoded {
        let numbers: Vec<u32> = self.sorted.column(numbers).collect();
        by_number(&numbers, true, |number| text(number as usize))
    }

    fn trace_ids(&self) -> Encoded {
        let mut dictionary = Vec::with_capacity(self.sorted.traces.len() * 16);
        for trace in &self.sorted.traces {
            dictionary.extend_from_slice(&trace.id.as_u128().to_be_bytes());
        }
        let count = self.sorted.traces.len() as u32;
        coded(Physical::Id16, false, &self.sorted.trace_of, dictionary, count)
    }

    /// Of each row: its parent's place among the rows of its trace, or else its parent's id.
    fn parents(&self) -> (Vec<u32>, Vec<u64>) {
        /// Up to so many rows the parent is looked for one by one.
        const FEW: u32 = 24;
        let columns = &self.sorted.chunk.rows;
        let (mut places, mut ids) = (vec![NULL; self.sorted.len()], vec![0; self.sorted.len()]);
        let mut known: HashMap<u64, u32, RandomState> = HashMap::default();
        for trace in &self.sorted.traces {
            let first = trace.first_row as usize;
            let rows = &self.sorted.rows[first..first + trace.rows as usize];
            let id_of = |row: &u32| columns.span_id[*row as usize];
            known.clear();
            if trace.rows > FEW {
                // Of several rows with one id the first is the parent, as below.
                for (place, row) in (0u32..).zip(rows) {
                    known.entry(id_of(row)).or_insert(place);
                }
            }
            for (i, row) in rows.iter().enumerate() {
                let parent = columns.parent_id[*row as usize];
                if parent == 0 {
                    continue;
                }
                if !self.whole_traces {
                    ids[first + i] = parent;
                    continue;
                }
                let place = if trace.rows > FEW {
                    known.get(&parent).copied()
                } else {
                    rows.iter().position(|row| id_of(row) == parent).map(|place| place as u32)
                };
                match place {
                    Some(place) => places[first + i] = place,
                    None => ids[first + i] = parent,
                }
            }
        }
        (places, ids)
    }

    fn shape_text(&self, shape: u32) -> String {
        let keys: Vec<(&str, String)> = self.sorted.chunk.shapes[shape as usize]
            .iter()
            .map(|key| (self.sorted.chunk.texts.get(key.text()), key.kind().letter().to_string()))
            .collect();
        // A list of pairs of texts always serialises.
        serde_json::to_string(&keys).unwrap_or_default()
    }

    fn value(&self, row: usize, slot: u32) -> Option<u32> {
        (slot != NULL).then(|| self.values[self.values_at[row] as usize + slot as usize])
    }

    /// A column of an attribute; its tags become terms.
    fn attribute(&mut self, number: usize, terms: Option<&mut TermBuilder>) -> Encoded {
        let mut codes = std::mem::take(&mut self.codes);
        let column = &self.attributes[number];
        let texts = &self.sorted.chunk.texts;
        let slots = &column.slots;
        let rows = self.shapes.iter().enumerate().map(|(row, shape)| self.value(row, slots[*shape as usize]));
        codes.fill(texts, rows);
        if let (Some(terms), Some(key)) = (terms, column.key) {
            terms.tags(texts, key, &codes, &self.sorted.trace_of);
        }
        let encoded = codes.encode(texts, true);
        self.codes = codes;
        encoded
    }

    /// Keys of each shape that have no column, with their slots.
    fn rest_of_shapes(&self) -> Vec<Vec<(Key, usize)>> {
        let with_column: HashSet<Key, RandomState> = self.attributes.iter().filter_map(|c| c.key).collect();
        let rest = |shape: &[Key]| {
            let keys = shape.iter().copied().enumerate().map(|(slot, key)| (key, slot));
            keys.filter(|(key, _)| !with_column.contains(key)).collect()
        };
        self.sorted.chunk.shapes.iter().map(|shape| rest(shape)).collect()
    }

    fn rest(&self) -> Encoded {
        let rest = self.rest_of_shapes();
        if rest.iter().all(Vec::is_empty) {
            return coded(Physical::Text, true, &vec![NULL; self.sorted.len()], Vec::new(), 0);
        }
        plain(Physical::Text, true, self.sorted.len(), |row, out| {
            let slots = &rest[self.shapes[row] as usize];
            if !slots.is_empty() {
                let texts: Vec<&str> = slots
                    .iter()
                    .filter_map(|(_, slot)| self.value(row, *slot as u32))
                    .map(|value| self.sorted.chunk.texts.get(value))
                    .collect();
                put_text(&serde_json::to_string(&texts).unwrap_or_default(), out);
            }
        })
    }

    fn rest_terms(&self, terms: &mut TermBuilder) {
        let rest = self.rest_of_shapes();
        if rest.iter().all(Vec::is_empty) {
            return;
        }
        let mut found: HashMap<(Key, u32), Vec<u32>, RandomState> = HashMap::default();
        for row in 0..self.sorted.len() {
            for (key, slot) in &rest[self.shapes[row] as usize] {
                let Some(value) = self.value(row, *slot as u32) else { continue };
                let traces = found.entry((*key, value)).or_default();
                let trace = self.sorted.trace_of[row];
                if traces.last() != Some(&trace) {
                    traces.push(trace);
                }
            }
        }
        for ((key, value), traces) in found {
            terms.tag(&self.sorted.chunk.texts, key, value, &traces);
        }
    }
}

impl AttributeColumn {
    fn of(chunk: &SpanChunk, (key, kind): &AttributeKey) -> Self {
        let key = chunk.texts.find(key).map(|text| Key::new(text, *kind));
        let slot = |shape: &[Key]| {
            let at = shape.iter().position(|known| Some(*known) == key);
            at.map_or(NULL, |at| at as u32)
        };
        Self { key, slots: chunk.shapes.iter().map(|shape| slot(shape)).collect() }
    }
}

/// The keys that stand in most rows.
pub(crate) fn frequent_keys(sorted: &Sorted<'_>) -> Vec<AttributeKey> {
    let mut rows_of = vec![0u32; sorted.chunk.shapes.len()];
    for shape in sorted.column(&sorted.chunk.rows.shape) {
        rows_of[shape as usize] += 1;
    }
    let mut keys: HashMap<Key, u32, RandomState> = HashMap::default();
    for (shape, rows) in sorted.chunk.shapes.iter().zip(&rows_of).filter(|(_, rows)| **rows > 0) {
        for key in shape {
            *keys.entry(*key).or_default() += rows;
        }
    }
    let mut keys: Vec<(Key, u32)> = keys.into_iter().collect();
    let text = |key: &Key| (sorted.chunk.texts.get(key.text()), key.kind());
    keys.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| text(&a.0).cmp(&text(&b.0))));
    keys.truncate(ATTRIBUTE_COLUMNS_MAX);
    keys.iter().map(|(key, _)| (sorted.chunk.texts.get(key.text()).to_owned(), key.kind())).collect()
}

fn words(numbers: impl Iterator<Item = u8>, word: fn(u8) -> &'static str) -> Encoded {
    let numbers: Vec<u32> = numbers.map(u32::from).collect();
    by_number(&numbers, false, |number| Some(word(number as u8).to_owned()))
}

/// A column of texts that follow from a number of each row; `None` is null, or a number without a text.
fn by_number(numbers: &[u32], optional: bool, text: impl Fn(u32) -> Option<String>) -> Encoded {
    let mut codes_of: HashMap<u32, u32, RandomState> = HashMap::default();
    let mut texts = Vec::new();
    let mut last = None;
    let codes: Vec<u32> = numbers
        .iter()
        .map(|number| {
            if let Some((of, code)) = last
                && of == *number
            {
                return code;
            }
            let code = *codes_of.entry(*number).or_insert_with(|| match text(*number) {
                Some(text) => {
                    texts.push(text);
                    texts.len() as u32 - 1
                }
                None => NULL,
            });
            last = Some((*number, code));
            code
        })
        .collect();
    let bytes: usize = texts.iter().map(|text| text.len() + 4).sum();
    if bytes > DICTIONARY_BYTES_MAX && texts.len() > 8 {
        return plain(Physical::Text, optional, codes.len(), |row, out| {
            if let Some(text) = texts.get(codes[row] as usize) {
                put_text(text, out);
            }
        });
    }
    let mut dictionary = Vec::with_capacity(bytes);
    texts.iter().for_each(|text| put_text(text, &mut dictionary));
    coded(Physical::Text, optional, &codes, dictionary, texts.len() as u32)
}
