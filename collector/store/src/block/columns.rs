//! Rows to columns and back.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder,
    UInt32Array, UInt64Array,
};
use tracepact_base::{SpanId, TraceId};
use tracepact_model::{Endpoint, Kind, Resource, Scope, Source, Span, SpanFlags, Status, StatusCode};

use super::json;
use super::schema::schema;
use crate::hot::Placed;
use crate::wire::Malformed;

const KINDS: [(&str, Kind); 6] = [
    ("unset", Kind::Unset),
    ("internal", Kind::Internal),
    ("server", Kind::Server),
    ("client", Kind::Client),
    ("producer", Kind::Producer),
    ("consumer", Kind::Consumer),
];
const STATUSES: [(&str, StatusCode); 3] =
    [("unset", StatusCode::Unset), ("ok", StatusCode::Ok), ("error", StatusCode::Error)];
const SOURCES: [(&str, Source); 3] =
    [("zipkin_v1", Source::ZipkinV1), ("zipkin_v2", Source::ZipkinV2), ("otlp", Source::Otlp)];

fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, v)| v == value).map_or("", |(word, _)| word)
}

fn meaning<T: Copy>(table: &[(&str, T)], word: &str) -> Result<T, Malformed> {
    table.iter().find(|(w, _)| *w == word).map(|(_, v)| *v).ok_or(Malformed("a column holds an unknown word"))
}

/// A row on its way into a block.
#[derive(Debug, Clone)]
pub(crate) struct Sealed<'r> {
    pub(crate) lsn: u64,
    pub(crate) position: u32,
    pub(crate) received_at_ns: u64,
    pub(crate) row: &'r Span,
}

/// The rows as one batch of columns.
pub(crate) fn to_batch(rows: &[Sealed<'_>]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let numbers = |f: &dyn Fn(&Sealed<'_>) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(f)))
    };
    let maybe = |f: &dyn Fn(&Span) -> Option<u64>| -> ArrayRef {
        Arc::new(UInt64Array::from_iter(rows.iter().map(|r| f(r.row))))
    };
    let small = |f: &dyn Fn(&Sealed<'_>) -> u32| -> ArrayRef {
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(f)))
    };
    let port = |f: &dyn Fn(&Span) -> Option<u16>| -> ArrayRef {
        Arc::new(UInt32Array::from_iter(rows.iter().map(|r| f(r.row).map(u32::from))))
    };
    let text = |f: &dyn Fn(&Span) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|r| f(r.row))))
    };
    let word = |f: &dyn Fn(&Span) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|r| f(r.row))))
    };
    let name = |f: &dyn Fn(&Span) -> Option<Arc<str>>| -> ArrayRef {
        Arc::new(StringArray::from_iter(rows.iter().map(|r| f(r.row))))
    };
    let address = |f: &dyn Fn(&Span) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(rows.iter().map(|r| f(r.row))))
    };
    let ids = rows.iter().map(|r| r.row.trace_id.as_u128().to_be_bytes());
    let attributes = attribute_columns(rows);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(FixedSizeBinaryArray::try_from_iter(ids)?),
        numbers(&|r| r.row.span_id.as_u64()),
        maybe(&|s| s.parent_id.map(SpanId::as_u64)),
        numbers(&|r| r.lsn),
        small(&|r| r.position),
        numbers(&|r| r.received_at_ns),
        maybe(&|s| s.start_ns),
        maybe(&|s| s.duration_ns),
        word(&|s| self::word(&KINDS, &s.kind)),
        text(&|s| s.name.as_ref().to_owned()),
        word(&|s| self::word(&STATUSES, &s.status.code)),
        text(&|s| s.status.message.as_ref().to_owned()),
        word(&|s| self::word(&SOURCES, &s.source)),
        small(&|r| flag_bits(r.row.flags)),
        small(&|r| r.row.flags.otlp),
        text(&|s| s.tracestate.as_ref().to_owned()),
        name(&|s| s.local.service_name.clone()),
        name(&|s| s.instance.clone()),
        name(&|s| s.version.clone()),
        address(&|s| s.local.ipv4.map(|ip| ip.to_string())),
        address(&|s| s.local.ipv6.map(|ip| ip.to_string())),
        port(&|s| s.local.port),
        name(&|s| s.remote.service_name.clone()),
        address(&|s| s.remote.ipv4.map(|ip| ip.to_string())),
        address(&|s| s.remote.ipv6.map(|ip| ip.to_string())),
        port(&|s| s.remote.port),
        attributes.0,
        attributes.1,
        attributes.2,
        text(&|s| json::write_events(&s.events)),
        text(&|s| json::write_links(&s.links)),
        small(&|r| r.row.dropped[0]),
        small(&|r| r.row.dropped[1]),
        small(&|r| r.row.dropped[2]),
        text(&|s| json::write_resource(&s.resource)),
        text(&|s| json::write_scope(&s.scope)),
    ];
    RecordBatch::try_new(schema(), columns)
}

