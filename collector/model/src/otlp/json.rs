//! OTLP traces in JSON: `ExportTraceServiceRequest` by OTLP's own mapping (ids in hex, enumerations as numbers).
//!
//! Lenient where senders differ: 64-bit numbers quoted or not, ids in either case, names of fields in snake case too,
//! names of enumeration values, nulls. Strict in the rest: a value of another type is malformed. Rows are filled while
//! the text is walked, so that limits hold before anything is kept.

mod value;

use std::sync::Arc;

use tracepact_base::{SpanId, TraceId};

use self::value::Values;
use super::lift::{lift_remote, lift_resource};
use crate::codec::{DecodeError, DecodeLimits, Decoded, Rejection};
use crate::json_walk::{JsonError, JsonWalk, Next};
use crate::{EntityRef, Kind, Resource, Scope, Source, Span, SpanEvent, SpanLink, Status, StatusCode};

/// Why a request cannot be read.
pub(super) enum Reason {
    Json(JsonError),
    TooLarge(String),
}

impl From<JsonError> for Reason {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

type Read<T> = Result<T, Reason>;

/// Reads an `ExportTraceServiceRequest`. Spans with unusable ids are rejected one by one.
///
/// # Errors
/// When the body is no such JSON, or has more spans than allowed.
pub fn decode_json(body: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    let mut read = || -> Read<()> {
        let mut walk = JsonWalk::new(body)?;
        let mut request = Request { values: Values::new(limits), decoded: &mut decoded, position: 0 };
        walk.object()?;
        while let Some(field) = walk.field()? {
            match &*field {
                "resourceSpans" | "resource_spans" => {
                    list(&mut walk, |walk| request.resource_spans(walk))?;
                }
                _ => walk.skip()?,
            }
        }
        walk.end()?;
        Ok(())
    };
    match read() {
        Ok(()) => Ok(decoded),
        Err(Reason::TooLarge(reason)) => Err(DecodeError::too_large(reason)),
        Err(Reason::Json(error)) => {
            Err(DecodeError::invalid(format!("not an OTLP trace request in JSON: {error}")))
        }
    }
}

/// Items of a list; `null` is an empty one.
fn list<'t>(walk: &mut JsonWalk<'t>, mut item: impl FnMut(&mut JsonWalk<'t>) -> Read<()>) -> Read<()> {
    if walk.null()? {
        return Ok(());
    }
    walk.list()?;
    while walk.item()? {
        item(walk)?;
    }
    Ok(())
}

struct Request<'r, 'l> {
    values: Values<'l>,
    decoded: &'r mut Decoded,
    position: u32,
}

/// A span before its resource and scope are known: JSON does not order fields.
struct Pending {
    position: u32,
    span: Result<Span, String>,
}

impl Request<'_, '_> {
    fn resource_spans(&mut self, walk: &mut JsonWalk<'_>) -> Read<()> {
        let mut resource = Resource::default();
        let mut resource_truncated = false;
        let mut groups: Vec<(Scope, bool, Vec<Pending>)> = Vec::new();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "resource" => {
                    self.values.truncated = false;
                    let schema_url = std::mem::take(&mut resource.schema_url);
                    resource = self.resource(walk)?;
                    resource.schema_url = schema_url;
                    resource_truncated |= self.values.truncated;
                }
                "scopeSpans" | "scope_spans" => {
                    list(walk, |walk| {
                        groups.push(self.scope_spans(walk)?);
                        Ok(())
                    })?;
                }
                "schemaUrl" | "schema_url" => {
                    self.values.truncated = false;
                    resource.schema_url = self.values.text(walk)?;
                    resource_truncated |= self.values.truncated;
                }
                _ => walk.skip()?,
            }
        }
        let resource = Arc::new(resource);
        for (scope, scope_truncated, spans) in groups {
            let scope = Arc::new(scope);
            for Pending { position, span } in spans {
                match span {
                    Ok(mut span) => {
                        lift_resource(&resource, &mut span);
                        span.resource = resource.clone();
                        span.scope = scope.clone();
                        span.flags.truncated |= resource_truncated || scope_truncated;
                        self.decoded.spans.push(span);
                    }
                    Err(reason) => self.decoded.rejected.push(Rejection { position, reason }),
                }
            }
        }
        Ok(())
    }

    fn resource(&mut self, walk: &mut JsonWalk<'_>) -> Read<Resource> {
        let mut resource = Resource::default();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "attributes" => {
                    resource.attributes = self.values.attributes(walk, &mut resource.dropped_attributes)?;
                }
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    add(&mut resource.dropped_attributes, unsigned(walk)?);
                }
                "entityRefs" | "entity_refs" => {
                    list(walk, |walk| {
                        resource.entities.push(self.entity(walk)?);
                        Ok(())
                    })?;
                }
                _ => walk.skip()?,
            }
        }
        Ok(resource)
    }

    fn entity(&mut self, walk: &mut JsonWalk<'_>) -> Read<EntityRef> {
        let mut entity = EntityRef::default();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "schemaUrl" | "schema_url" => entity.schema_url = self.values.text(walk)?,
                "type" => entity.kind = self.values.text(walk)?,
                "idKeys" | "id_keys" => self.texts(walk, &mut entity.id_keys)?,
                "descriptionKeys" | "description_keys" => self.texts(walk, &mut entity.description_keys)?,
                _ => walk.skip()?,
            }
        }
        Ok(entity)
    }

    fn texts(&mut self, walk: &mut JsonWalk<'_>, texts: &mut Vec<Arc<str>>) -> Read<()> {
        list(walk, |walk| {
            texts.push(self.values.text(walk)?);
            Ok(())
        })
    }

    fn scope_spans(&mut self, walk: &mut JsonWalk<'_>) -> Read<(Scope, bool, Vec<Pending>)> {
        let mut scope = Scope::default();
        let mut truncated = false;
        let mut spans = Vec::new();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "scope" => {
                    self.values.truncated = false;
                    let schema_url = std::mem::take(&mut scope.schema_url);
                    scope = self.scope(walk)?;
                    scope.schema_url = schema_url;
                    truncated |= self.values.truncated;
                }
                "spans" => {
                    list(walk, |walk| {
                        let max = self.values.limits.spans_max;
                        if self.position as usize >= max {
                            return Err(Reason::TooLarge(format!(
                                "too many spans: a request may hold {max}"
                            )));
                        }
                        let position = self.position;
                        self.position = self.position.saturating_add(1);
                        let span = self.span(walk)?;
                        spans.push(Pending { position, span });
                        Ok(())
                    })?;
                }
                "schemaUrl" | "schema_url" => {
                    self.values.truncated = false;
                    scope.schema_url = self.values.text(walk)?;
                    truncated |= self.values.truncated;
                }
                _ => walk.skip()?,
            }
        }
        Ok((scope, truncated, spans))
    }

    fn scope(&mut self, walk: &mut JsonWalk<'_>) -> Read<Scope> {
        let mut scope = Scope::default();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "name" => scope.name = self.values.text(walk)?,
                "version" => scope.version = self.values.text(walk)?,
                "attributes" => {
                    scope.attributes = self.values.attributes(walk, &mut scope.dropped_attributes)?;
                }
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    add(&mut scope.dropped_attributes, unsigned(walk)?);
                }
                _ => walk.skip()?,
            }
        }
        Ok(scope)
    }

    /// The inner error is about this span alone.
    fn span(&mut self, walk: &mut JsonWalk<'_>) -> Read<Result<Span, String>> {
        self.values.truncated = false;
        let mut ids = Ids::default();
        let mut times = (0, 0);
        let mut span = Span::new(TraceId::MAX, SpanId::MAX);
        span.source = Source::Otlp;
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "traceId" | "trace_id" => ids.trace = hex(walk)?,
                "spanId" | "span_id" => ids.span = hex(walk)?,
                "parentSpanId" | "parent_span_id" => ids.parent = hex(walk)?,
                "traceState" | "trace_state" => span.tracestate = self.values.text(walk)?,
                "flags" => span.flags.otlp = unsigned(walk)?,
                "name" => span.name = self.values.text(walk)?,
                "kind" => span.kind = kind(walk)?,
                "startTimeUnixNano" | "start_time_unix_nano" => times.0 = unsigned(walk)?,
                "endTimeUnixNano" | "end_time_unix_nano" => times.1 = unsigned(walk)?,
                "attributes" => span.attributes = self.values.attributes(walk, &mut span.dropped[0])?,
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    add(&mut span.dropped[0], unsigned(walk)?);
                }
                "events" => list(walk, |walk| self.event(walk, &mut span))?,
                "droppedEventsCount" | "dropped_events_count" => {
                    add(&mut span.dropped[1], unsigned(walk)?);
                }
                "links" => list(walk, |walk| self.link(walk, &mut span))?,
                "droppedLinksCount" | "dropped_links_count" => add(&mut span.dropped[2], unsigned(walk)?),
                "status" => span.status = self.status(walk)?,
                _ => walk.skip()?,
            }
        }
        Ok(ids.check().map(|(trace_id, span_id, parent_id)| {
            (span.trace_id, span.span_id, span.parent_id) = (trace_id, span_id, parent_id);
            super::read::read_times(times.0, times.1, &mut span);
            span.remote = lift_remote(span.kind, &span.attributes);
            span.flags.truncated = self.values.truncated;
            span
        }))
    }

    fn event(&mut self, walk: &mut JsonWalk<'_>, span: &mut Span) -> Read<()> {
        if span.events.len() >= self.values.limits.events_max {
            self.values.truncated = true;
            add(&mut span.dropped[1], 1);
            return Ok(walk.skip()?);
        }
        let mut event =
            SpanEvent { at_ns: 0, name: "".into(), attributes: Vec::new(), dropped_attributes: 0 };
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "timeUnixNano" | "time_unix_nano" => event.at_ns = unsigned(walk)?,
                "name" => event.name = self.values.text(walk)?,
                "attributes" => {
                    event.attributes = self.values.attributes(walk, &mut event.dropped_attributes)?;
                }
                "droppedAttributesCount" | "dropped_attributes_count" => {
                    add(&mut event.dropped_attributes, unsigned(walk)?);
                }
                _ => walk.skip()?,
            }
        }
        span.events.push(event);
        Ok(())
    }

    /// A link to nowhere is left out and counted.
    fn link(&mut self, walk: &mut JsonWalk<'_>, span: &mut Span) -> Read<()> {
        let full = span.links.len() >= self.values.limits.links_max;
        let mut ids = Ids::default();
        let mut link = SpanLink {
            trace_id: TraceId::MAX,
            span_id: SpanId::MAX,
            tracestate: "".into(),
            attributes: Vec::new(),
            flags: 0,
            dropped_attributes: 0,
        };
        if full {
            walk.skip()?;
        } else {
            walk.object()?;
            while let Some(field) = walk.field()? {
                if walk.null()? {
                    continue;
                }
                match &*field {
                    "traceId" | "trace_id" => ids.trace = hex(walk)?,
                    "spanId" | "span_id" => ids.span = hex(walk)?,
                    "traceState" | "trace_state" => link.tracestate = self.values.text(walk)?,
                    "attributes" => {
                        link.attributes = self.values.attributes(walk, &mut link.dropped_attributes)?;
                    }
                    "droppedAttributesCount" | "dropped_attributes_count" => {
                        add(&mut link.dropped_attributes, unsigned(walk)?);
                    }
                    "flags" => link.flags = unsigned(walk)?,
                    _ => walk.skip()?,
                }
            }
        }
        match ids.check() {
            Ok((trace_id, span_id, _)) if !full => {
                (link.trace_id, link.span_id) = (trace_id, span_id);
                span.links.push(link);
            }
            _ => {
                self.values.truncated = true;
                add(&mut span.dropped[2], 1);
            }
        }
        Ok(())
    }

    fn status(&mut self, walk: &mut JsonWalk<'_>) -> Read<Status> {
        let mut status = Status::default();
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "code" => {
                    const NAMES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
                    status.code = match enumeration(walk, &NAMES)? {
                        1 => StatusCode::Ok,
                        2 => StatusCode::Error,
                        _ => StatusCode::Unset,
                    };
                }
                "message" => status.message = self.values.text(walk)?,
                _ => walk.skip()?,
            }
        }
        Ok(status)
    }
}

