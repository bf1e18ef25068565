//! v1 JSON to rows: a list of spans with `annotations` and `binaryAnnotations`.
//!
//! As lenient as Zipkin's reader: unknown fields and nulls are skipped, numbers may be quoted, texts may be numbers.

use std::borrow::Cow;

use super::convert::{ConvertError, convert};
use super::span::{V1Annotation, V1Fields, V1Tag};
use crate::Endpoint;
use crate::Span;
use crate::codec::{DecodeError, DecodeLimits};
use crate::intern::cut;
use crate::json_walk::{JsonError, JsonWalk, Next};
use crate::zipkin_fill::{Filler, place};

/// Ends every reason, as in Zipkin.
const READING: &str = "reading List<Span> from json";

/// Reads a v1 list. A body of white space is an empty list.
///
/// # Errors
/// When the body is no such list, a span lacks usable ids, or there are more rows than allowed.
pub fn decode(body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    let mut spans = Vec::new();
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(spans);
    }
    let malformed = |error: JsonError| DecodeError::invalid(format!("Malformed {READING}: {error}"));
    let mut filler = Filler::new(limits);
    let mut walk = JsonWalk::new(body).map_err(malformed)?;
    walk.list().map_err(malformed)?;
    let mut number = 0;
    while walk.item().map_err(malformed)? {
        let in_span = |reason: String| DecodeError::invalid(format!("{reason} in span {number} {READING}"));
        let fields = read_span(&mut walk, &mut filler).map_err(|error| in_span(error.0))?;
        let span = fields.build().map_err(in_span)?;
        convert(&span, &mut filler, &mut spans).map_err(|error| match error {
            ConvertError::Invalid(reason) => in_span(reason),
            ConvertError::TooLarge(error) => error,
        })?;
        number += 1;
    }
    walk.end().map_err(malformed)?;
    Ok(spans)
}

/// What is wrong with a span.
struct Reason(String);

impl From<JsonError> for Reason {
    fn from(error: JsonError) -> Self {
        Self(format!("Malformed: {error}"))
    }
}

impl From<String> for Reason {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

fn read_span<'t>(walk: &mut JsonWalk<'t>, filler: &mut Filler<'_>) -> Result<V1Fields<'t>, Reason> {
    let mut span = V1Fields::default();
    walk.object()?;
    while let Some(field) = walk.field()? {
        if walk.null()? {
            continue;
        }
        match &*field {
            "traceId" => span.trace_id = id(&text(walk)?, "traceId", 32)?,
            "id" => span.id = id(&text(walk)?, "id", 16)? as u64,
            "parentId" => span.parent_id = id(&text(walk)?, "parentId", 16)? as u64,
            "name" => span.name = text(walk)?,
            "timestamp" => span.timestamp_us = whole(walk)?,
            "duration" => span.duration_us = whole(walk)?,
            "debug" => span.debug = walk.bool()?,
            "annotations" => {
                walk.list()?;
                while walk.item()? {
                    read_annotation(walk, filler, &mut span)?;
                }
            }
            "binaryAnnotations" => {
                walk.list()?;
                while walk.item()? {
                    read_tag(walk, filler, &mut span)?;
                }
            }
            _ => walk.skip()?,
        }
    }
    Ok(span)
}

fn read_annotation<'t>(
    walk: &mut JsonWalk<'t>,
    filler: &mut Filler<'_>,
    span: &mut V1Fields<'t>,
) -> Result<(), Reason> {
    let (mut at_us, mut value, mut endpoint) = (None, None, None);
    walk.object()?;
    while let Some(field) = walk.field()? {
        match &*field {
            "timestamp" => at_us = Some(whole(walk)?),
            "value" => value = Some(text(walk)?),
            "endpoint" if !walk.null()? => endpoint = read_endpoint(walk, filler, &mut span.truncated)?,
            "endpoint" => {}
            _ => walk.skip()?,
        }
    }
    let (Some(at_us), Some(value)) = (at_us, value) else {
        return Err(Reason("an annotation needs a timestamp and a value".to_owned()));
    };
    span.annotate(V1Annotation { at_us, value, endpoint }, filler.limits);
    Ok(())
}