fn attribute_columns(rows: &[Sealed<'_>]) -> (ArrayRef, ArrayRef, ArrayRef) {
    let list = || ListBuilder::new(StringBuilder::new());
    let (mut keys, mut types, mut values) = (list(), list(), list());
    for sealed in rows {
        for (key, value) in &sealed.row.attributes {
            let (letter, text) = json::write_value(value);
            keys.values().append_value(key);
            types.values().append_value(letter);
            values.values().append_value(text);
        }
        keys.append(true);
        types.append(true);
        values.append(true);
    }
    (Arc::new(keys.finish()), Arc::new(types.finish()), Arc::new(values.finish()))
}

fn flag_bits(flags: SpanFlags) -> u32 {
    u32::from(flags.debug)
        | u32::from(flags.shared) << 1
        | u32::from(flags.truncated) << 2
        | u32::from(flags.end_before_start) << 3
}

/// The rows of a batch.
pub(crate) fn from_batch(batch: &RecordBatch) -> Result<Vec<Placed>, Malformed> {
    let columns = Columns { batch };
    let mut resources: HashMap<&str, Arc<Resource>> = HashMap::new();
    let mut scopes: HashMap<&str, Arc<Scope>> = HashMap::new();
    let ids = columns.of::<FixedSizeBinaryArray>("trace_id")?;
    let (span_ids, parents) = (columns.u64("span_id")?, columns.u64("parent_id")?);
    let (lsns, positions) = (columns.u64("lsn")?, columns.u32("position")?);
    let received = columns.u64("received_at_ns")?;
    let (starts, durations) = (columns.u64("start_ns")?, columns.u64("duration_ns")?);
    let (flags, otlp_flags) = (columns.u32("flags")?, columns.u32("otlp_flags")?);
    let texts = |name| columns.of::<StringArray>(name);
    let [kinds, names, statuses, messages] =
        [texts("kind")?, texts("name")?, texts("status")?, texts("status_message")?];
    let [sources, tracestates] = [texts("source")?, texts("tracestate")?];
    let [instances, versions] = [texts("service_instance_id")?, texts("service_version")?];
    let local = columns.endpoint("service", "local")?;
    let remote = columns.endpoint("remote_service", "remote")?;
    let lists = |name| columns.of::<ListArray>(name);
    let [keys, types, values] =
        [lists("attribute_keys")?, lists("attribute_types")?, lists("attribute_values")?];
    let [events, links] = [texts("events")?, texts("links")?];
    let [resource_texts, scope_texts] = [texts("resource")?, texts("scope")?];
    let dropped =
        [columns.u32("dropped_attributes")?, columns.u32("dropped_events")?, columns.u32("dropped_links")?];
    let mut rows = Vec::with_capacity(batch.num_rows());
    for i in 0..batch.num_rows() {
        let id: [u8; 16] = ids.value(i).try_into().map_err(|_| Malformed("a trace id has no 16 bytes"))?;
        let trace_id = TraceId::new(u128::from_be_bytes(id)).ok_or(Malformed("a trace id is zero"))?;
        let span_id = SpanId::new(span_ids.value(i)).ok_or(Malformed("a span id is zero"))?;
        let mut row = Span::new(trace_id, span_id);
        row.parent_id = opt(parents, i, UInt64Array::value).and_then(SpanId::new);
        row.start_ns = opt(starts, i, UInt64Array::value);
        row.duration_ns = opt(durations, i, UInt64Array::value);
        row.kind = meaning(&KINDS, kinds.value(i))?;
        row.name = names.value(i).into();
        row.status =
            Status { code: meaning(&STATUSES, statuses.value(i))?, message: messages.value(i).into() };
        row.source = meaning(&SOURCES, sources.value(i))?;
        let bits = flags.value(i);
        row.flags = SpanFlags {
            debug: bits & 1 != 0,
            shared: bits & 2 != 0,
            truncated: bits & 4 != 0,
            end_before_start: bits & 8 != 0,
            otlp: otlp_flags.value(i),
        };
        row.tracestate = tracestates.value(i).into();
        row.instance = text_at(instances, i).map(Into::into);
        row.version = text_at(versions, i).map(Into::into);
        row.local = local.at(i)?;
        row.remote = remote.at(i)?;
        row.attributes = attributes_at(keys, types, values, i)?;
        row.events = json::read_events(events.value(i))?;
        row.links = json::read_links(links.value(i))?;
        row.dropped = [dropped[0].value(i), dropped[1].value(i), dropped[2].value(i)];
        row.resource = shared(&mut resources, resource_texts.value(i), json::read_resource)?;
        row.scope = shared(&mut scopes, scope_texts.value(i), json::read_scope)?;
        let (lsn, position, received_at_ns) = (lsns.value(i), positions.value(i), received.value(i));
        rows.push(Placed { lsn, position, received_at_ns, row });
    }
    Ok(rows)
}

fn shared<'t, T>(
    known: &mut HashMap<&'t str, Arc<T>>,
    text: &'t str,
    read: fn(&str) -> Result<T, Malformed>,
) -> Result<Arc<T>, Malformed> {
    if let Some(value) = known.get(text) {
        return Ok(value.clone());
    }
    let value = Arc::new(read(text)?);
    known.insert(text, value.clone());
    Ok(value)
}

