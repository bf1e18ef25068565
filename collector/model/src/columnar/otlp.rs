//! OTLP protobuf straight into columns: one walk over the bytes, no owned tree. Gives what
//! [`otlp::decode`](crate::otlp::decode) gives (a property test compares them); whatever is not plain goes through it.

use super::build::Builder;
use super::chunk::{NO_DURATION, Origin, Row, SpanChunk, ValueType, row_flags, source_number};
use super::proto::{Field, Odd, Wire, once};
use crate::codec::{DecodeError, DecodeLimits, Rejection};
use crate::{Kind, Source, otlp};

/// Reads an `ExportTraceServiceRequest`: the good rows, and the spans that were rejected one by one.
pub(crate) fn decode(body: &[u8], limits: &DecodeLimits) -> Result<(SpanChunk, Vec<Rejection>), DecodeError> {
    if let Ok(spans) = count(body)
        && spans > limits.spans_max
    {
        let max = limits.spans_max;
        return Err(DecodeError::too_large(format!("too many spans: {spans}, a request may hold {max}")));
    }
    match walk(body, limits) {
        Ok(read) => Ok(read),
        Err(Odd) => {
            let decoded = otlp::decode(body, limits)?;
            Ok((SpanChunk::from(decoded.spans.as_slice()), decoded.rejected))
        }
    }
}

/// Spans in a request, found by their lengths alone.
fn count(body: &[u8]) -> Result<usize, Odd> {
    let mut spans = 0;
    let mut request = Wire(body);
    while let Some((number, group)) = request.next()? {
        let mut group = Wire(if number == 1 { group.bytes()? } else { &[] });
        while let Some((number, scope)) = group.next()? {
            let mut scope = Wire(if number == 2 { scope.bytes()? } else { &[] });
            while let Some((number, _)) = scope.next()? {
                spans += usize::from(number == 2);
            }
        }
    }
    Ok(spans)
}

fn walk(body: &[u8], limits: &DecodeLimits) -> Result<(SpanChunk, Vec<Rejection>), Odd> {
    let spans = count(body)?;
    let mut walk = Walk { build: Builder::new(limits, spans), rejected: Vec::new(), position: 0 };
    let mut request = Wire(body);
    while let Some((number, field)) = request.next()? {
        if number == 1 {
            walk.resource_spans(field.bytes()?)?;
        }
    }
    Ok((walk.build.finish(), walk.rejected))
}

/// A request on its way into a chunk.
pub(super) struct Walk<'l> {
    pub(super) build: Builder<'l>,
    rejected: Vec<Rejection>,
    position: u32,
}

/// What the spans of a group share.
#[derive(Clone, Copy)]
struct Shared {
    origin: u32,
    local: u32,
    truncated: bool,
}