fn read_tag<'t>(
    walk: &mut JsonWalk<'t>,
    filler: &mut Filler<'_>,
    span: &mut V1Fields<'t>,
) -> Result<(), Reason> {
    let (mut key, mut value, mut flag, mut endpoint) = (None, None, None, None);
    walk.object()?;
    while let Some(field) = walk.field()? {
        if walk.null()? {
            continue;
        }
        match &*field {
            "key" => key = Some(text(walk)?),
            "value" => match walk.peek()? {
                Next::Bool => flag = Some(walk.bool()?),
                Next::Text | Next::Number => value = Some(text(walk)?),
                _ => walk.skip()?,
            },
            "endpoint" => endpoint = read_endpoint(walk, filler, &mut span.truncated)?,
            _ => walk.skip()?,
        }
    }
    let key = key.ok_or_else(|| Reason("a binary annotation has no key".to_owned()))?;
    match (value, flag) {
        (Some(value), _) => span.tag(V1Tag { key, value, endpoint }, filler.limits),
        (None, Some(true)) if endpoint.is_some() && matches!(&*key, "ca" | "sa" | "ma") => {
            span.tag(V1Tag { key, value: Cow::Borrowed(""), endpoint }, filler.limits);
        }
        // A flag that is no address, or nothing.
        _ => span.dropped[0] = span.dropped[0].saturating_add(1),
    }
    Ok(())
}

/// `None` when it says nothing.
fn read_endpoint(
    walk: &mut JsonWalk<'_>,
    filler: &mut Filler<'_>,
    truncated: &mut bool,
) -> Result<Option<Endpoint>, Reason> {
    let mut endpoint = Endpoint::default();
    walk.object()?;
    while let Some(field) = walk.field()? {
        if walk.null()? {
            continue;
        }
        match &*field {
            "serviceName" => endpoint.service_name = filler.name(&text(walk)?, truncated),
            "ipv4" | "ipv6" => {
                if let Ok(address) = text(walk)?.parse() {
                    place(&mut endpoint, address);
                }
            }
            "port" => match whole(walk)? {
                ..=0 => endpoint.port = None,
                port => {
                    endpoint.port = Some(u16::try_from(port).map_err(|_| format!("invalid port {port}"))?);
                }
            },
            _ => walk.skip()?,
        }
    }
    Ok(Some(endpoint).filter(|endpoint| !endpoint.is_empty()))
}

/// A text; a number is taken as it is written.
fn text<'t>(walk: &mut JsonWalk<'t>) -> Result<Cow<'t, str>, JsonError> {
    match walk.peek()? {
        Next::Number => walk.number().map(Cow::Borrowed),
        _ => walk.text(),
    }
}

/// A whole number, quoted or not.
fn whole(walk: &mut JsonWalk<'_>) -> Result<i64, JsonError> {
    let written = text(walk)?;
    if let Ok(number) = written.parse::<i64>() {
        return Ok(number);
    }
    match written.parse::<f64>() {
        // 2^53 bounds the numbers that a float holds exactly.
        Ok(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => Ok(number as i64),
        _ => Err(walk.error(format!("{:?} is not a whole number", cut(&written, 64)))),
    }
}

/// An id in lower hex; zeros alone are 0.
fn id(text: &str, field: &str, max: usize) -> Result<u128, String> {
    if text.is_empty() || text.len() > max {
        return Err(format!("{field} has {} characters, 1 to {max} are possible", text.len()));
    }
    text.bytes()
        .try_fold(0, |id, byte| {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            Some(id << 4 | u128::from(digit))
        })
        .ok_or_else(|| format!("{text} should be lower-hex encoded with no prefix"))
}