fn opt<A: Array, T>(array: &A, i: usize, value: impl Fn(&A, usize) -> T) -> Option<T> {
    array.is_valid(i).then(|| value(array, i))
}

fn text_at(array: &StringArray, i: usize) -> Option<&str> {
    array.is_valid(i).then(|| array.value(i))
}

fn attributes_at(
    keys: &ListArray,
    types: &ListArray,
    values: &ListArray,
    i: usize,
) -> Result<tracepact_model::Attributes, Malformed> {
    const BAD: Malformed = Malformed("attribute columns do not fit together");
    let lists = [keys.value(i), types.value(i), values.value(i)];
    let mut texts = lists.iter().map(|list| list.as_any().downcast_ref::<StringArray>());
    let (Some(Some(keys)), Some(Some(types)), Some(Some(values))) =
        (texts.next(), texts.next(), texts.next())
    else {
        return Err(BAD);
    };
    if keys.len() != types.len() || keys.len() != values.len() {
        return Err(BAD);
    }
    (0..keys.len())
        .map(|j| Ok((keys.value(j).into(), json::read_value(types.value(j), values.value(j))?)))
        .collect()
}

struct Columns<'b> {
    batch: &'b RecordBatch,
}

struct EndpointColumns<'b> {
    service: &'b StringArray,
    ipv4: &'b StringArray,
    ipv6: &'b StringArray,
    port: &'b UInt32Array,
}

impl<'b> Columns<'b> {
    fn of<A: Array + 'static>(&self, name: &str) -> Result<&'b A, Malformed> {
        self.batch
            .column_by_name(name)
            .and_then(|column| column.as_any().downcast_ref())
            .ok_or(Malformed("a column is missing or of another type"))
    }

    fn u64(&self, name: &str) -> Result<&'b UInt64Array, Malformed> {
        self.of(name)
    }

    fn u32(&self, name: &str) -> Result<&'b UInt32Array, Malformed> {
        self.of(name)
    }

    fn endpoint(&self, service: &str, side: &str) -> Result<EndpointColumns<'b>, Malformed> {
        Ok(EndpointColumns {
            service: self.of(service)?,
            ipv4: self.of(&format!("{side}_ipv4"))?,
            ipv6: self.of(&format!("{side}_ipv6"))?,
            port: self.of(&format!("{side}_port"))?,
        })
    }
}

impl EndpointColumns<'_> {
    fn at(&self, i: usize) -> Result<Endpoint, Malformed> {
        Ok(Endpoint {
            service_name: text_at(self.service, i).map(Into::into),
            ipv4: json::read_address(text_at(self.ipv4, i))?,
            ipv6: json::read_address(text_at(self.ipv6, i))?,
            port: opt(self.port, i, UInt32Array::value).and_then(|port| u16::try_from(port).ok()),
        })
    }
}
