//! The span row and the wire codecs that read and write it.
//!
//! Place on the map: `ingest` decodes request bodies with the codecs here, `store` keeps the rows, `query` writes
//! them out again in a dialect. One row is one *received fragment*; nothing is merged before it is read.
//!
//! ```
//! use tracepact_model::{Codec, DecodeLimits, decode, zipkin_json};
//! let body = br#"[{"traceId":"463ac35c9f6413ad","id":"a2fb4a1d1a96d312","name":"GET /"}]"#;
//! let rows = decode(Codec::ZipkinJsonV2, body, &DecodeLimits::default()).unwrap();
//! assert_eq!(rows[0].name.as_ref(), "GET /"); // rows keep the case, Zipkin's readers see it lowered
//! assert!(String::from_utf8(zipkin_json::encode(&rows)).unwrap().contains(r#""name":"get /""#));
//! ```
//!
//! What it deliberately does not do: input, output, merging of fragments (that is `analysis`), or anything async.

pub mod batch;
pub mod codec;
pub mod columnar;
#[doc(hidden)]
pub mod fuzzing;
mod intern;
mod json_walk;
pub mod otlp;
mod prepare;
pub mod redact;
mod sniff;
pub mod span;
mod text;
pub mod trace;
mod zipkin_fill;
pub mod zipkin_json;
pub mod zipkin_proto3;
pub mod zipkin_v1;
pub mod zipkin_view;

pub use batch::{Admission, Codec, SpanBatch};
pub use codec::{
    DecodeError, DecodeLimits, Decoded, DecodedChunk, Rejection, decode, decode_all, decode_chunk, encode,
};
pub use columnar::SpanChunk;
pub use prepare::{Prepared, prepare};
pub use redact::Redaction;
pub use sniff::{expect_list, sniff};
pub use span::{
    Attributes, Endpoint, EntityRef, Kind, Resource, Scope, Source, Span, SpanEvent, SpanFlags, SpanLink,
    Status, StatusCode, Value,
};
pub use trace::trace_timestamp_ns;
