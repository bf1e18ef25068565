//! Python programs that tests run unmodified: a virtual environment each, with pinned versions, made once.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::tools_folder;

/// A virtual environment that holds what a requirements file names.
#[derive(Debug, Clone)]
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// The environment for `tests/python/{name}.txt`, made or brought up to date first. A half-made one never looks
    /// complete.
    pub async fn provide(name: &str) -> anyhow::Result<Self> {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("python/{name}.txt"));
        let wanted = std::fs::read_to_string(&requirements)
            .with_context(|| format!("could not read {}", requirements.display()))?;
        let folder = tools_folder()?.join(format!("python-{name}"));
        std::fs::create_dir_all(&folder)?;
        let lock = std::fs::File::create(folder.join("lock"))?;
        // Tests run side by side, and the one that comes second waits until the first has made it.
        let _lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
        let complete = folder.join("complete.txt");
        if std::fs::read_to_string(&complete).is_ok_and(|made| made == wanted) {
            return Ok(Self { folder });
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv"))).await?;
        let mut pip = Command::new(folder.join("venv/bin/python3"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
        run(&mut pip).await?;
        std::fs::write(&complete, wanted)?;
        Ok(Self { folder })
    }

    /// A command of this environment, `python3` or one that a package brought.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join("venv/bin").join(program));
        command.env("PACT_DO_NOT_TRACK", "true").kill_on_drop(true);
        command
    }
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let output =
        command.kill_on_drop(true).output().await.context("python3 (Debian package python3-venv)")?;
    if !output.status.success() {
        bail!(
            "{:?} ended with {}: {}{}",
            command.as_std(),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
