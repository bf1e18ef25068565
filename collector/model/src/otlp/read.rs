//! Bytes to rows.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::tonic::trace::v1::{Span as ProtoSpan, span::Event, span::Link, status};
use prost::Message;
use tracepact_base::{SpanId, TraceId};

use super::lift::{lift_remote, lift_resource};
use super::values::ValueReader;
use crate::codec::{DecodeError, DecodeLimits, Decoded, Rejection};
use crate::intern::Interner;
use crate::{EntityRef, Kind, Resource, Scope, Source, Span, SpanEvent, SpanLink, Status, StatusCode};

/// Reads an `ExportTraceServiceRequest`. Spans with unusable ids are rejected one by one.
pub fn decode(body: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let request = ExportTraceServiceRequest::decode(body)
        .map_err(|error| DecodeError::invalid(format!("not an OTLP trace request: {error}")))?;
    read_request(request, limits)
}

/// Rows of a request that is decoded already (a gRPC service's).
pub fn read_request(
    request: ExportTraceServiceRequest,
    limits: &DecodeLimits,
) -> Result<Decoded, DecodeError> {
    let count: usize = request
        .resource_spans
        .iter()
        .flat_map(|group| &group.scope_spans)
        .map(|group| group.spans.len())
        .sum();
    if count > limits.spans_max {
        let max = limits.spans_max;
        return Err(DecodeError::too_large(format!("too many spans: {count}, a request may hold {max}")));
    }
    let mut reader = ValueReader { limits, interner: Interner::default(), truncated: false };
    let mut decoded = Decoded { spans: Vec::with_capacity(count), rejected: Vec::new() };
    let mut position = 0u32;
    for group in request.resource_spans {
        reader.truncated = false;
        let resource = Arc::new(read_resource(group.resource, &group.schema_url, &mut reader));
        let resource_truncated = reader.truncated;
        for group in group.scope_spans {
            reader.truncated = resource_truncated;
            let scope = Arc::new(read_scope(group.scope, &group.schema_url, &mut reader));
            let shared_truncated = reader.truncated;
            for proto in group.spans {
                reader.truncated = shared_truncated;
                match read_span(proto, &resource, &scope, &mut reader) {
                    Ok(span) => decoded.spans.push(span),
                    Err(reason) => decoded.rejected.push(Rejection { position, reason }),
                }
                position = position.saturating_add(1);
            }
        }
    }
    Ok(decoded)
}

