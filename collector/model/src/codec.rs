//! The codec table: which decoder reads a body, within which limits, and what it says when it does not.

use bytes::Bytes;
use tracepact_base::ErrorKind;

use crate::columnar::{self, SpanChunk};
use crate::{Codec, Redaction, Span, otlp, zipkin_json, zipkin_proto3, zipkin_v1};

/// Bounds of one request body. What exceeds a count of the whole request refuses it; what exceeds a bound inside a
/// span is cut, and the span is marked `truncated`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Most spans in one request; more are refused as too large.
    pub spans_max: usize,
    /// Most attributes on one level of a span; the rest is dropped and counted.
    pub attributes_max: usize,
    /// Most events (annotations) on a span; the rest is dropped and counted.
    pub events_max: usize,
    /// Most links on a span; the rest is dropped and counted.
    pub links_max: usize,
    /// Longest text or byte value; the rest is cut off at a character's border.
    pub value_bytes_max: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            spans_max: 100_000,
            attributes_max: 512,
            events_max: 2_048,
            links_max: 2_048,
            value_bytes_max: 64 * 1024,
        }
    }
}

impl DecodeLimits {
    /// No bound at all: for bodies that were accepted before.
    pub const fn unbounded() -> Self {
        Self {
            spans_max: usize::MAX,
            attributes_max: usize::MAX,
            events_max: usize::MAX,
            links_max: usize::MAX,
            value_bytes_max: usize::MAX,
        }
    }

    /// The bounds used when the log is read again: nothing that was accepted is refused, values are cut as before.
    pub fn for_replay(&self) -> Self {
        Self { spans_max: usize::MAX, ..self.clone() }
    }
}

/// Why a body is not a list of spans.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DecodeError {
    /// `Invalid` or `TooLarge`.
    pub kind: ErrorKind,
    /// What is wrong and where, for the sender's eyes; a lower-case fragment.
    pub reason: String,
}

impl DecodeError {
    /// The body is malformed.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Invalid, reason: reason.into() }
    }

    /// The body is over a limit.
    pub fn too_large(reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::TooLarge, reason: reason.into() }
    }
}

/// A span of an otherwise good request that cannot be kept: OTLP's partial success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its position in the request, counted over all spans from 0.
    pub position: u32,
    /// What is wrong with it.
    pub reason: String,
}

/// What a body held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoded {
    /// The good rows in order of arrival. [`crate::Admission`] counts positions in this list.
    pub spans: Vec<Span>,
    /// The others. Zipkin refuses the whole request instead, so there are none.
    pub rejected: Vec<Rejection>,
}

/// Reads `body` with `codec`; the same bytes and limits give the same rows, at receipt and at log replay.
pub fn decode(codec: Codec, body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    decode_all(codec, body, limits).map(|decoded| decoded.spans)
}

/// Like [`decode`], with the spans that were rejected one by one.
pub fn decode_all(codec: Codec, body: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let spans = match codec {
        Codec::OtlpProto => return otlp::decode(body, limits),
        Codec::OtlpJson => return otlp::decode_json(body, limits),
        Codec::ZipkinJsonV2 => zipkin_json::decode(body, limits),
        Codec::ZipkinProto3 => zipkin_proto3::decode(body, limits),
        Codec::ZipkinJsonV1 => zipkin_v1::decode_json(body, limits),
        Codec::ZipkinThrift => zipkin_v1::decode_thrift(body, limits),
        Codec::ZipkinV1Rows => zipkin_v1::decode_rows(body, limits),
    };
    spans.map(|spans| Decoded { spans, rejected: Vec::new() })
}

/// What a body held, as columns.
#[derive(Debug, Clone, Default)]
pub struct DecodedChunk {
    /// The good rows in order of arrival. [`crate::Admission`] counts positions in this list.
    pub chunk: SpanChunk,
    /// The others, as in [`Decoded`].
    pub rejected: Vec<Rejection>,
}

/// Reads `body` with `codec` into columns: the same rows as [`decode_all`] gives, without an owned span for each.
pub fn decode_chunk(codec: Codec, body: &[u8], limits: &DecodeLimits) -> Result<DecodedChunk, DecodeError> {
    match codec {
        Codec::ZipkinJsonV2 => columnar::decode_zipkin_json(body, limits)
            .map(|chunk| DecodedChunk { chunk, rejected: Vec::new() }),
        Codec::OtlpProto => {
            columnar::decode_otlp(body, limits).map(|(chunk, rejected)| DecodedChunk { chunk, rejected })
        }
        _ => decode_all(codec, body, limits)
            .map(|decoded| DecodedChunk { chunk: decoded.spans.into(), rejected: decoded.rejected }),
    }
}

/// Writes rows so that [`decode`] with the same codec gives them back; `None` when no writer exists for the codec (see
/// [`Codec::rewritten_as`] for the one to use then).
pub fn encode(codec: Codec, spans: &[Span]) -> Option<Vec<u8>> {
    match codec {
        Codec::OtlpProto => Some(otlp::encode(spans)),
        Codec::ZipkinProto3 => Some(zipkin_proto3::encode(spans)),
        Codec::ZipkinJsonV2 | Codec::ZipkinV1Rows => Some(zipkin_json::encode_as_received(spans)),
        Codec::OtlpJson | Codec::ZipkinJsonV1 | Codec::ZipkinThrift => None,
    }
}

