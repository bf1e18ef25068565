//! Rows to bytes. Neighbouring rows of one resource and scope share a group, so a decoded request keeps its shape.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as ProtoSpan, Status as ProtoStatus, span::Event, span::Link,
};
use prost::Message;
use tracepact_base::{SpanId, TraceId};

use super::values::{write_attributes, write_pair};
use crate::{Kind, Resource, Scope, Source, Span, SpanEvent, SpanLink, StatusCode, Value};

/// An `ExportTraceServiceRequest` (equally a `TracesData`) of `spans`.
pub fn encode(spans: &[Span]) -> Vec<u8> {
    ExportTraceServiceRequest { resource_spans: to_resource_spans(spans) }.encode_to_vec()
}

/// The groups of `spans`, in their order.
pub fn to_resource_spans(spans: &[Span]) -> Vec<ResourceSpans> {
    let mut groups: Vec<ResourceSpans> = Vec::new();
    let mut previous: Option<&Span> = None;
    for span in spans {
        let same_resource = previous.is_some_and(|p| same_resource(p, span));
        let same_scope = same_resource && previous.is_some_and(|p| same(&p.scope, &span.scope));
        if !same_resource {
            groups.push(ResourceSpans {
                resource: Some(write_resource(span)),
                scope_spans: Vec::new(),
                schema_url: span.resource.schema_url.as_ref().to_owned(),
            });
        }
        // Both pushes above and below precede the use, so the lists are never empty here.
        if let Some(group) = groups.last_mut() {
            if !same_scope {
                group.scope_spans.push(ScopeSpans {
                    scope: Some(write_scope(&span.scope)),
                    spans: Vec::new(),
                    schema_url: span.scope.schema_url.as_ref().to_owned(),
                });
            }
            if let Some(scope) = group.scope_spans.last_mut() {
                scope.spans.push(write_span(span));
            }
        }
        previous = Some(span);
    }
    groups
}

fn same<T: PartialEq>(a: &Arc<T>, b: &Arc<T>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

fn same_resource(a: &Span, b: &Span) -> bool {
    let otlp = (a.source == Source::Otlp, b.source == Source::Otlp);
    same(&a.resource, &b.resource)
        && (otlp == (true, true) || (otlp == (false, false) && a.local.service_name == b.local.service_name))
}

fn write_resource(span: &Span) -> ProtoResource {
    let resource: &Resource = &span.resource;
    let mut attributes = write_attributes(&resource.attributes);
    if let (true, Some(name)) = (span.source != Source::Otlp, &span.local.service_name) {
        attributes.push(write_pair("service.name", &Value::String(name.clone())));
    }
    ProtoResource {
        attributes,
        dropped_attributes_count: resource.dropped_attributes,
        entity_refs: resource
            .entities
            .iter()
            .map(|entity| EntityRef {
                schema_url: entity.schema_url.as_ref().to_owned(),
                r#type: entity.kind.as_ref().to_owned(),
                id_keys: entity.id_keys.iter().map(|key| key.as_ref().to_owned()).collect(),
                description_keys: entity.description_keys.iter().map(|key| key.as_ref().to_owned()).collect(),
            })
            .collect(),
    }
}

fn write_scope(scope: &Scope) -> InstrumentationScope {
    InstrumentationScope {
        name: scope.name.as_ref().to_owned(),
        version: scope.version.as_ref().to_owned(),
        attributes: write_attributes(&scope.attributes),
        dropped_attributes_count: scope.dropped_attributes,
    }
}

fn write_span(span: &Span) -> ProtoSpan {
    let start = span.start_ns.unwrap_or(0);
    let mut attributes = write_attributes(&span.attributes);
    if span.source != Source::Otlp {
        attributes.extend(remote_attributes(span));
    }
    ProtoSpan {
        trace_id: trace_bytes(span.trace_id),
        span_id: span_bytes(span.span_id),
        parent_span_id: span.parent_id.map(span_bytes).unwrap_or_default(),
        trace_state: span.tracestate.as_ref().to_owned(),
        flags: span.flags.otlp,
        name: span.name.as_ref().to_owned(),
        kind: kind(span.kind),
        start_time_unix_nano: start,
        end_time_unix_nano: span.duration_ns.map_or(0, |duration| start.saturating_add(duration)),
        attributes,
        dropped_attributes_count: span.dropped[0],
        events: span.events.iter().map(write_event).collect(),
        dropped_events_count: span.dropped[1],
        links: span.links.iter().map(write_link).collect(),
        dropped_links_count: span.dropped[2],
        status: write_status(span),
    }
}

/// Zipkin says errors with a tag and the other side with an endpoint; OTLP's readers look for these.
fn remote_attributes(span: &Span) -> Vec<KeyValue> {
    let remote = &span.remote;
    let mut attributes = Vec::new();
    if let Some(name) = &remote.service_name {
        attributes.push(write_pair("peer.service", &Value::String(name.clone())));
    }
    let address = remote.ipv4.map(|ip| ip.to_string()).or_else(|| remote.ipv6.map(|ip| ip.to_string()));
    if let Some(address) = address {
        attributes.push(write_pair("network.peer.address", &Value::String(address.into())));
    }
    if let Some(port) = remote.port {
        attributes.push(write_pair("network.peer.port", &Value::Int(port.into())));
    }
    attributes.retain(|pair| span.attribute(&pair.key).is_none());
    attributes
}

fn write_status(span: &Span) -> Option<ProtoStatus> {
    if span.source != Source::Otlp {
        return span
            .attribute("error")
            .map(|message| ProtoStatus { code: 2, message: message.text().into_owned() });
    }
    let code = match span.status.code {
        StatusCode::Unset => 0,
        StatusCode::Ok => 1,
        StatusCode::Error => 2,
    };
    Some(ProtoStatus { code, message: span.status.message.as_ref().to_owned() })
        .filter(|status| *status != ProtoStatus::default())
}

fn write_event(event: &SpanEvent) -> Event {
    Event {
        time_unix_nano: event.at_ns,
        name: event.name.as_ref().to_owned(),
        attributes: write_attributes(&event.attributes),
        dropped_attributes_count: event.dropped_attributes,
    }
}

fn write_link(link: &SpanLink) -> Link {
    Link {
        trace_id: trace_bytes(link.trace_id),
        span_id: span_bytes(link.span_id),
        trace_state: link.tracestate.as_ref().to_owned(),
        attributes: write_attributes(&link.attributes),
        dropped_attributes_count: link.dropped_attributes,
        flags: link.flags,
    }
}

fn trace_bytes(id: TraceId) -> Vec<u8> {
    id.as_u128().to_be_bytes().to_vec()
}

fn span_bytes(id: SpanId) -> Vec<u8> {
    id.as_u64().to_be_bytes().to_vec()
}

const fn kind(kind: Kind) -> i32 {
    match kind {
        Kind::Unset => 0,
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
        Kind::Producer => 4,
        Kind::Consumer => 5,
    }
}
