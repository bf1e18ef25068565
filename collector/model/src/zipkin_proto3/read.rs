//! Bytes to rows.

use tracepact_base::{SpanId, TraceId};

use super::walk::{Walk, Wire, WireError};
use crate::codec::{DecodeError, DecodeLimits};
use crate::zipkin_fill::{Filler, finish, nanoseconds, place_bytes};
use crate::{Endpoint, Kind, Source, Span};

/// Ends every reason, as in Zipkin.
const READING: &str = "reading List<Span> from proto3";

/// Reads a `ListOfSpans`. Empty bytes are an empty list.
///
/// # Errors
/// When the bytes are no such message, a span lacks usable ids, or there are more spans than allowed.
pub fn decode(body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    let mut filler = Filler::new(limits);
    let mut spans = Vec::new();
    let mut list = Walk(body);
    while let Some(field) =
        list.field().map_err(|error| DecodeError::invalid(format!("{error} {READING}")))?
    {
        let (1, Wire::Bytes(bytes)) = field else {
            if field.0 == 1 {
                return Err(DecodeError::invalid(format!("Malformed: a span that is no message {READING}")));
            }
            continue;
        };
        filler.room(spans.len())?;
        let span = read_span(bytes, &mut filler)
            .map_err(|reason| DecodeError::invalid(format!("{reason} in span {} {READING}", spans.len())))?;
        spans.push(span);
    }
    Ok(spans)
}

impl From<WireError> for String {
    fn from(error: WireError) -> Self {
        error.to_string()
    }
}

fn read_span(bytes: &[u8], filler: &mut Filler<'_>) -> Result<Span, String> {
    let (trace_id, span_id) = read_ids(bytes)?;
    let mut span = Span::new(trace_id, span_id);
    span.source = Source::ZipkinV2;
    filler.begin_tags();
    let mut fields = Walk(bytes);
    while let Some((number, value)) = fields.field()? {
        match (number, value) {
            (1 | 3, Wire::Bytes(_)) => {}
            (2, Wire::Bytes(id)) => span.parent_id = SpanId::new(number_of(id, 8, "parent_id")? as u64),
            (4, Wire::Varint(kind)) => span.kind = read_kind(kind, span.kind),
            (5, Wire::Bytes(name)) => {
                span.name = filler.text(utf8(name, "name")?, &mut span.flags.truncated);
            }
            (6, Wire::Fixed64(micros)) => span.start_ns = nanoseconds(micros as i64, "timestamp")?,
            (7, Wire::Varint(micros)) => span.duration_ns = nanoseconds(micros as i64, "duration")?,
            (8, Wire::Bytes(endpoint)) => {
                read_endpoint(endpoint, filler, &mut span.local, &mut span.flags.truncated)?;
            }
            (9, Wire::Bytes(endpoint)) => {
                read_endpoint(endpoint, filler, &mut span.remote, &mut span.flags.truncated)?;
            }
            (10, Wire::Bytes(annotation)) => read_annotation(annotation, filler, &mut span)?,
            (11, Wire::Bytes(tag)) => read_tag(tag, filler, &mut span)?,
            (12, Wire::Varint(flag)) => span.flags.debug = flag != 0,
            (13, Wire::Varint(flag)) => span.flags.shared = flag != 0,
            (1..=13, _) => return Err(wrong_type(number)),
            _ => {}
        }
    }
    finish(&mut span);
    Ok(span)
}

fn wrong_type(number: u32) -> String {
    format!("Malformed: field {number} has another wire type than it should")
}

