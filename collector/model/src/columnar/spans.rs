//! Owned rows to a chunk, and single rows of a chunk back to owned ones.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use foldhash::fast::RandomState;
use tracepact_base::{SpanId, TraceId};

use super::build::Builder;
use super::chunk::{
    EndpointCodes, NO_DURATION, Origin, Row, SpanChunk, ValueType, kind_number, row_flags, source_number,
    status_number,
};
use super::details::{self, Malformed};
use crate::codec::DecodeLimits;
use crate::{
    Attributes, Endpoint, Kind, Resource, Scope, Source, Span, SpanFlags, Status, StatusCode, Value,
};

impl From<&[Span]> for SpanChunk {
    fn from(spans: &[Span]) -> Self {
        let limits = DecodeLimits::unbounded();
        let mut build = Builder::new(&limits, spans.len());
        let mut origins = Origins::default();
        for span in spans {
            add(&mut build, &mut origins, span);
        }
        build.finish()
    }
}

impl From<Vec<Span>> for SpanChunk {
    fn from(spans: Vec<Span>) -> Self {
        Self::from(spans.as_slice())
    }
}

/// Spans of a group share their resource and scope: each is written once.
#[derive(Default)]
struct Origins {
    last: Option<(Arc<Resource>, Arc<Scope>)>,
    /// Of the last one; instance and version are each span's.
    codes: Origin,
}

impl Origins {
    fn number(&mut self, build: &mut Builder<'_>, span: &Span) -> u32 {
        let same =
            |a: &Arc<Resource>, b: &Arc<Scope>| Arc::ptr_eq(a, &span.resource) && Arc::ptr_eq(b, &span.scope);
        if !self.last.as_ref().is_some_and(|(resource, scope)| same(resource, scope)) {
            let resource = build.text(&details::write_resource(&span.resource));
            let scope = build.text(&details::write_scope(&span.scope));
            note_keys(build, &span.resource.attributes);
            note_keys(build, &span.scope.attributes);
            let tags = span
                .resource
                .attributes
                .iter()
                .map(|(key, value)| (build.key(key), build.text(&value.text())))
                .collect();
            self.last = Some((span.resource.clone(), span.scope.clone()));
            self.codes = Origin { resource, scope, instance: 0, version: 0, tags };
        }
        let instance = build.text(span.instance.as_deref().unwrap_or_default());
        let version = build.text(span.version.as_deref().unwrap_or_default());
        build.origin(Origin { instance, version, ..self.codes.clone() })
    }
}

fn add(build: &mut Builder<'_>, origins: &mut Origins, span: &Span) {
    for (key, value) in &span.attributes {
        note_nested(build, value);
        let key = build.key(key);
        let (kind, text) = value_text(value);
        let value = build.text(&text);
        if let Some(place) = build.place(key) {
            build.set(place, key, kind, value);
        }
    }
    for link in &span.links {
        note_keys(build, &link.attributes);
    }
    for event in &span.events {
        note_keys(build, &event.attributes);
        let name = build.text(&event.name);
        let row = build.chunk.len() as u32;
        build.chunk.event_names.push((row, name));
    }
    build.truncated = span.flags.truncated;
    let flags = &span.flags;
    let row = Row {
        trace_low: span.trace_id.low(),
        trace_high: span.trace_id.high(),
        span_id: span.span_id.as_u64(),
        parent_id: span.parent_id.map_or(0, SpanId::as_u64),
        start_ns: span.start_ns.unwrap_or(0),
        duration_ns: span.duration_ns.map_or(NO_DURATION, |duration| duration.min(NO_DURATION - 1)),
        name: build.text(&span.name),
        status_message: build.text(&span.status.message),
        tracestate: build.text(&span.tracestate),
        otlp_flags: flags.otlp,
        local: endpoint_number(build, &span.local),
        remote: endpoint_number(build, &span.remote),
        origin: origins.number(build, span),
        events: build.text(&details::write_events(&span.events)),
        links: build.text(&details::write_links(&span.links)),
        dropped_attributes: span.dropped[0],
        dropped_events: span.dropped[1],
        dropped_links: span.dropped[2],
        kind: kind_number(span.kind),
        status: status_number(span.status.code),
        source: source_number(span.source),
        flags: if flags.debug { row_flags::DEBUG } else { 0 }
            | if flags.shared { row_flags::SHARED } else { 0 }
            | if flags.end_before_start { row_flags::END_BEFORE_START } else { 0 },
        ..Builder::empty_row()
    };
    build.push(row);
}

/// Notes keys for redaction.
fn note_keys(build: &mut Builder<'_>, attributes: &Attributes) {
    for (key, value) in attributes {
        build.key(key);
        note_nested(build, value);
    }
}

fn note_nested(build: &mut Builder<'_>, value: &Value) {
    match value {
        Value::Map(entries) => note_keys(build, entries),
        Value::Array(values) => values.iter().for_each(|value| note_nested(build, value)),
        _ => {}
    }
}

fn endpoint_number(build: &mut Builder<'_>, endpoint: &Endpoint) -> u32 {
    let codes = EndpointCodes {
        service: build.text(endpoint.service_name.as_deref().unwrap_or_default()),
        ipv4: endpoint.ipv4,
        ipv6: endpoint.ipv6,
        port: endpoint.port.unwrap_or(0),
    };
    build.endpoint(codes)
}

/// Type and text of a value, as a chunk and a block keep it.
pub(crate) fn value_text(value: &Value) -> (ValueType, std::borrow::Cow<'_, str>) {
    let kind = match value {
        Value::String(_) => ValueType::Text,
        Value::Bool(_) => ValueType::Bool,
        Value::Int(_) => ValueType::Int,
        Value::Double(_) => ValueType::Double,
        Value::Bytes(_) => ValueType::Bytes,
        Value::Array(_) | Value::Map(_) => {
            let mut out = String::new();
            details::write_value(value, &mut out);
            return (ValueType::Nested, out.into());
        }
        Value::Empty => ValueType::Empty,
    };
    (kind, value.text())
}

