//! Bytes to rows, one span at a time: no tree of JSON values is built.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use tracepact_base::{IdError, SpanId, TraceId};

use super::endpoint::JsonEndpoint;
use super::text::{Text, Whole};
use crate::codec::{DecodeError, DecodeLimits};
use crate::intern::{Interner, cut};
use crate::{Attributes, Kind, Source, Span, SpanEvent, Value};

/// Marks an error that is about size, so that it can be told from malformed input behind serde's error type.
const TOO_MANY: &str = "too many spans: ";

/// Reads a JSON list of v2 spans. An empty body is an empty list, as in Zipkin.
pub fn decode(body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let spans = List { limits }.deserialize(&mut reader).and_then(|spans| reader.end().map(|()| spans));
    spans.map_err(|error| {
        let reason = error.to_string();
        if reason.starts_with(TOO_MANY) {
            DecodeError::too_large(reason)
        } else {
            DecodeError::invalid(reason)
        }
    })
}

struct List<'l> {
    limits: &'l DecodeLimits,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Vec<Span>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Span>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Vec<Span>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON list of spans")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Span>, A::Error> {
        let mut spans = Vec::new();
        let mut interner = Interner::default();
        while let Some(json) = list.next_element::<JsonSpan<'de>>()? {
            if spans.len() >= self.limits.spans_max {
                let max = self.limits.spans_max;
                return Err(A::Error::custom(format_args!("{TOO_MANY}a request may hold {max}")));
            }
            let position = spans.len();
            let span = json
                .into_row(self.limits, &mut interner)
                .map_err(|reason| A::Error::custom(format_args!("span {position}: {reason}")))?;
            spans.push(span);
        }
        Ok(spans)
    }
}

#[derive(Deserialize)]
struct JsonSpan<'a> {
    #[serde(rename = "traceId", borrow, default)]
    trace_id: Option<Text<'a>>,
    #[serde(rename = "parentId", borrow, default)]
    parent_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
    #[serde(borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(default)]
    timestamp: Option<Whole>,
    #[serde(default)]
    duration: Option<Whole>,
    #[serde(rename = "localEndpoint", borrow, default)]
    local: Option<JsonEndpoint<'a>>,
    #[serde(rename = "remoteEndpoint", borrow, default)]
    remote: Option<JsonEndpoint<'a>>,
    #[serde(borrow, default)]
    annotations: Option<Vec<JsonAnnotation<'a>>>,
    #[serde(borrow, default)]
    tags: Option<Tags<'a>>,
    #[serde(default)]
    debug: Option<bool>,
    #[serde(default)]
    shared: Option<bool>,
    /// Only v1 has these.
    #[serde(rename = "binaryAnnotations", default)]
    v1_tags: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct JsonAnnotation<'a> {
    #[serde(default)]
    timestamp: Option<Whole>,
    #[serde(borrow, default)]
    value: Option<Text<'a>>,
    /// Only v1 has this.
    #[serde(default)]
    endpoint: Option<serde::de::IgnoredAny>,
}

/// Tags in order; of a repeated key the last value counts.
struct Tags<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Tags<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TagsVisitor;
        impl<'de> Visitor<'de> for TagsVisitor {
            type Value = Tags<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tags")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags<'de>, A::Error> {
                let mut tags = Vec::new();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match map.next_value::<Option<Text<'de>>>()? {
                        Some(value) => tags.push((key, value)),
                        None => return Err(A::Error::custom(format_args!("no value for tag {:?}", key.0))),
                    }
                }
                Ok(Tags(tags))
            }
        }
        deserializer.deserialize_map(TagsVisitor)
    }
}

