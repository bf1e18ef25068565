//! A segment is a file of records: `magic 8 · version u16 · first LSN u64 · tenant (u32 length, text) · crc32c u32`,
//! then the records. Its name is its first LSN.

use std::io;
use std::path::{Path, PathBuf};

use crate::fs::{AppendFile, Fs};
use crate::wire::{Malformed, Put, Take};

const MAGIC: &[u8; 8] = b"TPACTLOG";
/// Version of segment and record layout.
pub(crate) const VERSION: u16 = 1;
const SUFFIX: &str = ".log";
/// The one header error that is no damage.
pub(crate) const OTHER_VERSION: Malformed = Malformed("its format is of another version of tracepact");

/// The header of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tenant: String,
    pub(crate) first_lsn: u64,
}

impl Header {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.put_u16(VERSION);
        out.put_u64(self.first_lsn);
        out.put_text(&self.tenant);
        let crc = crc32c::crc32c(&out);
        out.put_u32(crc);
        out
    }

    /// The header and its length.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, usize), Malformed> {
        let mut take = Take(bytes);
        if take.bytes(8)? != MAGIC {
            return Err(Malformed("it is no tracepact log"));
        }
        if take.u16()? != VERSION {
            return Err(OTHER_VERSION);
        }
        let first_lsn = take.u64()?;
        let tenant = take.text()?.to_owned();
        let length = bytes.len() - take.0.len();
        if take.u32()? != crc32c::crc32c(&bytes[..length]) {
            return Err(Malformed("its header is damaged"));
        }
        Ok((Self { tenant, first_lsn }, length + 4))
    }
}

/// The file name of the segment that starts with `first_lsn`.
pub(crate) fn file_name(first_lsn: u64) -> String {
    format!("{first_lsn:020}{SUFFIX}")
}

/// First LSNs of the segments in `dir`, ascending, with their paths.
pub(crate) fn list(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    for name in fs.list(dir)? {
        if let Some(first_lsn) = name.strip_suffix(SUFFIX).and_then(|number| number.parse().ok()) {
            segments.push((first_lsn, dir.join(name)));
        }
    }
    segments.sort();
    Ok(segments)
}

/// Creates a segment; its directory entry is durable when this returns. Its header becomes durable with the first
/// record: a segment without one says nothing.
pub(crate) fn create(
    fs: &dyn Fs,
    dir: &Path,
    tenant: &str,
    first_lsn: u64,
) -> io::Result<Box<dyn AppendFile>> {
    let mut file = fs.create(&dir.join(file_name(first_lsn)))?;
    file.append(&Header { tenant: tenant.to_owned(), first_lsn }.write())?;
    fs.sync_dir(dir)?;
    Ok(file)
}