/// The value behind a type and a text of it, as chunks and blocks keep them.
///
/// # Errors
/// When the text is not one of the type.
pub fn read_typed(kind: ValueType, text: &str) -> Result<Value, Malformed> {
    Ok(match kind {
        ValueType::Text => Value::String(text.into()),
        ValueType::Bool => Value::Bool(text == "true"),
        ValueType::Int => Value::Int(text.parse().map_err(|_| Malformed)?),
        ValueType::Double => Value::Double(text.parse().map_err(|_| Malformed)?),
        ValueType::Bytes => {
            let bytes = base64::prelude::BASE64_STANDARD.decode(text).map_err(|_| Malformed)?;
            Value::Bytes(bytes.into())
        }
        ValueType::Nested => details::read_value(text)?,
        ValueType::Empty => Value::Empty,
    })
}

/// Makes owned rows of a chunk; equal texts, resources and scopes share one allocation.
#[derive(Debug)]
pub struct SpanReader<'c> {
    chunk: &'c SpanChunk,
    texts: HashMap<u32, Arc<str>, RandomState>,
    origins: HashMap<u32, (Arc<Resource>, Arc<Scope>), RandomState>,
}

impl<'c> SpanReader<'c> {
    /// A reader of `chunk`.
    pub fn new(chunk: &'c SpanChunk) -> Self {
        Self { chunk, texts: HashMap::default(), origins: HashMap::default() }
    }

    /// The row at `index` as an owned span.
    ///
    /// # Errors
    /// When a text of details is not one, or an id is zero: never for what a decoder of this crate made.
    pub fn span(&mut self, index: usize) -> Result<Span, Malformed> {
        let row = self.chunk.rows.get(index);
        let trace_id = TraceId::new(u128::from(row.trace_high) << 64 | u128::from(row.trace_low));
        let (trace_id, span_id) = (trace_id.ok_or(Malformed)?, SpanId::new(row.span_id).ok_or(Malformed)?);
        let (resource, scope) = self.origin(row.origin)?;
        let origin = self.chunk.origins.get(row.origin as usize);
        let (instance, version) = origin.map_or((0, 0), |origin| (origin.instance, origin.version));
        let mut attributes = Vec::new();
        for (key, value) in self.chunk.attributes(index) {
            let value = match key.kind() {
                ValueType::Text => Value::String(self.text(value)),
                kind => read_typed(kind, self.chunk.texts.get(value))?,
            };
            attributes.push((self.text(key.text()), value));
        }
        let flag = |bit: u8| row.flags & bit != 0;
        Ok(Span {
            trace_id,
            span_id,
            parent_id: SpanId::new(row.parent_id),
            start_ns: Some(row.start_ns).filter(|start| *start > 0),
            duration_ns: Some(row.duration_ns).filter(|duration| *duration != NO_DURATION),
            kind: Kind::from_number(row.kind),
            name: self.text(row.name),
            status: Status {
                code: StatusCode::from_number(row.status),
                message: self.text(row.status_message),
            },
            flags: SpanFlags {
                debug: flag(row_flags::DEBUG),
                shared: flag(row_flags::SHARED),
                truncated: flag(row_flags::TRUNCATED),
                end_before_start: flag(row_flags::END_BEFORE_START),
                otlp: row.otlp_flags,
            },
            tracestate: self.text(row.tracestate),
            source: Source::from_number(row.source),
            local: self.endpoint(row.local),
            remote: self.endpoint(row.remote),
            instance: self.known(instance),
            version: self.known(version),
            attributes,
            events: details::read_events(self.chunk.texts.get(row.events))?,
            links: details::read_links(self.chunk.texts.get(row.links))?,
            dropped: [row.dropped_attributes, row.dropped_events, row.dropped_links],
            resource,
            scope,
        })
    }

    fn text(&mut self, code: u32) -> Arc<str> {
        let chunk = self.chunk;
        self.texts.entry(code).or_insert_with(|| chunk.texts.get(code).into()).clone()
    }

    fn known(&mut self, code: u32) -> Option<Arc<str>> {
        (code != 0).then(|| self.text(code))
    }

    fn endpoint(&mut self, number: u32) -> Endpoint {
        let codes = self.chunk.endpoints.get(number as usize).copied().unwrap_or_default();
        Endpoint {
            service_name: self.known(codes.service),
            ipv4: codes.ipv4,
            ipv6: codes.ipv6,
            port: Some(codes.port).filter(|port| *port > 0),
        }
    }

    fn origin(&mut self, number: u32) -> Result<(Arc<Resource>, Arc<Scope>), Malformed> {
        if let Some(known) = self.origins.get(&number) {
            return Ok(known.clone());
        }
        let origin = self.chunk.origins.get(number as usize).ok_or(Malformed)?;
        let resource = Arc::new(details::read_resource(self.chunk.texts.get(origin.resource))?);
        let scope = Arc::new(details::read_scope(self.chunk.texts.get(origin.scope))?);
        self.origins.insert(number, (resource.clone(), scope.clone()));
        Ok((resource, scope))
    }
}

impl SpanChunk {
    /// All rows as owned spans.
    ///
    /// # Errors
    /// As [`SpanReader::span`].
    pub fn spans(&self) -> Result<Vec<Span>, Malformed> {
        let mut reader = SpanReader::new(self);
        (0..self.len()).map(|row| reader.span(row)).collect()
    }
}
