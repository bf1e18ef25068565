//! Fuzz targets: one per parser of network bytes. Not part of the crate's promises.

use crate::{Codec, DecodeLimits, Redaction, decode, encode, zipkin_json};

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
    if let Ok(rows) = decode(Codec::OtlpProto, data, &small()) {
        // What Zipkin's readers get of any row is itself valid Zipkin.
        let json = zipkin_json::encode(&rows);
        let read = decode(Codec::ZipkinJsonV2, &json, &DecodeLimits::unbounded());
        assert_eq!(read.map(|r| r.len()), Ok(rows.len()));
    }
}

fn round_trip(codec: Codec, data: &[u8]) {
    let Ok(mut rows) = decode(codec, data, &small()) else { return };
    Redaction::default().apply(&mut rows);
    let Some(first) = encode(codec, &rows) else { return };
    let Ok(again) = decode(codec, &first, &DecodeLimits::unbounded()) else {
        unreachable!("an encoded body did not decode");
    };
    assert_eq!(encode(codec, &again).as_deref(), Some(first.as_slice()), "the second encoding differs");
}
