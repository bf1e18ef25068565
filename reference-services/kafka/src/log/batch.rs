//! Record batches of format 2: the header, its checks, and the timestamps inside.

use bytes::{Buf, Bytes};

use super::decompress;
use crate::error_code;

/// Bytes before the records of a batch.
pub(crate) const HEADER_BYTES: usize = 61;
/// Most bytes decompressed while looking for a timestamp.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// What the broker reads of a batch's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) last_offset_delta: i32,
    pub(crate) attributes: i16,
    pub(crate) first_timestamp: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) record_count: i32,
}

impl Header {
    /// Sequence of the batch's last record; sequences wrap to 0 after 2^31 - 1.
    pub(crate) fn last_sequence(&self) -> i32 {
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }
}

/// Takes one batch off the front of `records`, with its checks: length, magic, checksum, counts.
pub(crate) fn parse_batch(records: &mut Bytes) -> Result<(Header, Bytes), i16> {
    if records.len() < HEADER_BYTES {
        return Err(error_code::CORRUPT_MESSAGE);
    }
    if records[16] != 2 {
        return Err(error_code::UNSUPPORTED_FOR_MESSAGE_FORMAT);
    }
    let length = (&records[8..12]).get_i32();
    let Ok(length) = usize::try_from(length) else { return Err(error_code::CORRUPT_MESSAGE) };
    if length < HEADER_BYTES - 12 || records.len() < length + 12 {
        return Err(error_code::CORRUPT_MESSAGE);
    }
    let raw = records.split_to(length + 12);
    let mut fields = &raw[17..HEADER_BYTES];
    let checksum = fields.get_u32();
    if crc32c::crc32c(&raw[21..]) != checksum {
        return Err(error_code::CORRUPT_MESSAGE);
    }
    let header = Header {
        attributes: fields.get_i16(),
        last_offset_delta: fields.get_i32(),
        first_timestamp: fields.get_i64(),
        max_timestamp: fields.get_i64(),
        producer_id: fields.get_i64(),
        producer_epoch: fields.get_i16(),
        base_sequence: fields.get_i32(),
        record_count: fields.get_i32(),
    };
    let counts_agree = header.last_offset_delta >= 0
        && header.record_count >= 1
        && i64::from(header.record_count) <= i64::from(header.last_offset_delta) + 1;
    let is_plain = header.attributes & 0b11_0000 == 0 && header.attributes & 0b111 <= 4;
    if !counts_agree || !is_plain {
        return Err(error_code::INVALID_RECORD);
    }
    Ok((header, raw))
}

/// All batches of one produce request, or the first refusal.
pub(super) fn split(mut records: Bytes) -> Result<Vec<(Header, Bytes)>, i16> {
    let mut batches = Vec::new();
    while !records.is_empty() {
        batches.push(parse_batch(&mut records)?);
    }
    Ok(batches)
}

/// The first record of a stored batch at or after `timestamp` and `start`. A batch that cannot be decompressed answers
/// with its base offset, which is never too late.
pub(super) fn first_at_or_after(raw: &Bytes, timestamp: i64, start: i64) -> Option<(i64, i64)> {
    let base = (&raw[0..8]).get_i64();
    let (header, whole) = parse_batch(&mut raw.clone()).ok()?;
    let Some(records) =
        decompress::bounded(header.attributes & 0b111, &whole[HEADER_BYTES..], DECOMPRESSED_BYTES_MAX)
    else {
        return Some((base.max(start), header.first_timestamp));
    };
    let mut rest = &records[..];
    for _ in 0..header.record_count {
        let (timestamp_delta, offset_delta) = next_record(&mut rest)?;
        let at = header.first_timestamp.saturating_add(timestamp_delta);
        let offset = base.saturating_add(offset_delta);
        if at >= timestamp && offset >= start {
            return Some((offset, at));
        }
    }
    None
}

/// Deltas of the next record: (timestamp, offset).
fn next_record(rest: &mut &[u8]) -> Option<(i64, i64)> {
    let length = usize::try_from(varint(rest)?).ok()?;
    if rest.len() < length || length < 1 {
        return None;
    }
    let (mut record, after) = rest.split_at(length);
    *rest = after;
    record.advance(1);
    Some((varint(&mut record)?, varint(&mut record)?))
}

/// A zig-zag variable-length integer of up to 64 bits.
fn varint(from: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}
