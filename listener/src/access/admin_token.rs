//! The admin token: made at first start, kept in the data directory, readable by its owner only.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rand::TryRngCore;
use rand::rngs::OsRng;
use tracepact_base::Secret;

/// Most bytes read from a token file.
const TOKEN_BYTES_MAX: u64 = 4096;
/// Fewest characters a token may have.
const TOKEN_CHARS_MIN: usize = 16;

/// Reads the token in `path`, or makes one of 256 random bits there with mode 0600. The second value is `true` when
/// it was made now. A file that others may read is closed to them.
///
/// # Errors
/// When the file can neither be read nor made, or holds fewer than 16 characters.
pub fn load_or_create(path: &Path) -> io::Result<(Secret, bool)> {
    match File::open(path) {
        Ok(file) => Ok((read(file)?, false)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match create(path) {
            // Another process made it in the meantime.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok((read(File::open(path)?)?, false))
            }
            made => made.map(|token| (token, true)),
        },
        Err(error) => Err(error),
    }
}

fn read(file: File) -> io::Result<Secret> {
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    let mut text = String::new();
    file.take(TOKEN_BYTES_MAX).read_to_string(&mut text)?;
    let token = text.trim();
    if token.chars().count() < TOKEN_CHARS_MIN {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "holds fewer than {TOKEN_CHARS_MIN} characters; remove it and a new one is made at the next start"
            ),
        ));
    }
    Ok(Secret::new(token))
}

fn create(path: &Path) -> io::Result<Secret> {
    let mut bytes = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    let token = hex::encode(bytes);
    // Written beside and linked into place, so that no reader ever sees a part of it.
    let partial = path.with_extension(format!("{}.tmp", std::process::id()));
    let written =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial).and_then(
            |mut file| {
                file.write_all(format!("{token}\n").as_bytes())?;
                file.sync_all()?;
                std::fs::hard_link(&partial, path)
            },
        );
    let _ = std::fs::remove_file(&partial);
    written?;
    File::open(folder_of(path))?.sync_all()?;
    Ok(Secret::new(token))
}

/// The folder that holds `path`: the present one for a bare file name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_file_name_is_in_the_present_folder() {
        assert_eq!(folder_of(Path::new("faults.token")), Path::new("."));
        assert_eq!(folder_of(Path::new("keys/faults.token")), Path::new("keys"));
        assert_eq!(folder_of(Path::new("/faults.token")), Path::new("/"));
    }

    #[test]
    fn made_once_and_only_for_the_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin-token");
        let (made, new) = load_or_create(&path).unwrap();
        assert!(new);
        assert_eq!(made.expose().len(), 64);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let (read, new) = load_or_create(&path).unwrap();
        assert!(!new && read == made);
    }

    #[test]
    fn a_file_open_to_others_is_closed_and_an_empty_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin-token");
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load_or_create(&path).unwrap().0.expose(), "0123456789abcdef");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "\n").unwrap();
        assert!(load_or_create(&path).is_err());
    }
}