impl Walk<'_> {
    fn resource_spans(&mut self, bytes: &[u8]) -> Result<(), Odd> {
        // The resource may stand behind the spans, its schema's address usually does.
        let (mut resource, mut schema_url) = (None, "");
        let mut group = Wire(bytes);
        while let Some((number, field)) = group.next()? {
            match number {
                1 => once(&mut resource, field)?,
                3 => schema_url = field.text()?,
                _ => {}
            }
        }
        self.build.truncated = false;
        let (origin, service) = self.resource(resource.unwrap_or_default(), schema_url)?;
        let local = self.build.endpoint(super::EndpointCodes { service, ..Default::default() });
        let truncated = self.build.truncated;
        let mut group = Wire(bytes);
        while let Some((number, field)) = group.next()? {
            if number == 2 {
                self.scope_spans(field.bytes()?, &origin, local, truncated)?;
            }
        }
        Ok(())
    }

    fn scope_spans(&mut self, bytes: &[u8], origin: &Origin, local: u32, truncated: bool) -> Result<(), Odd> {
        let (mut scope, mut schema_url) = (None, "");
        let mut group = Wire(bytes);
        while let Some((number, field)) = group.next()? {
            match number {
                1 => once(&mut scope, field)?,
                3 => schema_url = field.text()?,
                _ => {}
            }
        }
        self.build.truncated = truncated;
        let scope = self.scope(scope.unwrap_or_default(), schema_url)?;
        let origin = self.build.origin(Origin { scope, ..origin.clone() });
        let shared = Shared { origin, local, truncated: self.build.truncated };
        let mut group = Wire(bytes);
        while let Some((number, field)) = group.next()? {
            if number == 2 {
                self.span(field.bytes()?, shared)?;
                self.position = self.position.saturating_add(1);
            }
        }
        Ok(())
    }

    fn span(&mut self, bytes: &[u8], shared: Shared) -> Result<(), Odd> {
        self.build.truncated = shared.truncated;
        let (mut trace_id, mut span_id, mut parent): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
        let (mut name, mut tracestate, mut status) = ("", "", None);
        let (mut start, mut end, mut kind, mut otlp_flags) = (0, 0, 0, 0);
        let mut dropped = [0u32; 3];
        let mut lists = Lists::default();
        let mut span = Wire(bytes);
        while let Some((number, field)) = span.next()? {
            match number {
                1 => trace_id = field.bytes()?,
                2 => span_id = field.bytes()?,
                3 => tracestate = field.text()?,
                4 => parent = field.bytes()?,
                5 => name = field.text()?,
                6 => kind = field.u32()?,
                7 => start = field.fixed64()?,
                8 => end = field.fixed64()?,
                9 => self.attribute(field.bytes()?)?,
                10 => dropped[0] = field.u32()?,
                11 => lists.events.push(field.bytes()?),
                12 => dropped[1] = field.u32()?,
                13 => lists.links.push(field.bytes()?),
                14 => dropped[2] = field.u32()?,
                15 => once(&mut status, field)?,
                16 => otlp_flags = field.fixed32()?,
                _ => {}
            }
        }
        let mut row = Row {
            otlp_flags,
            local: shared.local,
            origin: shared.origin,
            source: source_number(Source::Otlp),
            kind: if kind <= 5 { kind as u8 } else { 0 },
            start_ns: start,
            dropped_attributes: dropped[0],
            dropped_events: dropped[1],
            dropped_links: dropped[2],
            ..Builder::empty_row()
        };
        row.name = self.build.text(name);
        row.tracestate = self.build.text(tracestate);
        self.status(status.unwrap_or_default(), &mut row)?;
        row.events = self.events(&lists.events)?;
        row.links = self.links(&lists.links)?;
        row.remote = self.build.lifted_remote(Kind::from_number(row.kind));
        read_times(start, end, &mut row);
        match read_ids(trace_id, span_id, parent, &mut row) {
            Ok(()) => self.build.push(row),
            Err(reason) => {
                self.rejected.push(Rejection { position: self.position, reason });
                self.build.discard();
            }
        }
        Ok(())
    }

    fn status(&mut self, bytes: &[u8], row: &mut Row) -> Result<(), Odd> {
        let (mut message, mut code) = ("", 0);
        let mut status = Wire(bytes);
        while let Some((number, field)) = status.next()? {
            match number {
                2 => message = field.text()?,
                3 => code = field.u32()?,
                _ => {}
            }
        }
        row.status = if code <= 2 { code as u8 } else { 0 };
        row.status_message = self.build.text(message);
        Ok(())
    }

    fn attribute(&mut self, bytes: &[u8]) -> Result<(), Odd> {
        let (key, value) = key_value(bytes)?;
        let key = self.build.key(key);
        let place = self.build.place(key).ok_or(Odd)?;
        let (kind, value) = self.value(value)?;
        self.build.set(place, key, kind, value);
        Ok(())
    }

    /// The type and the text of a value.
    pub(super) fn value(&mut self, bytes: Option<&[u8]>) -> Result<(ValueType, u32), Odd> {
        let Some((number, field)) = any_value(bytes)? else { return Ok((ValueType::Empty, 0)) };
        let mut scratch = std::mem::take(&mut self.build.scratch);
        scratch.clear();
        let kind = match number {
            1 => {
                self.build.scratch = scratch;
                return Ok((ValueType::Text, self.build.text(field.text()?)));
            }
            2 => {
                scratch.push_str(if field.varint()? != 0 { "true" } else { "false" });
                ValueType::Bool
            }
            3 => {
                write_int(field.varint()? as i64, &mut scratch);
                ValueType::Int
            }
            4 => {
                scratch.push_str(&crate::Value::Double(f64::from_bits(field.fixed64()?)).text());
                ValueType::Double
            }
            7 => {
                let bytes = self.cut_bytes(field.bytes()?);
                base64::Engine::encode_string(&base64::prelude::BASE64_STANDARD, bytes, &mut scratch);
                ValueType::Bytes
            }
            5 | 6 => {
                self.write_value(Some((number, field)), &mut scratch, 0)?;
                ValueType::Nested
            }
            // An index into a string table that only profiles have.
            _ => {
                field.varint()?;
                self.build.scratch = scratch;
                return Ok((ValueType::Empty, 0));
            }
        };
        let code = self.build.chunk.texts.code(&scratch);
        self.build.scratch = scratch;
        Ok((kind, code))
    }

    pub(super) fn cut_bytes<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let kept = bytes.get(..self.build.limits.value_bytes_max).unwrap_or(bytes);
        self.build.truncated |= kept.len() < bytes.len();
        kept
    }
}

