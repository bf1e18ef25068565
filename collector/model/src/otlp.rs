//! OTLP traces: `ExportTraceServiceRequest`, which is `TracesData` too, in protobuf and in JSON.
//!
//! Sources: opentelemetry-proto 1.x (trace, common, resource), OTLP's rule of partial success, the semantic
//! conventions for the endpoint attributes that are lifted (see [`lift_remote`]).

mod json;
mod lift;
mod read;
mod values;
mod write;
mod write_json;

pub use json::decode_json;
pub use lift::lift_remote;
pub use read::{decode, read_request};
pub(crate) use read::{span_id, trace_id};
pub use write::{encode, to_resource_spans};
pub use write_json::encode_json;