/// Ids as they were written, in bytes.
#[derive(Default)]
struct Ids {
    trace: Vec<u8>,
    span: Vec<u8>,
    parent: Vec<u8>,
}

impl Ids {
    fn check(&self) -> Result<(TraceId, SpanId, Option<SpanId>), String> {
        let trace_id = super::read::trace_id(&self.trace)?;
        let span_id = super::read::span_id(&self.span, "span_id")?;
        let parent_id = match self.parent.as_slice() {
            [] | [0, 0, 0, 0, 0, 0, 0, 0] => None,
            bytes => Some(super::read::span_id(bytes, "parent_span_id")?),
        };
        Ok((trace_id, span_id, parent_id))
    }
}

fn add(count: &mut u32, more: u32) {
    *count = count.saturating_add(more);
}

fn kind(walk: &mut JsonWalk<'_>) -> Read<Kind> {
    const NAMES: [&str; 6] = [
        "SPAN_KIND_UNSPECIFIED",
        "SPAN_KIND_INTERNAL",
        "SPAN_KIND_SERVER",
        "SPAN_KIND_CLIENT",
        "SPAN_KIND_PRODUCER",
        "SPAN_KIND_CONSUMER",
    ];
    Ok(super::read::kind(enumeration(walk, &NAMES)?))
}