/// Messages of a span that are read once all of it is known.
#[derive(Default)]
struct Lists<'b> {
    events: Vec<&'b [u8]>,
    links: Vec<&'b [u8]>,
}

/// A decimal number, faster than through the formatter.
fn write_int(number: i64, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(digits.get(at..).unwrap_or_default()).unwrap_or_default());
}

/// Key and value of a `KeyValue`.
pub(super) fn key_value(bytes: &[u8]) -> Result<(&str, Option<&[u8]>), Odd> {
    let (mut key, mut value) = ("", None);
    let mut pair = Wire(bytes);
    while let Some((number, field)) = pair.next()? {
        match number {
            1 => key = field.text()?,
            2 => once(&mut value, field)?,
            // An index into a string table that only profiles have.
            3 => {
                field.varint()?;
            }
            _ => {}
        }
    }
    Ok((key, value))
}

/// The one field of an `AnyValue`.
pub(super) fn any_value(bytes: Option<&[u8]>) -> Result<Option<(u32, Field<'_>)>, Odd> {
    let mut found = None;
    let mut value = Wire(bytes.unwrap_or_default());
    while let Some((number, field)) = value.next()? {
        if (1..=8).contains(&number) && found.replace((number, field)).is_some() {
            return Err(Odd);
        }
    }
    Ok(found)
}

fn read_times(start: u64, end: u64, row: &mut Row) {
    row.duration_ns = match (start, end) {
        (0, _) | (_, 0) => NO_DURATION,
        (start, end) if end < start => {
            row.flags |= row_flags::END_BEFORE_START;
            0
        }
        (start, end) => end - start,
    };
}

fn read_ids(trace_id: &[u8], span_id: &[u8], parent: &[u8], row: &mut Row) -> Result<(), String> {
    let trace = otlp::trace_id(trace_id)?;
    row.trace_high = trace.high();
    row.trace_low = trace.low();
    row.span_id = otlp::span_id(span_id, "span_id")?.as_u64();
    row.parent_id = match parent {
        [] | [0, 0, 0, 0, 0, 0, 0, 0] => 0,
        bytes => otlp::span_id(bytes, "parent_span_id")?.as_u64(),
    };
    Ok(())
}
