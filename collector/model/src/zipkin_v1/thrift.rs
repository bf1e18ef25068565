//! v1 thrift (TBinaryProtocol) to rows: a list of spans, or one span alone as old Kafka reporters send it.
//!
//! Source: zipkin-api's `zipkinCore.thrift`.

use std::borrow::Cow;

use super::convert::{ConvertError, convert};
use super::span::{V1Annotation, V1Fields, V1Tag};
use super::thrift_walk::{BOOL, I16, I32, I64, LIST, STRING, STRUCT, ThriftWalk};
use crate::codec::{DecodeError, DecodeLimits};
use crate::zipkin_fill::{Filler, place_bytes};
use crate::{Endpoint, Span};

/// Ends every reason, as in Zipkin.
const READING: &str = "reading List<Span> from TBinary";

/// Whether the first bytes are those of a list of spans. zipkin-reporter once named strings as the items' type.
pub(crate) fn is_list(body: &[u8]) -> bool {
    match body {
        [STRUCT, ..] => true,
        // A span alone may begin with its name, which is field 3.
        [STRING, 0, 3, ..] => false,
        [STRING, ..] => true,
        _ => false,
    }
}

/// Reads a list, or a single span. Empty bytes are an empty list.
///
/// # Errors
/// When the bytes are neither, a span lacks usable ids, or there are more rows than allowed.
pub fn decode(body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    let mut spans = Vec::new();
    if body.is_empty() {
        return Ok(spans);
    }
    let mut filler = Filler::new(limits);
    let mut walk = ThriftWalk(body);
    let count = if is_list(body) {
        walk.list().map_err(|reason| DecodeError::invalid(format!("{reason} {READING}")))?
    } else {
        1
    };
    for number in 0..count {
        let in_span = |reason: String| DecodeError::invalid(format!("{reason} in span {number} {READING}"));
        let fields = read_span(&mut walk, &mut filler).map_err(in_span)?;
        let span = fields.build().map_err(in_span)?;
        convert(&span, &mut filler, &mut spans).map_err(|error| match error {
            ConvertError::Invalid(reason) => in_span(reason),
            ConvertError::TooLarge(error) => error,
        })?;
    }
    if walk.0.is_empty() {
        Ok(spans)
    } else {
        Err(DecodeError::invalid(format!("Malformed: {} bytes behind the list {READING}", walk.0.len())))
    }
}

fn read_span<'b>(walk: &mut ThriftWalk<'b>, filler: &mut Filler<'_>) -> Result<V1Fields<'b>, String> {
    let mut span = V1Fields::default();
    let (mut low, mut high) = (0, 0);
    while let Some(field) = walk.field()? {
        match field {
            (I64, 1) => low = walk.i64()? as u64,
            (STRING, 3) => span.name = Cow::Borrowed(walk.text("a name")?),
            (I64, 4) => span.id = walk.i64()? as u64,
            (I64, 5) => span.parent_id = walk.i64()? as u64,
            (LIST, 6) => {
                for _ in 0..walk.list()? {
                    read_annotation(walk, filler, &mut span)?;
                }
            }
            (LIST, 8) => {
                for _ in 0..walk.list()? {
                    read_tag(walk, filler, &mut span)?;
                }
            }
            (BOOL, 9) => span.debug = walk.byte()? == 1,
            (I64, 10) => span.timestamp_us = walk.i64()?,
            (I64, 11) => span.duration_us = walk.i64()?,
            (I64, 12) => high = walk.i64()? as u64,
            (kind, _) => walk.skip(kind)?,
        }
    }
    span.trace_id = u128::from(high) << 64 | u128::from(low);
    Ok(span)
}

