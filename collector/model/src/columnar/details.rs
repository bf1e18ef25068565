//! Typed values as JSON text that reads back to the same values: nested attributes, events, links, resources, scopes.
//!
//! A value is an object with its type as the only key, `{"int":1}`, or `"empty"`; doubles are texts, JSON has no NaN;
//! attributes are a list of pairs, so that their order stays.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::text::write_json_text;
use crate::{Attributes, EntityRef, Resource, Scope, SpanEvent, SpanLink, Value};

/// A text that is not of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of typed values cannot be read")]
pub struct Malformed;

/// Appends one value.
pub fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_tagged_text("string", text, out),
        Value::Bool(flag) => write_bool(*flag, out),
        Value::Int(number) => write_int(*number, out),
        Value::Double(number) => write_double(*number, out),
        Value::Bytes(bytes) => write_bytes(bytes, out),
        Value::Array(values) => {
            out.push_str("{\"array\":[");
            for (i, value) in values.iter().enumerate() {
                separate(i, out);
                write_value(value, out);
            }
            out.push_str("]}");
        }
        Value::Map(entries) => {
            out.push_str("{\"map\":");
            write_attributes(entries, out);
            out.push('}');
        }
        Value::Empty => write_empty(out),
    }
}

/// Appends attributes.
pub fn write_attributes(attributes: &Attributes, out: &mut String) {
    out.push('[');
    for (i, (key, value)) in attributes.iter().enumerate() {
        separate(i, out);
        out.push('[');
        write_json_text(key, out);
        out.push(',');
        write_value(value, out);
        out.push(']');
    }
    out.push(']');
}

pub(super) fn separate(i: usize, out: &mut String) {
    if i > 0 {
        out.push(',');
    }
}

pub(super) fn write_tagged_text(tag: &str, text: &str, out: &mut String) {
    out.push_str("{\"");
    out.push_str(tag);
    out.push_str("\":");
    write_json_text(text, out);
    out.push('}');
}

pub(super) fn write_bool(flag: bool, out: &mut String) {
    out.push_str(if flag { "{\"bool\":true}" } else { "{\"bool\":false}" });
}

pub(super) fn write_int(number: i64, out: &mut String) {
    let _ = write!(out, "{{\"int\":{number}}}");
}

pub(super) fn write_double(number: f64, out: &mut String) {
    let _ = write!(out, "{{\"double\":\"{number:?}\"}}");
}

pub(super) fn write_bytes(bytes: &[u8], out: &mut String) {
    out.push_str("{\"bytes\":\"");
    BASE64_STANDARD.encode_string(bytes, out);
    out.push_str("\"}");
}

pub(super) fn write_empty(out: &mut String) {
    out.push_str("\"empty\"");
}

/// Events as one text; empty for none.
pub fn write_events(events: &[SpanEvent]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let mut out = String::from("[");
    for (i, event) in events.iter().enumerate() {
        separate(i, &mut out);
        open_event(event.at_ns, &event.name, &mut out);
        write_attributes(&event.attributes, &mut out);
        let _ = write!(out, ",\"dropped\":{}}}", event.dropped_attributes);
    }
    out.push(']');
    out
}

/// Everything of an event before its attributes.
pub(super) fn open_event(at_ns: u64, name: &str, out: &mut String) {
    let _ = write!(out, "{{\"at_ns\":{at_ns},\"name\":");
    write_json_text(name, out);
    out.push_str(",\"attributes\":");
}

/// Links as one text; empty for none.
pub fn write_links(links: &[SpanLink]) -> String {
    if links.is_empty() {
        return String::new();
    }
    let mut out = String::from("[");
    for (i, link) in links.iter().enumerate() {
        separate(i, &mut out);
        open_link(link.trace_id.as_u128(), link.span_id.as_u64(), &link.tracestate, &mut out);
        write_attributes(&link.attributes, &mut out);
        let _ = write!(out, ",\"flags\":{},\"dropped\":{}}}", link.flags, link.dropped_attributes);
    }
    out.push(']');
    out
}

/// Everything of a link before its attributes.
pub(super) fn open_link(trace_id: u128, span_id: u64, tracestate: &str, out: &mut String) {
    let _ = write!(out, "{{\"trace_id\":\"{trace_id:032x}\",\"span_id\":\"{span_id:016x}\",\"tracestate\":");
    write_json_text(tracestate, out);
    out.push_str(",\"attributes\":");
}

/// A resource as one text; empty for one that says nothing.
pub fn write_resource(resource: &Resource) -> String {
    if *resource == Resource::default() {
        return String::new();
    }
    let mut out = String::from("{\"attributes\":");
    write_attributes(&resource.attributes, &mut out);
    close_origin(resource.dropped_attributes, &resource.schema_url, &mut out);
    if !resource.entities.is_empty() {
        out.push_str(",\"entities\":[");
        for (i, entity) in resource.entities.iter().enumerate() {
            separate(i, &mut out);
            write_entity(entity, &mut out);
        }
        out.push(']');
    }
    out.push('}');
    out
}

fn write_entity(entity: &EntityRef, out: &mut String) {
    out.push_str("{\"schema_url\":");
    write_json_text(&entity.schema_url, out);
    out.push_str(",\"kind\":");
    write_json_text(&entity.kind, out);
    for (field, keys) in [("id_keys", &entity.id_keys), ("description_keys", &entity.description_keys)] {
        let _ = write!(out, ",\"{field}\":[");
        for (i, key) in keys.iter().enumerate() {
            separate(i, out);
            write_json_text(key, out);
        }
        out.push(']');
    }
    out.push('}');
}

