//! Typed values as JSON text that reads back to the same values: for nested attributes, events, links, resources.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use tracepact_model::{Attributes, EntityRef, Resource, Scope, SpanEvent, SpanLink, Value};

use crate::wire::Malformed;

const BAD: Malformed = Malformed("a JSON column cannot be read");

/// A value with its type as the only key. Doubles are texts: JSON has no NaN.
#[derive(Debug, Serialize, Deserialize)]
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

fn to_json(value: &Value) -> JsonValue {
    match value {
        Value::String(text) => JsonValue::String(text.as_ref().to_owned()),
        Value::Bool(flag) => JsonValue::Bool(*flag),
        Value::Int(number) => JsonValue::Int(*number),
        Value::Double(number) => JsonValue::Double(format!("{number:?}")),
        Value::Bytes(bytes) => JsonValue::Bytes(BASE64_STANDARD.encode(bytes)),
        Value::Array(values) => JsonValue::Array(values.iter().map(to_json).collect()),
        Value::Map(entries) => JsonValue::Map(attributes_to_json(entries)),
        Value::Empty => JsonValue::Empty,
    }
}

fn from_json(json: JsonValue) -> Result<Value, Malformed> {
    Ok(match json {
        JsonValue::String(text) => Value::String(text.into()),
        JsonValue::Bool(flag) => Value::Bool(flag),
        JsonValue::Int(number) => Value::Int(number),
        JsonValue::Double(text) => Value::Double(text.parse().map_err(|_| BAD)?),
        JsonValue::Bytes(text) => Value::Bytes(BASE64_STANDARD.decode(text).map_err(|_| BAD)?.into()),
        JsonValue::Array(values) => {
            Value::Array(values.into_iter().map(from_json).collect::<Result<_, _>>()?)
        }
        JsonValue::Map(entries) => Value::Map(attributes_from_json(entries)?),
        JsonValue::Empty => Value::Empty,
    })
}

fn attributes_to_json(attributes: &Attributes) -> JsonAttributes {
    attributes.iter().map(|(key, value)| (key.as_ref().to_owned(), to_json(value))).collect()
}

fn attributes_from_json(json: JsonAttributes) -> Result<Attributes, Malformed> {
    json.into_iter().map(|(key, value)| Ok((key.into(), from_json(value)?))).collect()
}

/// The letter and text of a value in the attribute columns.
pub(crate) fn write_value(value: &Value) -> (&'static str, String) {
    match value {
        Value::String(text) => ("s", text.as_ref().to_owned()),
        Value::Bool(flag) => ("b", flag.to_string()),
        Value::Int(number) => ("i", number.to_string()),
        Value::Double(number) => ("d", format!("{number:?}")),
        Value::Bytes(bytes) => ("y", BASE64_STANDARD.encode(bytes)),
        Value::Array(_) | Value::Map(_) => ("j", text(&to_json(value))),
        Value::Empty => ("e", String::new()),
    }
}

/// The value behind a letter and a text.
pub(crate) fn read_value(letter: &str, text: &str) -> Result<Value, Malformed> {
    Ok(match letter {
        "s" => Value::String(text.into()),
        "b" => Value::Bool(text == "true"),
        "i" => Value::Int(text.parse().map_err(|_| BAD)?),
        "d" => Value::Double(text.parse().map_err(|_| BAD)?),
        "y" => Value::Bytes(BASE64_STANDARD.decode(text).map_err(|_| BAD)?.into()),
        "j" => from_json(parse(text)?)?,
        "e" => Value::Empty,
        _ => return Err(BAD),
    })
}

fn text<T: Serialize>(value: &T) -> String {
    // Plain structures of texts and numbers always serialise.
    serde_json::to_string(value).unwrap_or_default()
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|_| BAD)
}

#[derive(Serialize, Deserialize)]
struct JsonEvent {
    at_ns: u64,
    name: String,
    attributes: JsonAttributes,
    dropped: u32,
}

pub(crate) fn write_events(events: &[SpanEvent]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let list: Vec<JsonEvent> = events
        .iter()
        .map(|event| JsonEvent {
            at_ns: event.at_ns,
            name: event.name.as_ref().to_owned(),
            attributes: attributes_to_json(&event.attributes),
            dropped: event.dropped_attributes,
        })
        .collect();
    text(&list)
}

