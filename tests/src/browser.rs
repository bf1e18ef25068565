//! A real Chromium that loads one page, runs its scripts and says what is on it then.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;

/// Time that the page is given to load, in its own clock: Chromium lets it pass as soon as nothing is under way.
const BUDGET_MS: u32 = 20_000;
/// Longest time one load may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The page at `url` as HTML after its scripts ran. The browser has a fresh profile and talks to nobody else.
pub async fn dom(url: &str) -> anyhow::Result<String> {
    let profile = tempfile::tempdir()?;
    let browser = std::env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into());
    let mut command = Command::new(&browser);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--lang=en-US"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--virtual-time-budget={BUDGET_MS}"))
        .args(["--dump-dom", url])
        .kill_on_drop(true);
    let output = tokio::time::timeout(TIMEOUT, command.output())
        .await
        .with_context(|| format!("Chromium did not finish {url}"))?
        .context("chromium (Debian package chromium)")?;
    if !output.status.success() {
        bail!("Chromium ended with {} on {url}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
