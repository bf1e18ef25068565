//! OTLP: identity, rejections one by one, limits.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as ProtoSpan, span::Link};
use proptest::prelude::*;
use prost::Message;
use tracepact_base::ErrorKind;
use tracepact_model::{Codec, DecodeLimits, decode, decode_all, encode};

use crate::arbitrary::otlp_row;

fn request(spans: Vec<ProtoSpan>) -> Vec<u8> {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans { spans, ..Default::default() }],
            ..Default::default()
        }],
    }
    .encode_to_vec()
}

fn proto(trace: u8, span: u8) -> ProtoSpan {
    ProtoSpan { trace_id: vec![trace; 16], span_id: vec![span; 8], ..Default::default() }
}

proptest! {
    #[test]
    fn rows_survive_protobuf(rows in proptest::collection::vec(otlp_row(), 0..5)) {
        let body = encode(Codec::OtlpProto, &rows).unwrap();
        let again = decode(Codec::OtlpProto, &body, &DecodeLimits::unbounded()).unwrap();
        prop_assert_eq!(&again, &rows);
        // Bytes in the writer's own form come back as the same bytes.
        prop_assert_eq!(encode(Codec::OtlpProto, &again).unwrap(), body);
    }
}

#[test]
fn unusable_ids_are_rejected_one_by_one() {
    let mut bad_parent = proto(1, 4);
    bad_parent.parent_span_id = vec![1, 2];
    let mut linked = proto(1, 5);
    linked.links =
        vec![Link::default(), Link { trace_id: vec![9; 16], span_id: vec![9; 8], ..Default::default() }];
    let body = request(vec![
        proto(1, 1),
        proto(0, 2),
        ProtoSpan { trace_id: vec![1; 8], ..proto(1, 3) },
        ProtoSpan { span_id: vec![], ..proto(1, 3) },
        bad_parent,
        linked,
    ]);
    let decoded = decode_all(Codec::OtlpProto, &body, &DecodeLimits::default()).unwrap();
    assert_eq!(decoded.spans.len(), 2);
    let rejected: Vec<_> = decoded.rejected.iter().map(|r| (r.position, r.reason.as_str())).collect();
    assert_eq!(
        rejected,
        [
            (1, "trace_id is all zeros"),
            (2, "trace_id has 8 bytes instead of 16"),
            (3, "span_id has 0 bytes instead of 8"),
            (4, "parent_span_id has 2 bytes instead of 8"),
        ]
    );
    assert_eq!((decoded.spans[1].links.len(), decoded.spans[1].dropped[2]), (1, 1));
}

#[test]
fn times_keep_what_is_unknown_apart_from_zero() {
    let spans = [(0, 5), (10, 0), (10, 10), (10, 4), (10, 25)].map(|(start, end)| ProtoSpan {
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        ..proto(1, 1)
    });
    let rows = decode(Codec::OtlpProto, &request(spans.to_vec()), &DecodeLimits::default()).unwrap();
    let times: Vec<_> = rows.iter().map(|r| (r.start_ns, r.duration_ns, r.flags.end_before_start)).collect();
    assert_eq!(
        times,
        [
            (None, None, false),
            (Some(10), None, false),
            (Some(10), Some(0), false),
            (Some(10), Some(0), true),
            (Some(10), Some(15), false),
        ]
    );
}

#[test]
fn too_many_spans_and_garbage_are_refused() {
    let limits = DecodeLimits { spans_max: 1, ..DecodeLimits::default() };
    let error = decode(Codec::OtlpProto, &request(vec![proto(1, 1), proto(1, 2)]), &limits).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    let error = decode(Codec::OtlpProto, b"\x0a\xff not protobuf", &limits).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.reason.starts_with("not an OTLP trace request"), "{error}");
}

#[test]
fn a_zero_padded_id_meets_its_64_bit_twin() {
    let mut padded = vec![0; 8];
    padded.extend_from_slice(&0x463a_c35c_9f64_13adu64.to_be_bytes());
    let body = request(vec![ProtoSpan { trace_id: padded, ..proto(1, 1) }]);
    let rows = decode(Codec::OtlpProto, &body, &DecodeLimits::default()).unwrap();
    assert_eq!(rows[0].trace_id, "463ac35c9f6413ad".parse().unwrap());
}
