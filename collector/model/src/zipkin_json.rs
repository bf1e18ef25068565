//! Zipkin v2 JSON: lists of spans as Brave and other Zipkin reporters send them and as `GET /api/v2/trace*` answers.
//!
//! Reading is as lenient as Zipkin's own reader: unknown fields and nulls are skipped, numbers may be quoted, an
//! unreadable address is left out. Writing keeps Zipkin's byte order of fields.

mod endpoint;
mod read;
mod text;
mod write;

pub use read::decode;
pub(crate) use read::read_into;
pub use write::{encode, encode_as_received, write_list, write_span};
