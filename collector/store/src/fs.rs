//! All access to files goes through [`Fs`], so that tests can take away the power at any point.

mod std_fs;

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use std_fs::StdFs;

/// A file that grows. Nothing appended is safe before [`AppendFile::sync_data`] returned.
pub trait AppendFile: Send + Debug {
    /// Appends all of `bytes`.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything appended so far survive a power loss. A failure is final: the file may have lost anything
    /// since the last success, and trying again would only seem to help.
    fn sync_data(&mut self) -> io::Result<()>;
}

/// A file that is read at places.
pub trait ReadFile: Send + Sync + Debug {
    /// Fills `buffer` from `offset`; an error when the file ends before.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether it holds nothing.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }
}

/// Held as long as the directory is in use; dropping it lets another process in.
pub trait DirLock: Send + Sync + Debug {}

/// The calls the engine makes. Entries of a directory (new files, renames, removals) are safe once the directory
/// was synced, contents of files once the file was.
pub trait Fs: Send + Sync + Debug {
    /// Creates one directory whose parent exists; fine when it is there already.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Creates a file that does not exist yet, or empties one that does.
    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
    /// Opens an existing file to append.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
    /// Opens an existing file to read.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>>;
    /// Replaces `to` by `from`, atomically.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives the file `from` a second name. Files without this are copied instead, so refusing is fine.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let _ = (from, to);
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes the entries of a directory survive a power loss.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Names in a directory, sorted; an empty list when it does not exist.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Claims a directory for this process, or names who has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn DirLock>>;
}

/// A path joined from parts.
pub(crate) fn join(base: &Path, parts: &[&str]) -> PathBuf {
    parts.iter().fold(base.to_path_buf(), |path, part| path.join(part))
}

/// Creates `base/a/b/…` and makes each new entry durable.
pub(crate) fn create_dirs(fs: &dyn Fs, base: &Path, parts: &[&str]) -> io::Result<PathBuf> {
    let mut path = base.to_path_buf();
    for part in parts {
        let known = fs.list(&path)?.iter().any(|name| name == part);
        let child = path.join(part);
        if !known {
            fs.create_dir(&child)?;
            fs.sync_dir(&path)?;
        }
        path = child;
    }
    Ok(path)
}

/// Reads a whole file of at most `bytes_max` bytes.
pub(crate) fn read_all(fs: &dyn Fs, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let file = fs.open(path)?;
    let len = file.len()?;
    if len > bytes_max {
        return Err(io::Error::other(format!("{} has {len} bytes, more than {bytes_max}", path.display())));
    }
    let mut bytes = vec![0; len as usize];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}
