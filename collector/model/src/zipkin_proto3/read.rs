//! Bytes to rows: straight into columns, texts borrowed from the body on their way into the dictionary.

use tracepact_base::{SpanId, TraceId};

use super::walk::{Walk, Wire, WireError};
use crate::codec::{DecodeError, DecodeLimits};
use crate::columnar::{Builder, EndpointCodes, NO_DURATION, Row, kind_number, row_flags, source_number};
use crate::zipkin_fill::{nanoseconds, place_bytes};
use crate::{Endpoint, Kind, Source, Span};

/// Ends every reason, as in Zipkin.
const READING: &str = "reading List<Span> from proto3";

/// Reads a `ListOfSpans`. Empty bytes are an empty list.
///
/// # Errors
/// When the bytes are no such message, a span lacks usable ids, or there are more spans than allowed.
pub fn decode(body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    let chunk = crate::columnar::decode_zipkin_proto3(body, limits)?;
    chunk.spans().map_err(|error| DecodeError::invalid(error.to_string()))
}

/// Reads a `ListOfSpans` into a chunk.
pub(crate) fn read_into(body: &[u8], build: &mut Builder<'_>) -> Result<(), DecodeError> {
    let mut list = Walk(body);
    let mut spans = 0usize;
    while let Some(field) =
        list.field().map_err(|error| DecodeError::invalid(format!("{error} {READING}")))?
    {
        let (1, Wire::Bytes(bytes)) = field else {
            if field.0 == 1 {
                return Err(DecodeError::invalid(format!("Malformed: a span that is no message {READING}")));
            }
            continue;
        };
        let max = build.limits().spans_max;
        if spans >= max {
            return Err(DecodeError::too_large(format!("too many spans: a request may hold {max}")));
        }
        read_span(bytes, build)
            .map_err(|reason| DecodeError::invalid(format!("{reason} in span {spans} {READING}")))?;
        spans += 1;
    }
    Ok(())
}

impl From<WireError> for String {
    fn from(error: WireError) -> Self {
        error.to_string()
    }
}

fn read_span(bytes: &[u8], build: &mut Builder<'_>) -> Result<(), String> {
    let (trace_id, span_id) = read_ids(bytes)?;
    build.begin();
    let mut row = Row {
        trace_low: trace_id.low(),
        trace_high: trace_id.high(),
        span_id: span_id.as_u64(),
        duration_ns: NO_DURATION,
        source: source_number(Source::ZipkinV2),
        ..Row::default()
    };
    let (mut kind, mut debug, mut shared) = (Kind::Unset, false, false);
    let (mut local, mut remote, mut events) = <(Side, Side, Events)>::default();
    let mut fields = Walk(bytes);
    while let Some((number, value)) = fields.field()? {
        match (number, value) {
            (1 | 3, Wire::Bytes(_)) => {}
            (2, Wire::Bytes(id)) => row.parent_id = number_of(id, 8, "parent_id")? as u64,
            (4, Wire::Varint(number)) => kind = read_kind(number, kind),
            (5, Wire::Bytes(name)) => row.name = build.text(utf8(name, "name")?),
            (6, Wire::Fixed64(micros)) => {
                row.start_ns = nanoseconds(micros as i64, "timestamp")?.unwrap_or(0);
            }
            (7, Wire::Varint(micros)) => {
                row.duration_ns = nanoseconds(micros as i64, "duration")?.unwrap_or(NO_DURATION);
            }
            (8, Wire::Bytes(endpoint)) => local.read(endpoint, build)?,
            (9, Wire::Bytes(endpoint)) => remote.read(endpoint, build)?,
            (10, Wire::Bytes(annotation)) => events.read(annotation, build, &mut row)?,
            (11, Wire::Bytes(tag)) => read_tag(tag, build, &mut row)?,
            (12, Wire::Varint(flag)) => debug = flag != 0,
            (13, Wire::Varint(flag)) => shared = flag != 0,
            (1..=13, _) => return Err(wrong_type(number)),
            _ => {}
        }
    }
    // What Zipkin's builder mends: a span is not its own parent, and a client's half is not shared.
    if row.parent_id == row.span_id {
        row.parent_id = 0;
    }
    row.flags |= if debug { row_flags::DEBUG } else { 0 };
    row.flags |= if shared && kind != Kind::Client { row_flags::SHARED } else { 0 };
    row.kind = kind_number(kind);
    row.local = local.number(build);
    row.remote = remote.number(build);
    row.events = events.close(build);
    build.push(row);
    Ok(())
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

/// An endpoint; of a repeated field what comes later counts.
#[derive(Default)]
struct Side {
    service: u32,
    /// All but the service.
    rest: Endpoint,
}

impl Side {
    fn read(&mut self, bytes: &[u8], build: &mut Builder<'_>) -> Result<(), String> {
        let mut fields = Walk(bytes);
        while let Some((number, value)) = fields.field()? {
            match (number, value) {
                (1, Wire::Bytes(name)) => self.service = build.text(utf8(name, "service_name")?),
                (2 | 3, Wire::Bytes(address)) => place_bytes(&mut self.rest, address),
                // An int32: 0 and what is negative are absent.
                (4, Wire::Varint(port)) => match port as i32 {
                    ..=0 => self.rest.port = None,
                    port => {
                        let port = u16::try_from(port).map_err(|_| format!("invalid port {port}"))?;
                        self.rest.port = Some(port);
                    }
                },
                (1..=4, _) => return Err(wrong_type(number)),
                _ => {}
            }
        }
        Ok(())
    }

    fn number(&self, build: &mut Builder<'_>) -> u32 {
        let Endpoint { ipv4, ipv6, port, .. } = self.rest;
        build.endpoint(EndpointCodes { service: self.service, ipv4, ipv6, port: port.unwrap_or(0) })
    }
}

/// The annotations of a span as one text.
#[derive(Default)]
struct Events {
    out: String,
    count: usize,
}

impl Events {
    /// An annotation without a time or a value is left out and counted, as Zipkin leaves it out.
    fn read(&mut self, bytes: &[u8], build: &mut Builder<'_>, row: &mut Row) -> Result<(), String> {
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
            (Some(at_ns), Some(value)) if self.count < build.limits().events_max => {
                build.annotation(at_ns, value, self.count, &mut self.out);
                self.count += 1;
            }
            (Some(_), Some(_)) => {
                build.mark_truncated();
                row.dropped_events = row.dropped_events.saturating_add(1);
            }
            _ => row.dropped_events = row.dropped_events.saturating_add(1),
        }
        Ok(())
    }

    fn close(mut self, build: &mut Builder<'_>) -> u32 {
        if self.count == 0 {
            return 0;
        }
        self.out.push(']');
        build.whole_text(&self.out)
    }
}

/// A tag without a key is left out and counted; one without a value has an empty one.
fn read_tag(bytes: &[u8], build: &mut Builder<'_>, row: &mut Row) -> Result<(), String> {
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
        row.dropped_attributes = row.dropped_attributes.saturating_add(1);
    } else {
        build.tag(key, value, row);
    }
    Ok(())
}
