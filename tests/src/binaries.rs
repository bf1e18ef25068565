//! Where the built binaries are.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// The built binaries of one build.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The server and command line.
    pub tracepact: PathBuf,
    /// The shop.
    pub shop: PathBuf,
}

impl Binaries {
    /// Those in `folder`.
    pub fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let found = Self { tracepact: folder.join("tracepact"), shop: folder.join("tracepact-shop") };
        for binary in [&found.tracepact, &found.shop] {
            if !binary.is_file() {
                bail!("{} is not built: cargo build -p tracepact -p tracepact-shop", binary.display());
            }
        }
        Ok(found)
    }

    /// Those in the folder that `E2E_BINARIES` names, else beside the running test.
    pub fn find() -> anyhow::Result<Self> {
        if let Some(folder) = std::env::var_os("E2E_BINARIES") {
            return Self::in_folder(Path::new(&folder));
        }
        // target/debug/deps/e2e-… → target/debug
        let own = std::env::current_exe()?;
        let folder = own.ancestors().nth(2).unwrap_or(Path::new("."));
        Self::in_folder(folder)
    }
}
