//! Rows and batches for the cases.

use std::sync::Arc;

use tracepact_base::{SpanId, TraceId};
use tracepact_model::{
    Admission, Codec, DecodeLimits, Kind, Resource, Source, Span, SpanBatch, SpanEvent, StatusCode, Value,
    decode_chunk, encode,
};

use crate::{Predicate, Scope, SpanQuery};

/// 2026-11-21T00:00:00Z: the day of all rows.
pub(super) const DAY_NS: u64 = 1_795_219_200_000_000_000;
pub(super) const SECOND_NS: u64 = 1_000_000_000;

/// A trace id; none of the numbers used here is zero.
pub(super) fn trace_id(number: u128) -> TraceId {
    TraceId::new(number).unwrap_or(FIRST)
}

const FIRST: TraceId = TraceId::new(1).unwrap();

/// A server span that starts `second` seconds into the day.
pub(super) fn span(trace: u128, id: u64, parent: Option<u64>, second: u64, service: &str) -> Span {
    const ONE: SpanId = SpanId::new(1).unwrap();
    let mut span = Span::new(trace_id(trace), SpanId::new(id).unwrap_or(ONE));
    span.parent_id = parent.and_then(SpanId::new);
    span.start_ns = Some(DAY_NS + second * SECOND_NS);
    span.duration_ns = Some(1_000_000);
    span.kind = Kind::Server;
    span.name = "Get /Items".into();
    span.local.service_name = Some(service.into());
    span
}

/// The span with one more tag.
pub(super) fn tagged(mut span: Span, key: &str, value: &str) -> Span {
    span.attributes.push((key.into(), Value::String(value.into())));
    span
}

/// The span as OTLP sends it, failed, with typed attributes and an event.
pub(super) fn failed_otlp(mut span: Span) -> Span {
    span.source = Source::Otlp;
    span.kind = Kind::Server;
    span.status.code = StatusCode::Error;
    span.status.message = "boom".into();
    span.attributes = vec![("retries".into(), Value::Int(3)), ("ratio".into(), Value::Double(0.25))];
    span.events = vec![SpanEvent {
        at_ns: DAY_NS + 1,
        name: "exception".into(),
        attributes: vec![(
            "exception.type".into(),
            Value::Array(vec![Value::String("Io".into()), Value::Empty]),
        )],
        dropped_attributes: 0,
    }];
    let service = span.local.service_name.clone().unwrap_or_default();
    span.resource = Arc::new(Resource {
        attributes: vec![
            ("service.name".into(), Value::String(service)),
            ("zone".into(), Value::String("a".into())),
        ],
        ..Resource::default()
    });
    span
}

/// A batch as `ingest` makes it: the body decodes to exactly the rows.
pub(super) fn batch(spans: &[Span]) -> SpanBatch {
    let otlp = spans.iter().any(|span| span.source == Source::Otlp);
    let codec = if otlp { Codec::OtlpProto } else { Codec::ZipkinJsonV2 };
    let body = encode(codec, spans).unwrap_or_default();
    let spans = decode_chunk(codec, &body, &DecodeLimits::unbounded()).unwrap_or_default().chunk;
    SpanBatch { codec, body: body.into(), received_at_ns: DAY_NS, admission: Admission::default(), spans }
}

/// A search of the whole day.
pub(super) fn query(predicates: &[Predicate]) -> SpanQuery {
    SpanQuery {
        start_ns: DAY_NS,
        end_ns: DAY_NS + 86_400 * SECOND_NS,
        predicates: predicates.to_vec(),
        scope: Scope::ServiceSpans,
        limit: 10,
    }
}
