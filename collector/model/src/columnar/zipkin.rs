//! Zipkin v2 straight into columns: texts are borrowed from the body on their way into the dictionary.

use super::SpanChunk;
use super::build::Builder;
use crate::codec::{DecodeError, DecodeLimits};
use crate::{zipkin_json, zipkin_proto3};

/// A usual span in JSON takes so many bytes; columns grow when there are more spans than that.
const JSON_SPAN_BYTES: usize = 700;
/// The same in protobuf.
const PROTO_SPAN_BYTES: usize = 400;

/// Reads a JSON list of v2 spans.
pub(crate) fn decode_json(body: &[u8], limits: &DecodeLimits) -> Result<SpanChunk, DecodeError> {
    let mut build = Builder::new(limits, (body.len() / JSON_SPAN_BYTES).min(limits.spans_max));
    zipkin_json::read_into(body, &mut build)?;
    Ok(build.finish())
}

/// Reads a proto3 `ListOfSpans`.
pub(crate) fn decode_proto3(body: &[u8], limits: &DecodeLimits) -> Result<SpanChunk, DecodeError> {
    let mut build = Builder::new(limits, (body.len() / PROTO_SPAN_BYTES).min(limits.spans_max));
    zipkin_proto3::read_into(body, &mut build)?;
    Ok(build.finish())
}