/// An enumeration's number, or its name; numbers of a newer version are taken.
fn enumeration(walk: &mut JsonWalk<'_>, names: &[&str]) -> Read<i32> {
    let text = match walk.peek()? {
        Next::Text => walk.text()?,
        _ => walk.number()?.into(),
    };
    let number = names.iter().position(|name| *name == text).and_then(|number| i32::try_from(number).ok());
    match number.or_else(|| text.parse().ok()) {
        Some(number) => Ok(number),
        None => Err(walk.error("a number of the enumeration is expected").into()),
    }
}

/// A whole number that is not negative, quoted or not.
fn unsigned<T: TryFrom<u64>>(walk: &mut JsonWalk<'_>) -> Read<T> {
    let written = match walk.peek()? {
        Next::Text => walk.text()?,
        _ => walk.number()?.into(),
    };
    let number = written.parse::<u64>().ok().or_else(|| {
        // Some writers print floats; one that is whole and exact is meant so.
        let number = written.parse::<f64>().ok()?;
        (number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    });
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| walk.error("a whole number that is not negative is expected").into())
}

/// Bytes written in hex. Their number is judged where it is known which id it is.
fn hex(walk: &mut JsonWalk<'_>) -> Read<Vec<u8>> {
    let text = walk.text()?;
    // Longer ones are wrong anyway, and need not be kept.
    let text = &text.as_bytes()[..text.len().min(64)];
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> = text
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect();
    bytes.ok_or_else(|| walk.error("an id in hex is expected").into())
}