pub(crate) fn read_events(text: &str) -> Result<Vec<SpanEvent>, Malformed> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    parse::<Vec<JsonEvent>>(text)?
        .into_iter()
        .map(|event| {
            Ok(SpanEvent {
                at_ns: event.at_ns,
                name: event.name.into(),
                attributes: attributes_from_json(event.attributes)?,
                dropped_attributes: event.dropped,
            })
        })
        .collect()
}

#[derive(Serialize, Deserialize)]
struct JsonLink {
    trace_id: String,
    span_id: String,
    tracestate: String,
    attributes: JsonAttributes,
    flags: u32,
    dropped: u32,
}

pub(crate) fn write_links(links: &[SpanLink]) -> String {
    if links.is_empty() {
        return String::new();
    }
    let list: Vec<JsonLink> = links
        .iter()
        .map(|link| JsonLink {
            trace_id: link.trace_id.to_w3c_hex(),
            span_id: link.span_id.to_string(),
            tracestate: link.tracestate.as_ref().to_owned(),
            attributes: attributes_to_json(&link.attributes),
            flags: link.flags,
            dropped: link.dropped_attributes,
        })
        .collect();
    text(&list)
}

pub(crate) fn read_links(text: &str) -> Result<Vec<SpanLink>, Malformed> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    parse::<Vec<JsonLink>>(text)?
        .into_iter()
        .map(|link| {
            Ok(SpanLink {
                trace_id: link.trace_id.parse().map_err(|_| BAD)?,
                span_id: link.span_id.parse().map_err(|_| BAD)?,
                tracestate: link.tracestate.into(),
                attributes: attributes_from_json(link.attributes)?,
                flags: link.flags,
                dropped_attributes: link.dropped,
            })
        })
        .collect()
}

#[derive(Serialize, Deserialize)]
struct JsonEntity {
    schema_url: String,
    kind: String,
    id_keys: Vec<String>,
    description_keys: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct JsonOrigin {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    version: String,
    attributes: JsonAttributes,
    dropped: u32,
    schema_url: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entities: Vec<JsonEntity>,
}

pub(crate) fn write_resource(resource: &Resource) -> String {
    if *resource == Resource::default() {
        return String::new();
    }
    let texts = |list: &[Arc<str>]| list.iter().map(|t| t.as_ref().to_owned()).collect();
    text(&JsonOrigin {
        name: String::new(),
        version: String::new(),
        attributes: attributes_to_json(&resource.attributes),
        dropped: resource.dropped_attributes,
        schema_url: resource.schema_url.as_ref().to_owned(),
        entities: resource
            .entities
            .iter()
            .map(|entity| JsonEntity {
                schema_url: entity.schema_url.as_ref().to_owned(),
                kind: entity.kind.as_ref().to_owned(),
                id_keys: texts(&entity.id_keys),
                description_keys: texts(&entity.description_keys),
            })
            .collect(),
    })
}

pub(crate) fn read_resource(text: &str) -> Result<Resource, Malformed> {
    if text.is_empty() {
        return Ok(Resource::default());
    }
    let json: JsonOrigin = parse(text)?;
    let texts = |list: Vec<String>| list.into_iter().map(Into::into).collect();
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

pub(crate) fn write_scope(scope: &Scope) -> String {
    if *scope == Scope::default() {
        return String::new();
    }
    text(&JsonOrigin {
        name: scope.name.as_ref().to_owned(),
        version: scope.version.as_ref().to_owned(),
        attributes: attributes_to_json(&scope.attributes),
        dropped: scope.dropped_attributes,
        schema_url: scope.schema_url.as_ref().to_owned(),
        entities: Vec::new(),
    })
}

pub(crate) fn read_scope(text: &str) -> Result<Scope, Malformed> {
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

/// An address column.
pub(crate) fn read_address<A>(text: Option<&str>) -> Result<Option<A>, Malformed>
where
    A: std::str::FromStr,
{
    text.map(|text| text.parse::<A>().map_err(|_| Malformed("an address column cannot be read"))).transpose()
}
