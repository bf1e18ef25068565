//! Zipkin v1: spans as lists of annotations, in JSON or in thrift's binary protocol.
//!
//! One v1 span may speak for both sides of a call, so it becomes one row or several ([`convert`]). Rows are not written
//! as v1 again: what has to be written (after redaction) is written as v2 rows marked as v1.

mod convert;
mod json;
mod span;
mod thrift;
mod thrift_walk;

pub use json::decode as decode_json;
pub use thrift::decode as decode_thrift;
pub(crate) use thrift::is_list as is_thrift_list;

use crate::codec::{DecodeError, DecodeLimits};
use crate::{Source, Span, zipkin_json};

/// Reads rows of v1 that were written as v2 JSON.
pub(crate) fn decode_rows(body: &[u8], limits: &DecodeLimits) -> Result<Vec<Span>, DecodeError> {
    let mut spans = zipkin_json::decode(body, limits)?;
    for span in &mut spans {
        span.source = Source::ZipkinV1;
    }
    Ok(spans)
}
