//! One record: `length u32 · crc32c u32 · lsn u64 · durable_lsn u64 · received_at_ns u64 · table u8 · codec u8 ·
//! rejected count u32 · rejected u32… · body length u32 · zstd(body)`. The checksum covers everything behind it.

use std::cell::RefCell;

use crate::wire::{Malformed, Put, Take};

/// Bytes before the checksummed part.
pub(crate) const FRAME_BYTES: usize = 8;
/// Bytes of the fixed checksummed fields.
const FIXED_BYTES: usize = 8 + 8 + 8 + 1 + 1 + 4;
/// Longest checksummed part; a longer length field is damage.
pub(crate) const RECORD_BYTES_MAX: usize = 256 << 20;
/// Longest uncompressed body.
const BODY_BYTES_MAX: u32 = 512 << 20;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Table {
    /// Nothing: it only carries the durable LSN of a log that fell quiet. Takes no LSN of its own.
    Mark = 0,
    /// A request body of spans.
    Spans = 1,
    /// Points of series.
    Points = 2,
    /// Events.
    Events = 3,
    /// Deleted traces.
    Tombstones = 4,
    /// Counts of spans that are not kept themselves.
    Counts = 5,
}

impl Table {
    const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Mark,
            1 => Self::Spans,
            2 => Self::Points,
            3 => Self::Events,
            4 => Self::Tombstones,
            5 => Self::Counts,
            _ => return None,
        })
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) lsn: u64,
    pub(crate) durable_lsn: u64,
    pub(crate) received_at_ns: u64,
    pub(crate) table: Table,
    pub(crate) codec: u8,
    pub(crate) rejected: Vec<u32>,
    /// Uncompressed.
    pub(crate) body: Vec<u8>,
}

/// A record on its way into the log, all but the numbers that the log's thread gives.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) received_at_ns: u64,
    pub(crate) table: Table,
    pub(crate) codec: u8,
    pub(crate) rejected: Vec<u32>,
    body_bytes: u32,
    compressed: Vec<u8>,
}

thread_local! {
    /// Its tables are larger than most bodies: making them anew takes longer than using them.
    static ZSTD: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    ZSTD.with_borrow_mut(|zstd| {
        let zstd = match zstd {
            Some(zstd) => zstd,
            None => zstd.insert(zstd::bulk::Compressor::new(1)?),
        };
        zstd.compress(body)
    })
}

impl Draft {
    /// Compresses `body`: work for a CPU pool, not for the log's thread.
    pub(crate) fn new(
        table: Table,
        codec: u8,
        received_at_ns: u64,
        rejected: Vec<u32>,
        body: &[u8],
    ) -> Result<Self, Malformed> {
        let body_bytes = u32::try_from(body.len())
            .ok()
            .filter(|len| *len <= BODY_BYTES_MAX)
            .ok_or(Malformed("the body is longer than a log record may be"))?;
        let compressed = compress(body).map_err(|_| Malformed("it could not be compressed"))?;
        Ok(Self { received_at_ns, table, codec, rejected, body_bytes, compressed })
    }

    /// A record that only says what is durable.
    pub(crate) fn mark() -> Self {
        Self {
            received_at_ns: 0,
            table: Table::Mark,
            codec: 0,
            rejected: Vec::new(),
            body_bytes: 0,
            compressed: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        FRAME_BYTES + FIXED_BYTES + self.rejected.len() * 4 + 4 + self.compressed.len()
    }

    /// Appends the record to `out`.
    pub(crate) fn write(&self, lsn: u64, durable_lsn: u64, out: &mut Vec<u8>) {
        let start = out.len();
        let length = self.bytes() - FRAME_BYTES;
        out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        out.put_u32(0);
        out.put_u64(lsn);
        out.put_u64(durable_lsn);
        out.put_u64(self.received_at_ns);
        out.push(self.table as u8);
        out.push(self.codec);
        out.put_u32(u32::try_from(self.rejected.len()).unwrap_or(u32::MAX));
        for position in &self.rejected {
            out.put_u32(*position);
        }
        out.put_u32(self.body_bytes);
        out.extend_from_slice(&self.compressed);
        let crc = crc32c::crc32c(&out[start + FRAME_BYTES..]);
        out[start + 4..start + FRAME_BYTES].copy_from_slice(&crc.to_le_bytes());
    }
}

/// What stands at the front of `bytes`.
#[derive(Debug)]
pub(crate) enum Found {
    /// A whole record and its length in bytes, frame included.
    Record(Box<Record>, usize),
    /// Nothing more.
    End,
    /// Bytes that are no whole record.
    Damage,
}

/// The LSN and length of the record at the front, once its checksum holds; does not decompress.
pub(crate) fn peek(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut take = Take(bytes);
    let length = take.u32().ok()? as usize;
    let crc = take.u32().ok()?;
    if !(FIXED_BYTES + 4..=RECORD_BYTES_MAX).contains(&length) {
        return None;
    }
    let part = take.bytes(length).ok()?;
    let lsn = Take(part).u64().ok()?;
    (crc32c::crc32c(part) == crc).then_some((lsn, FRAME_BYTES + length))
}

/// Reads the record at the front.
pub(crate) fn read(bytes: &[u8]) -> Found {
    if bytes.is_empty() {
        return Found::End;
    }
    match peek(bytes).and_then(|(_, len)| parse(&bytes[FRAME_BYTES..len]).ok().map(|record| (record, len))) {
        Some((record, len)) => Found::Record(Box::new(record), len),
        None => Found::Damage,
    }
}

fn parse(part: &[u8]) -> Result<Record, Malformed> {
    let mut take = Take(part);
    let lsn = take.u64()?;
    let durable_lsn = take.u64()?;
    let received_at_ns = take.u64()?;
    let table = Table::from_number(take.u8()?).ok_or(Malformed("a table of a newer version"))?;
    let codec = take.u8()?;
    let count = take.u32()? as usize;
    let rejected = take
        .bytes(count.saturating_mul(4))?
        .as_chunks()
        .0
        .iter()
        .map(|chunk| u32::from_le_bytes(*chunk))
        .collect();
    let body_bytes = take.u32()?;
    if body_bytes > BODY_BYTES_MAX {
        return Err(Malformed("a body longer than allowed"));
    }
    let body = if table == Table::Mark {
        Vec::new()
    } else {
        zstd::bulk::decompress(take.0, body_bytes as usize)
            .map_err(|_| Malformed("a body that does not decompress"))?
    };
    Ok(Record { lsn, durable_lsn, received_at_ns, table, codec, rejected, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_every_flipped_byte_is_seen() {
        let draft = Draft::new(Table::Spans, 2, 77, vec![1, 5], b"body body body").unwrap();
        let mut bytes = Vec::new();
        draft.write(9, 8, &mut bytes);
        assert_eq!(bytes.len(), draft.bytes());
        let Found::Record(record, len) = read(&bytes) else { panic!("not read") };
        assert_eq!(len, bytes.len());
        assert_eq!((record.lsn, record.durable_lsn, record.rejected.as_slice()), (9, 8, [1, 5].as_slice()));
        assert_eq!(record.body, b"body body body");
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(matches!(read(&flipped), Found::Damage), "byte {at}");
            assert!(matches!(read(&bytes[..at.max(1)]), Found::Damage));
        }
    }
}
