//! Bytes to rows, one span at a time: no tree of JSON values is built.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use tracepact_base::{IdError, SpanId, TraceId};

use super::endpoint::JsonEndpoint;
use super::text::{Text, Whole};
use crate::codec::{DecodeError, DecodeLimits};
use crate::columnar::{Builder, NO_DURATION, Row, kind_number, row_flags, source_number};
use crate::intern::cut;
use crate::{Kind, Source, Span};

/// Marks an error that is about size, so that it can be told from malformed input behind serde's error type.
const TOO_MANY: &str = "too many spans: ";

/// Reads a JSON list of v2 spans. An empty body is an empty list, as in Zipkin.
pub fn decode(body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    let chunk = crate::columnar::decode_zipkin_json(body, limits)?;
    chunk.spans().map_err(|error| DecodeError::invalid(error.to_string()))
}

/// Reads a JSON list of v2 spans into a chunk.
pub(crate) fn read_into(body: &[u8], build: &mut Builder<'_>) -> Result<(), DecodeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = List { build }.deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|error| {
        let reason = error.to_string();
        if reason.starts_with(TOO_MANY) {
            DecodeError::too_large(reason)
        } else {
            DecodeError::invalid(reason)
        }
    })
}

struct List<'b, 'l> {
    build: &'b mut Builder<'l>,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON list of spans")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut position = 0usize;
        while let Some(json) = list.next_element::<JsonSpan<'de>>()? {
            if position >= self.build.limits().spans_max {
                let max = self.build.limits().spans_max;
                return Err(A::Error::custom(format_args!("{TOO_MANY}a request may hold {max}")));
            }
            json.add_to(self.build)
                .map_err(|reason| A::Error::custom(format_args!("span {position}: {reason}")))?;
            position += 1;
        }
        Ok(())
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
    fn add_to(self, build: &mut Builder<'_>) -> Result<(), String> {
        if self.v1_tags.is_some() || self.annotations.iter().flatten().any(|a| a.endpoint.is_some()) {
            return Err("expected a JSON_V2 encoded list, but received: JSON_V1".to_owned());
        }
        let trace_id = required(self.trace_id, "traceId")?;
        let trace_id: TraceId = trace_id.0.parse().map_err(|e| bad_id("traceId", &trace_id, &e))?;
        let span_id = required(self.id, "id")?;
        let span_id: SpanId = span_id.0.parse().map_err(|e| bad_id("id", &span_id, &e))?;
        let parent_id = match self.parent_id {
            None => 0,
            Some(text) => match text.0.parse::<SpanId>() {
                Ok(id) if id == span_id => 0,
                Ok(id) => id.as_u64(),
                Err(IdError::Zero) => 0,
                Err(error) => return Err(bad_id("parentId", &text, &error)),
            },
        };
        let kind = self.kind.map_or(Ok(Kind::Unset), |kind| read_kind(&kind.0))?;
        let mut flags = if self.debug.unwrap_or(false) { row_flags::DEBUG } else { 0 };
        if self.shared.unwrap_or(false) && kind != Kind::Client {
            flags |= row_flags::SHARED;
        }
        build.begin();
        let mut row = Row {
            trace_low: trace_id.low(),
            trace_high: trace_id.high(),
            span_id: span_id.as_u64(),
            parent_id,
            start_ns: nanoseconds(self.timestamp, "timestamp")?.unwrap_or(0),
            duration_ns: nanoseconds(self.duration, "duration")?.unwrap_or(NO_DURATION),
            kind: kind_number(kind),
            source: source_number(Source::ZipkinV2),
            flags,
            ..Row::default()
        };
        row.name = build.text(&self.name.map_or(Cow::Borrowed(""), |name| name.0));
        if let Some(endpoint) = self.local {
            row.local = endpoint.add_to(build)?;
        }
        if let Some(endpoint) = self.remote {
            row.remote = endpoint.add_to(build)?;
        }
        if let Some(annotations) = self.annotations {
            add_annotations(annotations, build, &mut row)?;
        }
        for (key, value) in self.tags.into_iter().flat_map(|Tags(tags)| tags) {
            build.tag(&key.0, &value.0, &mut row);
        }
        build.push(row);
        Ok(())
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

fn add_annotations(
    annotations: Vec<JsonAnnotation<'_>>,
    build: &mut Builder<'_>,
    row: &mut Row,
) -> Result<(), String> {
    let mut out = String::new();
    let mut events = 0;
    for annotation in annotations {
        let (Some(at), Some(value)) = (annotation.timestamp, annotation.value) else {
            return Err("an annotation needs a timestamp and a value".to_owned());
        };
        if events >= build.limits().events_max {
            build.mark_truncated();
            row.dropped_events = row.dropped_events.saturating_add(1);
            continue;
        }
        let at_ns = nanoseconds(Some(at), "annotation timestamp")?.unwrap_or(0);
        build.annotation(at_ns, &value.0, events, &mut out);
        events += 1;
    }
    if events > 0 {
        out.push(']');
        row.events = build.whole_text(&out);
    }
    Ok(())
}