/// A body that decoded, without secrets.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What reads `body`: the sender's codec, or the one the body was re-encoded with.
    pub codec: Codec,
    /// The body for the log: the received one, or a re-encoded one when redaction changed something.
    pub body: Bytes,
    /// Exactly what `body` decodes to.
    pub decoded: Decoded,
    /// How many values were redacted.
    pub redacted: u64,
}

/// Decodes and redacts: what `ingest` calls. Decoding the returned body again gives the returned rows, so that a
/// replay of the log needs no redaction and shows what every query saw.
pub fn prepare(
    codec: Codec,
    body: Bytes,
    limits: &DecodeLimits,
    redaction: &Redaction,
) -> Result<Prepared, DecodeError> {
    let mut decoded = decode_all(codec, &body, limits)?;
    // Values are looked at one by one only when something in the body as a whole could be meant.
    let values = redaction.values_in(&body);
    let mut redacted = redaction.apply_to(&mut decoded.spans, values);
    // What was cut off or refused stands in the body all the same, and may be what has to be hidden.
    let incomplete = !decoded.rejected.is_empty() || decoded.spans.iter().any(|span| span.flags.truncated);
    if redacted == 0 && !incomplete {
        return Ok(Prepared { codec, body, decoded, redacted });
    }
    // Values are encoded in full length: replay cuts them again and so marks the same spans as truncated.
    let mut whole = decode(codec, &body, &DecodeLimits::unbounded())?;
    redacted = redaction.apply_to(&mut whole, values);
    if redacted == 0 && decoded.rejected.is_empty() {
        return Ok(Prepared { codec, body, decoded, redacted });
    }
    let codec = codec.rewritten_as();
    let Some(clean) = encode(codec, &whole) else {
        return Err(DecodeError::invalid(format!("{} cannot be stored redacted", codec.name())));
    };
    let spans = decode(codec, &clean, limits)?;
    Ok(Prepared {
        codec,
        body: clean.into(),
        decoded: Decoded { spans, rejected: decoded.rejected },
        redacted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_in_neither_rows_nor_body() {
        let body = br#"[{"traceId":"1","id":"2","tags":{"http.request.header.authorization":"Bearer abc","x":"y"}}]"#;
        let prepared = prepare(
            Codec::ZipkinJsonV2,
            Bytes::from_static(body),
            &DecodeLimits::default(),
            &Redaction::default(),
        )
        .unwrap();
        assert!(!String::from_utf8_lossy(&prepared.body).contains("abc"));
        assert_eq!(
            prepared.decoded.spans[0].attribute("http.request.header.authorization").unwrap().text(),
            "***"
        );
        let again = decode(Codec::ZipkinJsonV2, &prepared.body, &DecodeLimits::default()).unwrap();
        assert_eq!(again, prepared.decoded.spans);
    }

    #[test]
    fn a_redacted_body_still_replays_its_truncation_mark() {
        let long = "v".repeat(100);
        let body = format!(r#"[{{"traceId":"1","id":"2","tags":{{"password":"p","long":"{long}"}}}}]"#);
        let limits = DecodeLimits { value_bytes_max: 10, ..DecodeLimits::default() };
        let prepared = prepare(Codec::ZipkinJsonV2, body.into(), &limits, &Redaction::default()).unwrap();
        assert!(prepared.decoded.spans[0].flags.truncated);
        assert_eq!(decode(Codec::ZipkinJsonV2, &prepared.body, &limits).unwrap(), prepared.decoded.spans);
    }

    #[test]
    fn a_clean_body_is_kept_as_it_is() {
        let body = Bytes::from_static(br#"[ {"traceId":"1","id":"2"} ]"#);
        let prepared =
            prepare(Codec::ZipkinJsonV2, body.clone(), &DecodeLimits::default(), &Redaction::default())
                .unwrap();
        assert_eq!(prepared.body, body);
    }

    #[test]
    fn a_codec_without_a_writer_is_logged_in_one_that_reads_the_same() {
        let body = br#"[{"traceId":"1","id":"2","binaryAnnotations":[{"key":"password","value":"abc"}]}]"#;
        let prepared = prepare(
            Codec::ZipkinJsonV1,
            Bytes::from_static(body),
            &DecodeLimits::default(),
            &Redaction::default(),
        )
        .unwrap();
        assert_eq!((prepared.codec, prepared.redacted), (Codec::ZipkinV1Rows, 1));
        assert!(!String::from_utf8_lossy(&prepared.body).contains("abc"));
        let again = decode(prepared.codec, &prepared.body, &DecodeLimits::default()).unwrap();
        assert_eq!(again, prepared.decoded.spans);
        assert_eq!(again[0].source, crate::Source::ZipkinV1);
    }
}
