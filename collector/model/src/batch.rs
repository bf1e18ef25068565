//! A decoded request body on its way to the store.

use bytes::Bytes;

use crate::Span;
use crate::columnar::SpanChunk;

/// Which decoder turned a body into spans; the log records it so that replay runs the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Codec {
    /// Zipkin v2 JSON list.
    ZipkinJsonV2 = 1,
    /// OTLP `ExportTraceServiceRequest`, protobuf.
    OtlpProto = 2,
    /// OTLP `ExportTraceServiceRequest`, JSON.
    OtlpJson = 3,
    /// Zipkin v2 proto3 `ListOfSpans`.
    ZipkinProto3 = 4,
    /// Zipkin v1 JSON list.
    ZipkinJsonV1 = 5,
    /// Zipkin v1 thrift list, or a single span.
    ZipkinThrift = 6,
    /// Rows of Zipkin v1 written as v2 JSON: what the log holds of a v1 body that was redacted. No sender uses it.
    ZipkinV1Rows = 7,
}

impl Codec {
    /// The codec with this number in the log.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::ZipkinJsonV2,
            2 => Self::OtlpProto,
            3 => Self::OtlpJson,
            4 => Self::ZipkinProto3,
            5 => Self::ZipkinJsonV1,
            6 => Self::ZipkinThrift,
            7 => Self::ZipkinV1Rows,
            _ => return None,
        })
    }

    /// The codec that writes rows of this one again after they were changed: the same where it has a writer, else one
    /// that reads back to the same rows.
    pub const fn rewritten_as(self) -> Self {
        match self {
            Self::OtlpJson => Self::OtlpProto,
            Self::ZipkinJsonV1 | Self::ZipkinThrift => Self::ZipkinV1Rows,
            same => same,
        }
    }

    /// The format's name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZipkinJsonV2 => "Zipkin v2 JSON",
            Self::OtlpProto => "OTLP protobuf",
            Self::OtlpJson => "OTLP JSON",
            Self::ZipkinProto3 => "Zipkin proto3",
            Self::ZipkinJsonV1 => "Zipkin v1 JSON",
            Self::ZipkinThrift => "Zipkin thrift",
            Self::ZipkinV1Rows => "Zipkin v1 rows",
        }
    }
}

/// What was decided about a body when it was received; recorded, so that replay decides the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    /// Positions (in the list that [`crate::decode`] gives) of spans that were refused or not sampled; empty for
    /// "all kept". Sorted.
    pub rejected: Vec<u32>,
}

impl Admission {
    /// The rows that were kept, in their order.
    pub fn admit(&self, spans: Vec<Span>) -> Vec<Span> {
        if self.rejected.is_empty() {
            return spans;
        }
        let kept =
            |position: usize| u32::try_from(position).is_ok_and(|p| self.rejected.binary_search(&p).is_err());
        spans.into_iter().enumerate().filter(|(position, _)| kept(*position)).map(|(_, span)| span).collect()
    }
}

impl Admission {
    /// The rows of a chunk that were kept, in their order.
    pub fn admit_chunk(&self, mut chunk: SpanChunk) -> SpanChunk {
        if !self.rejected.is_empty() {
            chunk.retain(|position| self.rejected.binary_search(&position).is_err());
        }
        chunk
    }
}

/// A body that decoded within its limits, together with its rows.
///
/// `body` is what goes to the log: the request body after decompression and, where redaction changed something,
/// re-encoded. Decoding `body` with `codec` and leaving out `admission.rejected` gives exactly `spans`.
#[derive(Debug, Clone)]
pub struct SpanBatch {
    /// Decoder of `body`.
    pub codec: Codec,
    /// The uncompressed body, already redacted.
    pub body: Bytes,
    /// When it was received, nanoseconds since 1970.
    pub received_at_ns: u64,
    /// What was refused of it.
    pub admission: Admission,
    /// The admitted rows in order of arrival. A `Vec<Span>` becomes one with `into()`.
    pub spans: SpanChunk,
}
