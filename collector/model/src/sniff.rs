//! Which of Zipkin's encodings bytes are in, for transports that do not say (Kafka), and whether a body is in the one
//! its sender named.
//!
//! Source: Zipkin's `SpanBytesDecoderDetector` and the checks of its HTTP collector. The first byte decides between
//! JSON, proto3 and thrift; of the JSON formats only v2 has fields that end in `Endpoint` or are called `tags`.

use crate::Codec;
use crate::codec::DecodeError;
use crate::zipkin_v1;

/// The codec of a message in one of Zipkin's five encodings (v2 JSON, v2 proto3, v1 JSON, v1 thrift as a list or a
/// single span), or `None` when it is none of them. Only what is needed to tell them apart is looked at.
///
/// ```
/// use tracepact_model::{Codec, sniff};
/// assert_eq!(sniff(br#"[{"traceId":"1","id":"2","tags":{"a":"b"}}]"#), Some(Codec::ZipkinJsonV2));
/// assert_eq!(sniff(b"\x0c\x00\x00\x00\x00"), Some(Codec::ZipkinThrift));
/// assert_eq!(sniff(b"hello"), None);
/// ```
pub fn sniff(bytes: &[u8]) -> Option<Codec> {
    match bytes {
        [b'[' | b'{', ..] if is_v2_json(bytes) => Some(Codec::ZipkinJsonV2),
        [b'[' | b'{', ..] => Some(Codec::ZipkinJsonV1),
        // A proto3 list begins with its first span: field 1, then a length, which is not 0.
        [10, second, ..] if *second != 0 => Some(Codec::ZipkinProto3),
        // Thrift begins with the type of a list's items or of a struct's first field.
        [0..=16, ..] => Some(Codec::ZipkinThrift),
        _ => None,
    }
}

fn is_v2_json(bytes: &[u8]) -> bool {
    contains(bytes, b"Endpoint\"") || contains(bytes, b"\"tags\"")
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

/// Zipkin's word for an encoding.
const fn word(codec: Codec) -> &'static str {
    match codec {
        Codec::ZipkinJsonV1 => "JSON_V1",
        Codec::ZipkinProto3 => "PROTO3",
        Codec::ZipkinThrift => "THRIFT",
        _ => "JSON_V2",
    }
}

/// Whether `body` can be a list in the Zipkin encoding `expected`.
///
/// # Errors
/// In Zipkin's own words when it is a list in another encoding, or none at all.
pub fn expect_list(expected: Codec, body: &[u8]) -> Result<(), DecodeError> {
    let trimmed = match expected {
        Codec::ZipkinJsonV1 | Codec::ZipkinJsonV2 => body.trim_ascii_start(),
        _ => body,
    };
    let json = trimmed.first() == Some(&b'[');
    let found = match expected {
        // The same bytes may be a span of either version when it says little.
        Codec::ZipkinJsonV2 if json && contains(body, b"yAnnotations\"") => Some(Codec::ZipkinJsonV1),
        Codec::ZipkinJsonV1 if json && is_v2_json(body) => Some(Codec::ZipkinJsonV2),
        Codec::ZipkinJsonV1 | Codec::ZipkinJsonV2 if json => Some(expected),
        _ => sniff(body).filter(|found| match found {
            Codec::ZipkinThrift => zipkin_v1::is_thrift_list(body),
            Codec::ZipkinProto3 => true,
            _ => json,
        }),
    };
    match found {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(DecodeError::invalid(format!(
            "Expected a {} encoded list, but received: {}\n",
            word(expected),
            word(found)
        ))),
        None => Err(DecodeError::invalid(format!("Expected a {} encoded list\n", word(expected)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_binary_formats_apart() {
        for (bytes, codec) in [
            (&b"[]"[..], Some(Codec::ZipkinJsonV1)),
            (br#"[{"remoteEndpoint":{}}]"#, Some(Codec::ZipkinJsonV2)),
            (br#"{"tags":{}}"#, Some(Codec::ZipkinJsonV2)),
            (br#"[{"binaryAnnotations":[{"endpoint":{}}]}]"#, Some(Codec::ZipkinJsonV1)),
            (b"\x0a\x05hello", Some(Codec::ZipkinProto3)),
            // A single thrift span whose first field is the trace id: type 10, number 1.
            (b"\x0a\x00\x01", Some(Codec::ZipkinThrift)),
            (b"\x0c\x00\x00\x00\x01", Some(Codec::ZipkinThrift)),
            (b"\x0b\x00\x03", Some(Codec::ZipkinThrift)),
            (b"", None),
            (b"\x0a", Some(Codec::ZipkinThrift)),
            (b"spans", None),
            (b"\xff\x00", None),
        ] {
            assert_eq!(sniff(bytes), codec, "{bytes:?}");
        }
    }

    #[test]
    fn a_list_in_another_encoding_is_named_in_zipkins_words() {
        for (expected, body, said) in [
            (
                Codec::ZipkinJsonV2,
                &br#"[{"binaryAnnotations":[]}]"#[..],
                "Expected a JSON_V2 encoded list, but received: JSON_V1\n",
            ),
            (
                Codec::ZipkinJsonV1,
                br#"[{"localEndpoint":{}}]"#,
                "Expected a JSON_V1 encoded list, but received: JSON_V2\n",
            ),
            (Codec::ZipkinJsonV2, b"{}", "Expected a JSON_V2 encoded list\n"),
            (Codec::ZipkinJsonV2, b"hello", "Expected a JSON_V2 encoded list\n"),
            (
                Codec::ZipkinJsonV2,
                b"\x0c\x00\x00\x00\x01\x0a",
                "Expected a JSON_V2 encoded list, but received: THRIFT\n",
            ),
            (Codec::ZipkinProto3, b"\x0b\x00\x03", "Expected a PROTO3 encoded list\n"),
            (Codec::ZipkinThrift, b"\x0a\x00\x01", "Expected a THRIFT encoded list\n"),
            (Codec::ZipkinThrift, b"\x0a\x01a", "Expected a THRIFT encoded list, but received: PROTO3\n"),
        ] {
            assert_eq!(expect_list(expected, body).unwrap_err().reason, said);
        }
        for (expected, body) in [
            (Codec::ZipkinJsonV2, &b" [{\"traceId\":\"1\",\"id\":\"2\"}]"[..]),
            (Codec::ZipkinJsonV1, b"[{\"traceId\":\"1\",\"id\":\"2\"}]"),
            (Codec::ZipkinProto3, b"\x0a\x01a"),
            (Codec::ZipkinThrift, b"\x0b\x00\x00\x00\x01"),
        ] {
            expect_list(expected, body).unwrap();
        }
    }
}