/// An annotation without a time or a value is left out and counted, as Zipkin leaves it out.
fn read_annotation<'b>(
    walk: &mut ThriftWalk<'b>,
    filler: &mut Filler<'_>,
    span: &mut V1Fields<'b>,
) -> Result<(), String> {
    let (mut at_us, mut value, mut endpoint) = (0, None, None);
    while let Some(field) = walk.field()? {
        match field {
            (I64, 1) => at_us = walk.i64()?,
            (STRING, 2) => value = Some(Cow::Borrowed(walk.text("an annotation")?)),
            (STRUCT, 3) => endpoint = read_endpoint(walk, filler, &mut span.truncated)?,
            (kind, _) => walk.skip(kind)?,
        }
    }
    match value {
        Some(value) if at_us != 0 => {
            span.annotate(V1Annotation { at_us, value, endpoint }, filler.limits);
        }
        _ => span.dropped[1] = span.dropped[1].saturating_add(1),
    }
    Ok(())
}

/// Numbers become decimal text. Bytes, and flags that are no address, are left out and counted.
fn read_tag<'b>(
    walk: &mut ThriftWalk<'b>,
    filler: &mut Filler<'_>,
    span: &mut V1Fields<'b>,
) -> Result<(), String> {
    let (mut key, mut value, mut kind, mut endpoint) = (None, None, None, None);
    while let Some(field) = walk.field()? {
        match field {
            (STRING, 1) => key = Some(Cow::Borrowed(walk.text("a tag key")?)),
            (STRING, 2) => value = Some(walk.bytes()?),
            (I32, 3) => kind = Some(walk.i32()?),
            (STRUCT, 4) => endpoint = read_endpoint(walk, filler, &mut span.truncated)?,
            (kind, _) => walk.skip(kind)?,
        }
    }
    let tag = match (key, value, kind) {
        (Some(key), Some([1]), Some(0)) if matches!(&*key, "ca" | "sa" | "ma") && endpoint.is_some() => {
            Some((key, Cow::Borrowed("")))
        }
        (Some(key), Some(value), Some(kind)) => tag_text(kind, value)?.map(|text| (key, text)),
        _ => None,
    };
    match tag {
        Some((key, value)) => span.tag(V1Tag { key, value, endpoint }, filler.limits),
        None => span.dropped[0] = span.dropped[0].saturating_add(1),
    }
    Ok(())
}

/// The value of a tag by its `AnnotationType`.
fn tag_text(kind: i32, value: &[u8]) -> Result<Option<Cow<'_, str>>, String> {
    fn number<const N: usize>(value: &[u8], text: impl Fn([u8; N]) -> String) -> Option<Cow<'static, str>> {
        value.try_into().ok().map(|bytes| Cow::Owned(text(bytes)))
    }
    Ok(match kind {
        2 => number(value, |bytes| i16::from_be_bytes(bytes).to_string()),
        3 => number(value, |bytes| i32::from_be_bytes(bytes).to_string()),
        4 => number(value, |bytes| i64::from_be_bytes(bytes).to_string()),
        5 => number(value, |bytes| format!("{:?}", f64::from_be_bytes(bytes))),
        6 => {
            let text = std::str::from_utf8(value).map_err(|_| "Malformed: a tag value is not UTF-8")?;
            Some(Cow::Borrowed(text))
        }
        _ => None,
    })
}

/// `None` when it says nothing.
fn read_endpoint(
    walk: &mut ThriftWalk<'_>,
    filler: &mut Filler<'_>,
    truncated: &mut bool,
) -> Result<Option<Endpoint>, String> {
    let mut endpoint = Endpoint::default();
    while let Some(field) = walk.field()? {
        match field {
            (I32, 1) => {
                let address = walk.i32()?;
                if address != 0 {
                    place_bytes(&mut endpoint, &address.to_be_bytes());
                }
            }
            (I16, 2) => endpoint.port = Some(walk.i16()? as u16).filter(|port| *port > 0),
            (STRING, 3) => endpoint.service_name = filler.name(walk.text("a service name")?, truncated),
            (STRING, 4) => place_bytes(&mut endpoint, walk.bytes()?),
            (kind, _) => walk.skip(kind)?,
        }
    }
    Ok(Some(endpoint).filter(|endpoint| !endpoint.is_empty()))
}
