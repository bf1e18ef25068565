//! Records out of the batches of a fetch answer: key, time and trace headers, within bounds.

use bytes::{Buf, Bytes};

use super::decompress;

/// Bytes before the records of a batch.
const HEADER_BYTES: usize = 61;
/// Attribute bit of control batches (transaction markers).
const CONTROL: i16 = 0b10_0000;

/// A record as far as the audit needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireRecord {
    pub(crate) offset: i64,
    pub(crate) at_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    /// Headers by name; of several with one name the last wins, as Brave and OpenTelemetry read them.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

/// What a fetch answer held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Batches {
    pub(crate) records: Vec<WireRecord>,
    /// The offset after the last whole batch; `None` when there was none.
    pub(crate) next_offset: Option<i64>,
    /// Batches that could not be read: wrong checksum, unknown format, too long when unpacked.
    pub(crate) damaged: u64,
}

/// Reads all whole batches of `data`; the last one may be cut off, as Kafka cuts answers. A damaged batch is counted and
/// skipped: the audit goes on behind it.
pub(crate) fn read_records(data: &Bytes, unpacked_bytes_max: usize) -> Batches {
    let mut out = Batches::default();
    let mut rest = &data[..];
    while rest.len() >= HEADER_BYTES {
        let base = (&rest[0..8]).get_i64();
        let length = (&rest[8..12]).get_i32();
        let Some(total) = usize::try_from(length).ok().map(|length| length.saturating_add(12)) else {
            out.damaged += 1;
            return out;
        };
        if total < HEADER_BYTES || total > rest.len() {
            out.damaged += u64::from(total < HEADER_BYTES);
            return out;
        }
        let (batch, after) = rest.split_at(total);
        rest = after;
        let last_delta = (&batch[23..27]).get_i32();
        out.next_offset = Some(base.saturating_add(i64::from(last_delta.max(0))).saturating_add(1));
        let before = out.records.len();
        if read_batch(batch, base, unpacked_bytes_max, &mut out.records).is_none() {
            out.records.truncate(before);
            out.damaged += 1;
        }
    }
    out
}

fn read_batch(batch: &[u8], base: i64, bytes_max: usize, into: &mut Vec<WireRecord>) -> Option<()> {
    let mut fields = &batch[16..HEADER_BYTES];
    let magic = fields.get_i8();
    let checksum = fields.get_u32();
    if magic != 2 || crc32c::crc32c(&batch[21..]) != checksum {
        return None;
    }
    let attributes = fields.get_i16();
    fields.advance(4);
    let first_ms = fields.get_i64();
    fields.advance(8 + 8 + 2 + 4);
    let count = fields.get_i32();
    if attributes & CONTROL != 0 {
        return Some(());
    }
    let unpacked = decompress::bounded(attributes & 0b111, &batch[HEADER_BYTES..], bytes_max)?;
    let mut rest = &unpacked[..];
    for _ in 0..count {
        into.push(read_record(&mut rest, base, first_ms)?);
    }
    Some(())
}

fn read_record(rest: &mut &[u8], base: i64, first_ms: i64) -> Option<WireRecord> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let mut record = take(rest, length)?;
    take(&mut record, 1)?;
    let at_ms = first_ms.saturating_add(varint(&mut record)?);
    let offset = base.saturating_add(varint(&mut record)?);
    let key = blob(&mut record)?.map(<[u8]>::to_vec);
    blob(&mut record)?;
    let mut headers = Vec::new();
    for _ in 0..varint(&mut record)? {
        let name = std::str::from_utf8(blob(&mut record)??).ok()?.to_owned();
        let value = blob(&mut record)?.unwrap_or_default().to_vec();
        headers.push((name, value));
    }
    Some(WireRecord { offset, at_ms, key, headers })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

/// Bytes with their length before them; -1 is null.
fn blob<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match varint(rest)? {
        -1 => Some(None),
        length => Some(Some(take(rest, usize::try_from(length).ok()?)?)),
    }
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