fn read_resource(proto: Option<ProtoResource>, schema_url: &str, reader: &mut ValueReader<'_>) -> Resource {
    let proto = proto.unwrap_or_default();
    let mut dropped = proto.dropped_attributes_count;
    let entities = proto
        .entity_refs
        .into_iter()
        .map(|entity| EntityRef {
            schema_url: reader.share(&entity.schema_url),
            kind: reader.share(&entity.r#type),
            id_keys: entity.id_keys.iter().map(|key| reader.share(key)).collect(),
            description_keys: entity.description_keys.iter().map(|key| reader.share(key)).collect(),
        })
        .collect();
    Resource {
        attributes: reader.attributes(proto.attributes, &mut dropped),
        dropped_attributes: dropped,
        schema_url: reader.share(schema_url),
        entities,
    }
}

fn read_scope(proto: Option<InstrumentationScope>, schema_url: &str, reader: &mut ValueReader<'_>) -> Scope {
    let proto = proto.unwrap_or_default();
    let mut dropped = proto.dropped_attributes_count;
    Scope {
        name: reader.share(&proto.name),
        version: reader.share(&proto.version),
        attributes: reader.attributes(proto.attributes, &mut dropped),
        dropped_attributes: dropped,
        schema_url: reader.share(schema_url),
    }
}

fn read_span(
    proto: ProtoSpan,
    resource: &Arc<Resource>,
    scope: &Arc<Scope>,
    reader: &mut ValueReader<'_>,
) -> Result<Span, String> {
    let trace_id = trace_id(&proto.trace_id)?;
    let span_id = span_id(&proto.span_id, "span_id")?;
    let mut span = Span::new(trace_id, span_id);
    span.source = Source::Otlp;
    span.parent_id = match proto.parent_span_id.as_slice() {
        [] | [0, 0, 0, 0, 0, 0, 0, 0] => None,
        bytes => Some(self::span_id(bytes, "parent_span_id")?),
    };
    span.kind = kind(proto.kind);
    span.name = reader.share(&proto.name);
    span.tracestate = reader.share(&proto.trace_state);
    span.flags.otlp = proto.flags;
    read_times(proto.start_time_unix_nano, proto.end_time_unix_nano, &mut span);
    let status = proto.status.unwrap_or_default();
    span.status = Status {
        code: match status::StatusCode::try_from(status.code) {
            Ok(status::StatusCode::Ok) => StatusCode::Ok,
            Ok(status::StatusCode::Error) => StatusCode::Error,
            Ok(status::StatusCode::Unset) | Err(_) => StatusCode::Unset,
        },
        message: reader.share(&status.message),
    };
    span.dropped = [proto.dropped_attributes_count, proto.dropped_events_count, proto.dropped_links_count];
    span.attributes = reader.attributes(proto.attributes, &mut span.dropped[0]);
    for event in proto.events {
        if span.events.len() >= reader.limits.events_max {
            reader.truncated = true;
            span.dropped[1] = span.dropped[1].saturating_add(1);
        } else {
            span.events.push(read_event(event, reader));
        }
    }
    for link in proto.links {
        let read = if span.links.len() < reader.limits.links_max { read_link(link, reader) } else { None };
        match read {
            Some(link) => span.links.push(link),
            None => {
                reader.truncated = true;
                span.dropped[2] = span.dropped[2].saturating_add(1);
            }
        }
    }
    span.remote = lift_remote(span.kind, &span.attributes);
    lift_resource(resource, &mut span);
    span.resource = resource.clone();
    span.scope = scope.clone();
    span.flags.truncated = reader.truncated;
    Ok(span)
}

pub(super) fn read_times(start: u64, end: u64, span: &mut Span) {
    span.start_ns = Some(start).filter(|start| *start > 0);
    span.duration_ns = match (span.start_ns, end) {
        (None, _) | (_, 0) => None,
        (Some(start), end) if end < start => {
            span.flags.end_before_start = true;
            Some(0)
        }
        (Some(start), end) => Some(end - start),
    };
}

fn read_event(proto: Event, reader: &mut ValueReader<'_>) -> SpanEvent {
    let mut dropped = proto.dropped_attributes_count;
    SpanEvent {
        at_ns: proto.time_unix_nano,
        name: reader.share(&proto.name),
        attributes: reader.attributes(proto.attributes, &mut dropped),
        dropped_attributes: dropped,
    }
}

/// `None` for a link to nowhere (ids of zeros or of a wrong length), which OTLP allows to drop.
fn read_link(proto: Link, reader: &mut ValueReader<'_>) -> Option<SpanLink> {
    let mut dropped = proto.dropped_attributes_count;
    Some(SpanLink {
        trace_id: trace_id(&proto.trace_id).ok()?,
        span_id: span_id(&proto.span_id, "span_id").ok()?,
        tracestate: reader.share(&proto.trace_state),
        attributes: reader.attributes(proto.attributes, &mut dropped),
        flags: proto.flags,
        dropped_attributes: dropped,
    })
}

pub(crate) fn trace_id(bytes: &[u8]) -> Result<TraceId, String> {
    let array: [u8; 16] =
        bytes.try_into().map_err(|_| format!("trace_id has {} bytes instead of 16", bytes.len()))?;
    TraceId::new(u128::from_be_bytes(array)).ok_or_else(|| "trace_id is all zeros".to_owned())
}

pub(crate) fn span_id(bytes: &[u8], field: &str) -> Result<SpanId, String> {
    let array: [u8; 8] =
        bytes.try_into().map_err(|_| format!("{field} has {} bytes instead of 8", bytes.len()))?;
    SpanId::new(u64::from_be_bytes(array)).ok_or_else(|| format!("{field} is all zeros"))
}

pub(super) const fn kind(number: i32) -> Kind {
    match number {
        1 => Kind::Internal,
        2 => Kind::Server,
        3 => Kind::Client,
        4 => Kind::Producer,
        5 => Kind::Consumer,
        _ => Kind::Unset,
    }
}
