//! Zipkin's own page, unmodified: unpacked once from its Maven artifact.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::tools_folder;

/// The folder with `zipkin-lens/index.html`. A half-finished fetch never looks complete.
pub async fn provide() -> anyhow::Result<PathBuf> {
    let folder = tools_folder()?.join("zipkin-lens");
    std::fs::create_dir_all(&folder)?;
    let lock = std::fs::File::create(folder.join("lock"))?;
    let _lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    let unpacked = folder.join("unpacked");
    if unpacked.join("complete").is_file() {
        return Ok(unpacked);
    }
    let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("lens/pom.xml");
    let status = Command::new("mvn")
        .args(["-q", "-B", "dependency:unpack-dependencies", "-f"])
        .arg(&pom)
        .arg(format!("-DoutputDirectory={}", unpacked.display()))
        .arg(format!("-DmarkersDirectory={}", folder.join("markers").display()))
        .kill_on_drop(true)
        .status()
        .await
        .context("mvn (Debian package maven)")?;
    if !status.success() || !unpacked.join("zipkin-lens/index.html").is_file() {
        bail!("Zipkin's page could not be fetched: mvn ended with {status}");
    }
    std::fs::write(unpacked.join("complete"), "")?;
    Ok(unpacked)
}
