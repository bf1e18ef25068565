//! Zipkin v2 in protobuf: `zipkin.proto3.ListOfSpans`, as reporters send it over HTTP, gRPC and Kafka.
//!
//! Source: zipkin-api's `zipkin.proto`. The bytes are walked as they are; no message type stands between them and the
//! rows. Unknown fields are skipped, a field of a known number with another wire type is malformed.

mod read;
mod walk;
mod write;

pub use read::decode;
pub(crate) use read::read_into;
pub use write::encode;
