//! A sealed file with a checksum for each 4 KiB: whatever is read was checked, and nothing else is read.

use std::io;
use std::sync::Arc;

use crate::budget::Budget;
use crate::fs::ReadFile;

/// Bytes under one checksum.
pub(crate) const CHUNK_BYTES: usize = 4096;

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
