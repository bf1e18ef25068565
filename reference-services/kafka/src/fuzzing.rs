//! Entry for fuzzing the parsers of network bytes.

use bytes::Bytes;

/// Parses `data` as a frame (without its length) and, when it is a request, decodes its body; then reads it as a record
/// batch. Must never panic and never allocate out of proportion.
pub fn fuzz_request(data: &[u8]) {
    if let Ok(crate::connection::Parsed::Request(request)) =
        crate::connection::parse(Bytes::copy_from_slice(data))
    {
        crate::api::decode_only(request.api, request.version, request.body);
    }
    let mut records = Bytes::copy_from_slice(data);
    drop(crate::log::parse_batch(&mut records));
}
