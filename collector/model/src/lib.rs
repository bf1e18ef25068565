//! The span row and the wire codecs that read and write it.
//!
//! Place on the map: `ingest` decodes request bodies with the codecs here, `store` keeps the rows, `query` writes
//! them out again in a dialect. One row is one *received fragment*; nothing is merged before it is read.
//!
//! What it deliberately does not do: input, output, merging of fragments (that is `analysis`), or anything async.

pub mod batch;
pub mod span;

pub use batch::{Admission, Codec, SpanBatch};
pub use span::{Endpoint, Kind, Source, Span, SpanEvent, SpanFlags, SpanLink, Status, StatusCode, Value};