/// Ids may stand anywhere in a message; the last of each counts.
fn read_ids(bytes: &[u8]) -> Result<(TraceId, SpanId), String> {
    let (mut trace_id, mut span_id) = (None, None);
    let mut fields = Walk(bytes);
    while let Some(field) = fields.field()? {
        match field {
            (1, Wire::Bytes(id)) => trace_id = Some(number_of(id, 16, "trace_id")?),
            (3, Wire::Bytes(id)) => span_id = Some(number_of(id, 8, "id")? as u64),
            _ => {}
        }
    }
    let trace_id = trace_id.ok_or("trace_id is missing")?;
    let span_id = span_id.ok_or("id is missing")?;
    Ok((
        TraceId::new(trace_id).ok_or("trace_id is all zeros")?,
        SpanId::new(span_id).ok_or("id is all zeros")?,
    ))
}

/// Up to `max` big-endian bytes; fewer stand for leading zeros. No bytes are 0.
fn number_of(bytes: &[u8], max: usize, field: &str) -> Result<u128, String> {
    if bytes.len() > max {
        return Err(format!("{field} has {} bytes, at most {max} are possible", bytes.len()));
    }
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

fn utf8<'b>(bytes: &'b [u8], field: &str) -> Result<&'b str, String> {
    std::str::from_utf8(bytes).map_err(|_| format!("Malformed: {field} is not UTF-8"))
}

/// Kinds of a newer version are left out.
const fn read_kind(number: u64, known: Kind) -> Kind {
    match number {
        1 => Kind::Client,
        2 => Kind::Server,
        3 => Kind::Producer,
        4 => Kind::Consumer,
        _ => known,
    }
}

fn read_endpoint(
    bytes: &[u8],
    filler: &mut Filler<'_>,
    endpoint: &mut Endpoint,
    truncated: &mut bool,
) -> Result<(), String> {
    let mut fields = Walk(bytes);
    while let Some((number, value)) = fields.field()? {
        match (number, value) {
            (1, Wire::Bytes(name)) => {
                endpoint.service_name = filler.name(utf8(name, "service_name")?, truncated);
            }
            (2 | 3, Wire::Bytes(address)) => place_bytes(endpoint, address),
            // An int32: 0 and what is negative are absent.
            (4, Wire::Varint(port)) => match port as i32 {
                ..=0 => endpoint.port = None,
                port => {
                    endpoint.port = Some(u16::try_from(port).map_err(|_| format!("invalid port {port}"))?);
                }
            },
            (1..=4, _) => return Err(wrong_type(number)),
            _ => {}
        }
    }
    Ok(())
}

/// An annotation without a time or a value is left out and counted, as Zipkin leaves it out.
fn read_annotation(bytes: &[u8], filler: &mut Filler<'_>, span: &mut Span) -> Result<(), String> {
    let (mut at_ns, mut value) = (None, None);
    let mut fields = Walk(bytes);
    while let Some((number, field)) = fields.field()? {
        match (number, field) {
            (1, Wire::Fixed64(micros)) => at_ns = nanoseconds(micros as i64, "annotation timestamp")?,
            (2, Wire::Bytes(text)) => value = Some(utf8(text, "annotation")?),
            (1..=2, _) => return Err(wrong_type(number)),
            _ => {}
        }
    }
    match (at_ns, value.filter(|value| !value.is_empty())) {
        (Some(at_ns), Some(value)) => filler.annotation(span, at_ns, value),
        _ => span.dropped[1] = span.dropped[1].saturating_add(1),
    }
    Ok(())
}

/// A tag without a key is left out and counted; one without a value has an empty one.
fn read_tag(bytes: &[u8], filler: &mut Filler<'_>, span: &mut Span) -> Result<(), String> {
    let (mut key, mut value) = ("", "");
    let mut fields = Walk(bytes);
    while let Some((number, field)) = fields.field()? {
        match (number, field) {
            (1, Wire::Bytes(text)) => key = utf8(text, "tag key")?,
            (2, Wire::Bytes(text)) => value = utf8(text, "tag value")?,
            (1..=2, _) => return Err(wrong_type(number)),
            _ => {}
        }
    }
    if key.is_empty() {
        span.dropped[0] = span.dropped[0].saturating_add(1);
    } else {
        filler.tag(span, key, value);
    }
    Ok(())
}
