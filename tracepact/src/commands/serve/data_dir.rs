//! The data directory: made when missing, writable, and used by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Held as long as the process uses the directory; the operating system gives it back when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes the directory.
pub(super) fn take(dir: &Path) -> anyhow::Result<Lock> {
    let shown = dir.display();
    DirBuilder::new().recursive(true).mode(0o750).create(dir).map_err(|error| {
        anyhow::anyhow!(
            "the data directory {shown} cannot be made: {error}; choose another one with --data-dir"
        )
    })?;
    let path = dir.join("process.lock");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(
        |error| {
            anyhow::anyhow!(
                "the data directory {shown} cannot be written: {error}; give this user the right to, or choose another one with --data-dir"
            )
        },
    )?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(20).read_to_string(&mut holder);
            anyhow::bail!(
                "the data directory {shown} is in use by another tracepact (process {}): stop that one, or choose another directory with --data-dir",
                holder.trim()
            );
        }
        Err(TryLockError::Error(error)) => {
            anyhow::bail!(
                "the data directory {shown} cannot be locked: {error}; choose one on a local disk with --data-dir"
            )
        }
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .and_then(|()| file.sync_all());
    written.map_err(|error| anyhow::anyhow!("the data directory {shown} cannot be written: {error}"))?;
    Ok(Lock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        let lock = take(&inner).unwrap();
        let refused = take(&inner).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        assert!(refused.contains("--data-dir"));
        drop(lock);
        take(&inner).unwrap();
    }
}
