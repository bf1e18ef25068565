//! Spans as columns with dictionary codes: what decoders of speed make straight from a body's bytes, what the store
//! keeps in memory and writes into blocks. An owned [`Span`](crate::Span) is made only of what is read.
//!
//! A [`SpanChunk`] holds each distinct text once ([`Texts`]) and numbers per row. Attributes of a row are its *shape* (the
//! keys and types, in their order) and one code per value. Whatever is rarely looked into (events, links, resource,
//! scope, nested values) is kept as text in the form of [`details`].

mod build;
mod chunk;
pub mod details;
mod merge;
mod otlp;
mod otlp_details;
mod proto;
mod remote;
mod rows;
mod spans;
mod texts;
mod zipkin;

pub use chunk::{EndpointCodes, Key, NO_DURATION, Origin, Row, SpanChunk, ValueType, row_flags};
pub use details::Malformed;
pub use merge::Merged;
pub use rows::Columns;
pub use spans::{SpanReader, read_typed};
pub use texts::Texts;

pub(crate) use build::Builder;
pub(crate) use chunk::{kind_number, source_number};
pub(crate) use otlp::decode as decode_otlp;
pub(crate) use zipkin::{decode_json as decode_zipkin_json, decode_proto3 as decode_zipkin_proto3};
