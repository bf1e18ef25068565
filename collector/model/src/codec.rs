//! The codec table: which decoder reads a body, within which limits, and what it says when it does not.

use tracepact_base::ErrorKind;

use crate::columnar::{self, SpanChunk};
use crate::{Codec, Span, otlp, zipkin_json, zipkin_proto3, zipkin_v1};

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

impl From<SpanChunk> for DecodedChunk {
    /// Nothing was rejected.
    fn from(chunk: SpanChunk) -> Self {
        Self { chunk, rejected: Vec::new() }
    }
}

/// Reads `body` with `codec` into columns: the same rows as [`decode_all`] gives, without an owned span for each.
pub fn decode_chunk(codec: Codec, body: &[u8], limits: &DecodeLimits) -> Result<DecodedChunk, DecodeError> {
    match codec {
        Codec::ZipkinJsonV2 => columnar::decode_zipkin_json(body, limits).map(DecodedChunk::from),
        Codec::ZipkinProto3 => columnar::decode_zipkin_proto3(body, limits).map(DecodedChunk::from),
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
