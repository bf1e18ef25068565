//! Rows, batches and questions that the tests share.

use futures::StreamExt;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::{Admission, Codec, DecodeLimits, Kind, Span, SpanBatch, Value, decode_chunk, encode};
use tracepact_store::{Predicate, ReadCtx, Scope, SpanQuery, SpanStore, StoreError, TraceRows};

/// 2026-11-21T00:00:00Z.
pub(crate) const DAY_NS: u64 = 1_795_219_200_000_000_000;
pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// A span that starts `second` seconds into the day.
pub(crate) fn span(trace: u128, id: u64, parent: Option<u64>, second: u64, service: &str) -> Span {
    let mut span = Span::new(TraceId::new(trace).unwrap(), SpanId::new(id).unwrap());
    span.parent_id = parent.and_then(SpanId::new);
    span.start_ns = Some(DAY_NS + second * SECOND_NS);
    span.duration_ns = Some(1_000_000);
    span.kind = Kind::Server;
    span.name = "get /".into();
    span.local.service_name = Some(service.into());
    span
}

pub(crate) fn tagged(mut span: Span, key: &str, value: &str) -> Span {
    span.attributes.push((key.into(), Value::String(value.into())));
    span
}

/// A batch as `ingest` makes it: the body decodes to exactly the rows.
pub(crate) fn batch(spans: &[Span]) -> SpanBatch {
    let body = encode(Codec::ZipkinJsonV2, spans).unwrap();
    let spans = decode_chunk(Codec::ZipkinJsonV2, &body, &DecodeLimits::default()).unwrap().chunk;
    SpanBatch {
        codec: Codec::ZipkinJsonV2,
        body: body.into(),
        received_at_ns: DAY_NS,
        admission: Admission::default(),
        spans,
    }
}

pub(crate) fn all(predicates: &[Predicate]) -> SpanQuery {
    SpanQuery {
        start_ns: 0,
        end_ns: u64::MAX,
        predicates: predicates.to_vec(),
        scope: Scope::ServiceSpans,
        limit: 100,
    }
}

pub(crate) async fn rows(store: &dyn SpanStore, trace: u128) -> Vec<Span> {
    let found: Vec<Result<TraceRows, StoreError>> =
        store.traces(vec![TraceId::new(trace).unwrap()], ReadCtx::default()).collect().await;
    found.into_iter().flat_map(|trace| trace.unwrap().rows).collect()
}

pub(crate) async fn hits(store: &dyn SpanStore, query: SpanQuery) -> Vec<u128> {
    let answer = store.search(query, ReadCtx::default()).await.unwrap();
    assert_eq!(answer.completeness, Default::default());
    answer.hits.iter().map(|hit| hit.trace_id.as_u128()).collect()
}
