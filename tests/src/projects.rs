//! Client programs in other languages that tests run unmodified: each built once, from `tests/clients/{name}`.
//!
//! What is built lies in the tools folder and is made again only when its sources changed.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::tools_folder;

/// The program of `tests/clients/java`: a class path of its own jar and its dependencies.
///
/// # Errors
/// Maven or Java is missing, or the program does not compile.
pub async fn java(name: &str) -> anyhow::Result<PathBuf> {
    provide(name, async |folder| {
        let mut maven = Command::new("mvn");
        maven.args(["-q", "-B", "package", "dependency:copy-dependencies"]).current_dir(folder);
        run(&mut maven, "Debian packages maven and openjdk-17-jdk-headless").await
    })
    .await
}

/// A Spring Boot program, as one jar.
///
/// # Errors
/// Maven or Java is missing, or the program does not compile.
pub async fn spring_boot(name: &str) -> anyhow::Result<PathBuf> {
    provide(name, async |folder| {
        let mut maven = Command::new("mvn");
        maven.args(["-q", "-B", "package"]).current_dir(folder);
        run(&mut maven, "Debian packages maven and openjdk-17-jdk-headless").await
    })
    .await
}

/// A Maven project whose tests are run later, without a network: everything they need is fetched now.
///
/// # Errors
/// Maven or Java is missing, or the tests do not compile.
pub async fn pact_jvm(name: &str) -> anyhow::Result<PathBuf> {
    provide(name, async |folder| {
        let mut maven = Command::new("mvn");
        // A run that finds no broker fails its test and has loaded every plug-in; the tests compiled before that.
        maven.args(["-q", "-B", "test", "-Dmaven.test.failure.ignore=true"]).current_dir(folder);
        maven.args(["-Dpactbroker.url=http://127.0.0.1:9", "-Dcatalog.port=9"]);
        run(&mut maven, "Debian packages maven and openjdk-17-jdk-headless").await
    })
    .await
}

/// A folder of Node.js scripts with its packages installed.
///
/// # Errors
/// npm is missing, or a package is not to be had.
pub async fn node(name: &str) -> anyhow::Result<PathBuf> {
    provide(name, async |folder| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
        run(&mut npm, "Debian package npm").await
    })
    .await
}

/// A Go program, built as `client` in its folder.
///
/// # Errors
/// Go is missing, or the program does not compile.
pub async fn go(name: &str) -> anyhow::Result<PathBuf> {
    provide(name, async |folder| {
        let mut go = Command::new("go");
        // An older Go fetches the version that go.mod names.
        go.args(["build", "-o", "client", "."]).env("GOTOOLCHAIN", "auto").env("GOFLAGS", "-mod=readonly");
        run(go.current_dir(folder), "Debian package golang-go").await
    })
    .await
}

/// The folder of what was built from `tests/clients/{name}`; a half-built one never looks complete.
async fn provide(
    name: &str,
    build: impl AsyncFnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    let wanted = digest(&sources)?;
    let folder = tools_folder()?.join(format!("client-{name}"));
    std::fs::create_dir_all(&folder)?;
    let lock = std::fs::File::create(folder.join("lock"))?;
    // Tests run side by side, and the one that comes second waits until the first has made it.
    let _lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    let complete = folder.join("complete.txt");
    let built = folder.join("built");
    if std::fs::read_to_string(&complete).is_ok_and(|made| made == wanted) {
        return Ok(built);
    }
    if built.exists() {
        std::fs::remove_dir_all(&built)?;
    }
    copy(&sources, &built)?;
    build(&built).await?;
    std::fs::write(&complete, wanted)?;
    Ok(built)
}

/// Names and contents of the sources, without what a build by hand left there.
fn digest(folder: &Path) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for file in files(folder)? {
        hash.update(file.strip_prefix(folder)?.display().to_string());
        hash.update(std::fs::read(&file)?);
    }
    Ok(format!("{:x}", hash.finalize()))
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.ends_with("node_modules") || path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from)?);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(&file, &target)?;
    }
    Ok(())
}

async fn run(command: &mut Command, package: &str) -> anyhow::Result<()> {
    let output = command.stdin(std::process::Stdio::null()).kill_on_drop(true).output().await;
    let output =
        output.with_context(|| format!("{:?} cannot be run ({package})", command.as_std().get_program()))?;
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
