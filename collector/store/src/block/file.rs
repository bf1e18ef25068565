//! A sealed file with a checksum for each 4 KiB: whatever is read was checked, and nothing else is read.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use crate::budget::Budget;
use crate::fs::ReadFile;

/// Bytes under one checksum.
pub(crate) const CHUNK_BYTES: usize = 4096;
/// Read ahead of `get_read`, which does not say how much it wants.
const READ_AHEAD_BYTES: u64 = CHUNK_BYTES as u64;

/// Checksums of `bytes`, one for each chunk.
pub(crate) fn checksums(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks(CHUNK_BYTES).map(crc32c::crc32c).collect()
}

/// A file that is checked as it is read.
#[derive(Debug, Clone)]
pub(crate) struct CheckedFile {
    pub(crate) file: Arc<dyn ReadFile>,
    pub(crate) len: u64,
    pub(crate) sums: Arc<Vec<u32>>,
}

impl CheckedFile {
    /// Reads `len` bytes from `start`. `InvalidData` means damage.
    pub(crate) fn read(&self, start: u64, len: usize, budget: &Budget) -> io::Result<Vec<u8>> {
        let end = start.checked_add(len as u64).filter(|end| *end <= self.len);
        let Some(end) = end else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a block's file is shorter than its index says",
            ));
        };
        if len == 0 {
            return Ok(Vec::new());
        }
        let first = start / CHUNK_BYTES as u64;
        let from = first * CHUNK_BYTES as u64;
        let to = (end.div_ceil(CHUNK_BYTES as u64) * CHUNK_BYTES as u64).min(self.len);
        budget.bytes(to - from).map_err(io::Error::other)?;
        let mut bytes = vec![0; (to - from) as usize];
        self.file.read_at(&mut bytes, from).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(io::ErrorKind::InvalidData, "a block's file is cut short")
            }
            _ => error,
        })?;
        for (i, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            if self.sums.get(first as usize + i) != Some(&crc32c::crc32c(chunk)) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a block's checksum does not hold"));
            }
        }
        bytes.truncate((end - from) as usize);
        Ok(bytes.split_off((start - from) as usize))
    }
}

/// The same for the Parquet reader, on behalf of one read.
#[derive(Debug, Clone)]
pub(crate) struct BudgetedFile {
    pub(crate) file: CheckedFile,
    pub(crate) budget: Budget,
}

impl Length for BudgetedFile {
    fn len(&self) -> u64 {
        self.file.len
    }
}

impl ChunkReader for BudgetedFile {
    type T = Sequential;

    fn get_read(&self, start: u64) -> ParquetResult<Sequential> {
        Ok(Sequential { file: self.clone(), at: start, buffer: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let bytes = self.file.read(start, length, &self.budget);
        bytes.map(Bytes::from).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// Reads on from a place.
#[derive(Debug)]
pub(crate) struct Sequential {
    file: BudgetedFile,
    at: u64,
    buffer: Bytes,
}

impl Read for Sequential {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffer.is_empty() {
            let left = self.file.file.len.saturating_sub(self.at).min(READ_AHEAD_BYTES);
            self.buffer = self.file.file.read(self.at, left as usize, &self.file.budget)?.into();
            self.at += left;
        }
        let len = out.len().min(self.buffer.len());
        out[..len].copy_from_slice(&self.buffer.split_to(len));
        Ok(len)
    }
}