/// A scope as one text; empty for one that says nothing.
pub fn write_scope(scope: &Scope) -> String {
    if *scope == Scope::default() {
        return String::new();
    }
    let mut out = String::from("{");
    for (field, text) in [("name", &scope.name), ("version", &scope.version)] {
        if !text.is_empty() {
            let _ = write!(out, "\"{field}\":");
            write_json_text(text, &mut out);
            out.push(',');
        }
    }
    out.push_str("\"attributes\":");
    write_attributes(&scope.attributes, &mut out);
    close_origin(scope.dropped_attributes, &scope.schema_url, &mut out);
    out.push('}');
    out
}

fn close_origin(dropped: u32, schema_url: &str, out: &mut String) {
    let _ = write!(out, ",\"dropped\":{dropped},\"schema_url\":");
    write_json_text(schema_url, out);
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum JsonValue {
    String(String),
    Bool(bool),
    Int(i64),
    Double(String),
    Bytes(String),
    Array(Vec<JsonValue>),
    Map(JsonAttributes),
    Empty,
}

type JsonAttributes = Vec<(String, JsonValue)>;

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|_| Malformed)
}

fn from_json(json: JsonValue) -> Result<Value, Malformed> {
    Ok(match json {
        JsonValue::String(text) => Value::String(text.into()),
        JsonValue::Bool(flag) => Value::Bool(flag),
        JsonValue::Int(number) => Value::Int(number),
        JsonValue::Double(text) => Value::Double(text.parse().map_err(|_| Malformed)?),
        JsonValue::Bytes(text) => Value::Bytes(BASE64_STANDARD.decode(text).map_err(|_| Malformed)?.into()),
        JsonValue::Array(values) => {
            Value::Array(values.into_iter().map(from_json).collect::<Result<_, _>>()?)
        }
        JsonValue::Map(entries) => Value::Map(attributes_from_json(entries)?),
        JsonValue::Empty => Value::Empty,
    })
}

fn attributes_from_json(json: JsonAttributes) -> Result<Attributes, Malformed> {
    json.into_iter().map(|(key, value)| Ok((key.into(), from_json(value)?))).collect()
}

/// The value that [`write_value`] wrote.
pub fn read_value(text: &str) -> Result<Value, Malformed> {
    from_json(parse(text)?)
}

#[derive(Deserialize)]
struct JsonEvent {
    at_ns: u64,
    name: String,
    attributes: JsonAttributes,
    dropped: u32,
}

/// The events that [`write_events`] wrote.
pub fn read_events(text: &str) -> Result<Vec<SpanEvent>, Malformed> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let read = |event: JsonEvent| {
        Ok(SpanEvent {
            at_ns: event.at_ns,
            name: event.name.into(),
            attributes: attributes_from_json(event.attributes)?,
            dropped_attributes: event.dropped,
        })
    };
    parse::<Vec<JsonEvent>>(text)?.into_iter().map(read).collect()
}

#[derive(Deserialize)]
struct JsonLink {
    trace_id: String,
    span_id: String,
    tracestate: String,
    attributes: JsonAttributes,
    flags: u32,
    dropped: u32,
}

/// The links that [`write_links`] wrote.
pub fn read_links(text: &str) -> Result<Vec<SpanLink>, Malformed> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let read = |link: JsonLink| {
        Ok(SpanLink {
            trace_id: link.trace_id.parse().map_err(|_| Malformed)?,
            span_id: link.span_id.parse().map_err(|_| Malformed)?,
            tracestate: link.tracestate.into(),
            attributes: attributes_from_json(link.attributes)?,
            flags: link.flags,
            dropped_attributes: link.dropped,
        })
    };
    parse::<Vec<JsonLink>>(text)?.into_iter().map(read).collect()
}

#[derive(Deserialize)]
struct JsonEntity {
    schema_url: String,
    kind: String,
    id_keys: Vec<String>,
    description_keys: Vec<String>,
}

#[derive(Deserialize)]
struct JsonOrigin {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    attributes: JsonAttributes,
    dropped: u32,
    schema_url: String,
    #[serde(default)]
    entities: Vec<JsonEntity>,
}

/// The resource that [`write_resource`] wrote.
pub fn read_resource(text: &str) -> Result<Resource, Malformed> {
    if text.is_empty() {
        return Ok(Resource::default());
    }
    let json: JsonOrigin = parse(text)?;
    let texts = |list: Vec<String>| list.into_iter().map(Arc::from).collect();
    Ok(Resource {
        attributes: attributes_from_json(json.attributes)?,
        dropped_attributes: json.dropped,
        schema_url: json.schema_url.into(),
        entities: json
            .entities
            .into_iter()
            .map(|entity| EntityRef {
                schema_url: entity.schema_url.into(),
                kind: entity.kind.into(),
                id_keys: texts(entity.id_keys),
                description_keys: texts(entity.description_keys),
            })
            .collect(),
    })
}

/// The scope that [`write_scope`] wrote.
pub fn read_scope(text: &str) -> Result<Scope, Malformed> {
    if text.is_empty() {
        return Ok(Scope::default());
    }
    let json: JsonOrigin = parse(text)?;
    Ok(Scope {
        name: json.name.into(),
        version: json.version.into(),
        attributes: attributes_from_json(json.attributes)?,
        dropped_attributes: json.dropped,
        schema_url: json.schema_url.into(),
    })
}