impl JsonSpan<'_> {
    fn into_row(self, limits: &DecodeLimits, interner: &mut Interner) -> Result<Span, String> {
        if self.v1_tags.is_some() || self.annotations.iter().flatten().any(|a| a.endpoint.is_some()) {
            return Err("expected a JSON_V2 encoded list, but received: JSON_V1".to_owned());
        }
        let trace_id = required(self.trace_id, "traceId")?;
        let trace_id: TraceId = trace_id.0.parse().map_err(|e| bad_id("traceId", &trace_id, &e))?;
        let span_id = required(self.id, "id")?;
        let span_id: SpanId = span_id.0.parse().map_err(|e| bad_id("id", &span_id, &e))?;

        let mut span = Span::new(trace_id, span_id);
        span.source = Source::ZipkinV2;
        span.parent_id = match self.parent_id {
            None => None,
            Some(text) => match text.0.parse::<SpanId>() {
                Ok(id) => Some(id).filter(|id| *id != span_id),
                Err(IdError::Zero) => None,
                Err(error) => return Err(bad_id("parentId", &text, &error)),
            },
        };
        span.kind = self.kind.map_or(Ok(Kind::Unset), |kind| read_kind(&kind.0))?;
        span.flags.debug = self.debug.unwrap_or(false);
        span.flags.shared = self.shared.unwrap_or(false) && span.kind != Kind::Client;
        span.start_ns = nanoseconds(self.timestamp, "timestamp")?;
        span.duration_ns = nanoseconds(self.duration, "duration")?;
        if let Some(name) = self.name {
            span.name = interner.share(bounded(&name.0, limits, &mut span.flags.truncated));
        }
        if let Some(endpoint) = self.local {
            span.local = endpoint.into_row(interner, limits.value_bytes_max)?;
        }
        if let Some(endpoint) = self.remote {
            span.remote = endpoint.into_row(interner, limits.value_bytes_max)?;
        }
        if let Some(annotations) = self.annotations {
            read_annotations(annotations, limits, interner, &mut span)?;
        }
        if let Some(Tags(tags)) = self.tags {
            read_tags(tags, limits, interner, &mut span);
        }
        Ok(span)
    }
}

fn required<'a>(text: Option<Text<'a>>, field: &str) -> Result<Text<'a>, String> {
    text.ok_or_else(|| format!("{field} is missing"))
}

fn bad_id(field: &str, text: &Text<'_>, error: &IdError) -> String {
    format!("{field} {:?}: {error}", cut(&text.0, 64))
}

fn read_kind(kind: &str) -> Result<Kind, String> {
    match kind {
        "CLIENT" => Ok(Kind::Client),
        "SERVER" => Ok(Kind::Server),
        "PRODUCER" => Ok(Kind::Producer),
        "CONSUMER" => Ok(Kind::Consumer),
        other => Err(format!(
            "kind {:?} is none of CLIENT, SERVER, PRODUCER, CONSUMER (leave it out for local work)",
            cut(other, 64)
        )),
    }
}

/// Microseconds to nanoseconds; 0 is Zipkin's "absent".
fn nanoseconds(micros: Option<Whole>, field: &str) -> Result<Option<u64>, String> {
    match micros {
        None | Some(Whole(0)) => Ok(None),
        Some(Whole(micros)) => micros
            .checked_mul(1_000)
            .map(Some)
            .ok_or_else(|| format!("{field} {micros} is not in microseconds: it lies beyond the year 2554")),
    }
}

fn bounded<'t>(text: &'t str, limits: &DecodeLimits, truncated: &mut bool) -> &'t str {
    let kept = cut(text, limits.value_bytes_max);
    *truncated |= kept.len() < text.len();
    kept
}

fn read_annotations(
    annotations: Vec<JsonAnnotation<'_>>,
    limits: &DecodeLimits,
    interner: &mut Interner,
    span: &mut Span,
) -> Result<(), String> {
    for annotation in annotations {
        let (Some(at), Some(value)) = (annotation.timestamp, annotation.value) else {
            return Err("an annotation needs a timestamp and a value".to_owned());
        };
        if span.events.len() >= limits.events_max {
            span.flags.truncated = true;
            span.dropped[1] = span.dropped[1].saturating_add(1);
            continue;
        }
        span.events.push(SpanEvent {
            at_ns: nanoseconds(Some(at), "annotation timestamp")?.unwrap_or(0),
            name: interner.share(bounded(&value.0, limits, &mut span.flags.truncated)),
            attributes: Vec::new(),
            dropped_attributes: 0,
        });
    }
    Ok(())
}

fn read_tags(
    tags: Vec<(Text<'_>, Text<'_>)>,
    limits: &DecodeLimits,
    interner: &mut Interner,
    span: &mut Span,
) {
    let mut read: Attributes = Vec::with_capacity(tags.len().min(limits.attributes_max));
    let mut positions = std::collections::HashMap::new();
    for (key, value) in tags {
        let key = interner.share(bounded(&key.0, limits, &mut span.flags.truncated));
        let value: Arc<str> = interner.share(bounded(&value.0, limits, &mut span.flags.truncated));
        if let Some(position) = positions.get(&key) {
            let slot: &mut (Arc<str>, Value) = &mut read[*position];
            slot.1 = Value::String(value);
        } else if read.len() >= limits.attributes_max {
            span.flags.truncated = true;
            span.dropped[0] = span.dropped[0].saturating_add(1);
        } else {
            positions.insert(key.clone(), read.len());
            read.push((key, Value::String(value)));
        }
    }
    span.attributes = read;
}
