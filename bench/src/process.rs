//! What Linux says about a process and a folder.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

/// `/proc/PID/stat` counts in hundredths of a second on every Linux this runs on (USER_HZ).
const TICKS_PER_S: f64 = 100.0;
/// Longest wait for a process to come to rest.
const SETTLE_S_MAX: u32 = 120;
/// CPU time in one second at which a process counts as resting.
const RESTING_S: f64 = 0.02;

/// User and system time so far.
pub(crate) fn cpu_s(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("is the process still there?")?;
    // The second field is the name in parentheses and may contain spaces.
    let (_, rest) = stat.rsplit_once(") ").context("unknown form of /proc/PID/stat")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks: u64 = [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS_PER_S)
}

/// Waits until the process has rested for a second; user and system time until then.
pub(crate) async fn settled_cpu_s(pid: u32) -> anyhow::Result<f64> {
    let mut last = cpu_s(pid)?;
    for _ in 0..SETTLE_S_MAX {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = cpu_s(pid)?;
        if now - last <= RESTING_S {
            return Ok(now);
        }
        last = now;
    }
    bail!("process {pid} did not come to rest within {SETTLE_S_MAX} s")
}

/// Resident memory now.
pub(crate) fn rss_mb(pid: u32) -> anyhow::Result<f64> {
    status_mb(pid, "VmRSS:")
}

/// Most resident memory so far.
pub(crate) fn peak_rss_mb(pid: u32) -> anyhow::Result<f64> {
    status_mb(pid, "VmHWM:")
}

fn status_mb(pid: u32, key: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|l| l.starts_with(key))
        .with_context(|| format!("no {key} in /proc/PID/status"))?;
    let kb: f64 = line.split_whitespace().nth(1).context("no value")?.parse()?;
    Ok(kb / 1024.0)
}

/// Bytes of all files below a folder.
pub(crate) fn folder_bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        sum += if kind.is_dir() { folder_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}
