//! Fuzz targets: one per parser of network bytes. Not part of the crate's promises.

use crate::{Codec, DecodeLimits, Redaction, decode, decode_all, decode_chunk, encode, sniff, zipkin_json};

fn small() -> DecodeLimits {
    DecodeLimits { spans_max: 50, attributes_max: 8, events_max: 8, links_max: 4, value_bytes_max: 64 }
}

/// Zipkin v2 JSON: never panics, and what decodes comes back from its own encoding.
pub fn fuzz_zipkin_json(data: &[u8]) {
    round_trip(Codec::ZipkinJsonV2, data);
}

/// OTLP protobuf: never panics, and what decodes comes back from its own encoding.
pub fn fuzz_otlp(data: &[u8]) {
    round_trip(Codec::OtlpProto, data);
    columns_agree(data, &small());
    columns_agree(data, &DecodeLimits::default());
    if let Ok(rows) = decode(Codec::OtlpProto, data, &small()) {
        // What Zipkin's readers get of any row is itself valid Zipkin.
        let json = zipkin_json::encode(&rows);
        let read = decode(Codec::ZipkinJsonV2, &json, &DecodeLimits::unbounded());
        assert_eq!(read.map(|r| r.len()), Ok(rows.len()));
    }
}

/// The walk over the bytes gives what the well-known decoder gives, errors included.
fn columns_agree(data: &[u8], limits: &DecodeLimits) {
    let owned = decode_all(Codec::OtlpProto, data, limits).map(|decoded| (decoded.spans, decoded.rejected));
    let columns = decode_chunk(Codec::OtlpProto, data, limits).map(|decoded| {
        let Ok(spans) = decoded.chunk.spans() else { unreachable!("a chunk does not read back") };
        (spans, decoded.rejected)
    });
    // As text: a NaN is not equal to itself.
    assert_eq!(format!("{columns:?}"), format!("{owned:?}"));
}

/// Zipkin proto3: never panics, and what decodes comes back from its own encoding.
pub fn fuzz_zipkin_proto3(data: &[u8]) {
    round_trip(Codec::ZipkinProto3, data);
    sniffed(data);
}

/// Zipkin v1 JSON: never panics, and its rows come back from the encoding they are logged in.
pub fn fuzz_zipkin_v1_json(data: &[u8]) {
    round_trip(Codec::ZipkinJsonV1, data);
    sniffed(data);
}

/// Zipkin v1 thrift: never panics, and its rows come back from the encoding they are logged in.
pub fn fuzz_zipkin_thrift(data: &[u8]) {
    round_trip(Codec::ZipkinThrift, data);
    sniffed(data);
}

/// OTLP JSON: never panics, and its rows come back from the encoding they are logged in.
pub fn fuzz_otlp_json(data: &[u8]) {
    round_trip(Codec::OtlpJson, data);
}

/// Redaction of bytes that no decoder reads: never panics.
pub fn fuzz_redact(data: &[u8]) {
    let redaction = Redaction::default();
    let (hidden, places) = redaction.bytes(data);
    assert!(places > 0 || hidden == data, "bytes changed that were not counted");
}

/// What the detector names is one of Zipkin's codecs, which then decides.
fn sniffed(data: &[u8]) {
    if let Some(codec) = sniff(data) {
        let _ = decode(codec, data, &small());
    }
}

fn round_trip(codec: Codec, data: &[u8]) {
    let Ok(mut rows) = decode(codec, data, &small()) else { return };
    Redaction::default().apply(&mut rows);
    let codec = codec.rewritten_as();
    let Some(first) = encode(codec, &rows) else { unreachable!("a codec to rewrite with has a writer") };
    let Ok(again) = decode(codec, &first, &DecodeLimits::unbounded()) else {
        unreachable!("an encoded body did not decode");
    };
    assert_eq!(encode(codec, &again).as_deref(), Some(first.as_slice()), "the second encoding differs");
}
