//! Zipkin v2 JSON straight into columns: texts are borrowed from the body on their way into the dictionary.

use super::SpanChunk;
use super::build::Builder;
use crate::codec::{DecodeError, DecodeLimits};
use crate::zipkin_json;

/// Reads a JSON list of v2 spans.
pub(crate) fn decode(body: &[u8], limits: &DecodeLimits) -> Result<SpanChunk, DecodeError> {
    // Few v2 spans are shorter than this; columns grow when they are.
    const SPAN_BYTES: usize = 400;
    let rows = (body.len() / SPAN_BYTES).min(limits.spans_max);
    let mut build = Builder::new(limits, rows, body.len());
    zipkin_json::read_into(body, &mut build)?;
    Ok(build.finish())
}
