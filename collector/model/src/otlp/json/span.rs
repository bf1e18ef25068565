//! One span with its events, links and status.

use tracepact_base::{SpanId, TraceId};

use super::scalars::{add, enumeration, hex, list, unsigned};
use super::{Read, Request};
use crate::json_walk::JsonWalk;
use crate::otlp::lift::lift_remote;
use crate::otlp::read;
use crate::{Kind, Source, Span, SpanEvent, SpanLink, Status, StatusCode};

impl Request<'_, '_> {
    /// The inner error is about this span alone.
    pub(super) fn span(&mut self, walk: &mut JsonWalk<'_>) -> Read<Result<Span, String>> {
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
            read::read_times(times.0, times.1, &mut span);
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
        let trace_id = read::trace_id(&self.trace)?;
        let span_id = read::span_id(&self.span, "span_id")?;
        let parent_id = match self.parent.as_slice() {
            [] | [0, 0, 0, 0, 0, 0, 0, 0] => None,
            bytes => Some(read::span_id(bytes, "parent_span_id")?),
        };
        Ok((trace_id, span_id, parent_id))
    }
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
    Ok(read::kind(enumeration(walk, &NAMES)?))
}
