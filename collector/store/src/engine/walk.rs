//! What stands in a store's directory, file by file, without opening it as a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::block::Table;
use crate::block::meta::FileMeta;
use crate::fs::{Fs, join};

/// Bytes in memory at once.
const PIECE_BYTES: usize = 1 << 20;

/// The directory of one block, finished or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockDir {
    pub(super) table: Table,
    pub(super) day: String,
    pub(super) id: String,
    pub(super) dir: PathBuf,
    /// Names of its files, sorted.
    pub(super) files: Vec<String>,
}

impl BlockDir {
    /// Its place below the store's directory.
    pub(super) fn relative(&self, tenant: &str) -> String {
        format!("data/{tenant}/{}/{}/{}", self.table.dir(), self.day, self.id)
    }

    /// Whether it is a block; one without is left over from a write that never ended.
    pub(super) fn is_finished(&self) -> bool {
        self.files.iter().any(|name| name == "meta.json")
    }
}

/// All blocks of a store, by table, day and id.
pub(super) fn blocks(fs: &dyn Fs, dir: &Path, tenant: &str) -> io::Result<Vec<BlockDir>> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let table_dir = join(dir, &["data", tenant, table.dir()]);
        for day in fs.list(&table_dir)? {
            for id in fs.list(&table_dir.join(&day))? {
                let dir = join(&table_dir, &[&day, &id]);
                let files = fs.list(&dir)?;
                found.push(BlockDir { table, day: day.clone(), id, dir, files });
            }
        }
    }
    Ok(found)
}

/// Length and checksum of a file, read a piece at a time; `each` gets the pieces.
pub(super) fn read_pieces(
    fs: &dyn Fs,
    path: &Path,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<FileMeta> {
    let file = fs.open(path)?;
    let len = file.len()?;
    let (mut at, mut crc32c) = (0, 0);
    let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(len).unwrap_or(PIECE_BYTES))];
    while at < len {
        let count = PIECE_BYTES.min(usize::try_from(len - at).unwrap_or(PIECE_BYTES));
        file.read_at(&mut piece[..count], at)?;
        crc32c = crc32c::crc32c_append(crc32c, &piece[..count]);
        each(&piece[..count])?;
        at += count as u64;
    }
    Ok(FileMeta { bytes: len, crc32c })
}

/// Claims a directory that no server may use meanwhile. One on a read-only disk needs no claim: nobody writes there.
pub(super) fn claim(fs: &dyn Fs, dir: &Path) -> io::Result<Option<Box<dyn crate::fs::DirLock>>> {
    match fs.lock(dir) {
        Ok(lock) => Ok(Some(lock)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
