//! `cargo xtask dist`: release binaries with the dashboard inside, stripped, with checksums.

use std::process::Command;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use crate::run::{output, run as run_command};
use crate::workspace::{Metadata, cargo, root};

const BINARIES: [&str; 2] = ["tracepact", "tracepact-shop"];

/// Libraries every Linux with glibc has; a binary that needs more is not self-contained.
const SYSTEM_LIBRARIES: [&str; 7] =
    ["linux-vdso.so", "libc.so", "libm.so", "libgcc_s.so", "libdl.so", "libpthread.so", "ld-linux-x86-64.so"];

/// Fetches what the pages need and builds them into `dashboard/ui/dist`.
pub(crate) fn build_pages() -> anyhow::Result<()> {
    let ui = root().join("dashboard/ui");
    run_command(Command::new("npm").current_dir(&ui).args(["ci", "--no-audit", "--no-fund"]))?;
    run_command(Command::new("npm").current_dir(&ui).args(["run", "build"]))
}

pub(crate) fn run() -> anyhow::Result<()> {
    build_pages()?;
    let mut build = cargo();
    build.args(["build", "--release", "--locked"]);
    for binary in BINARIES {
        build.args(["-p", binary]);
    }
    run_command(&mut build)?;
    let target = Metadata::read()?.target_directory;
    let dist = target.join("dist");
    std::fs::create_dir_all(&dist)?;
    let mut sums = String::new();
    for binary in BINARIES {
        let to = dist.join(binary);
        std::fs::copy(target.join("release").join(binary), &to)
            .with_context(|| format!("no release binary {binary}"))?;
        run_command(Command::new("strip").arg(&to))?;
        self_contained(&output(Command::new("ldd").arg(&to))?, binary)?;
        let bytes = std::fs::read(&to)?;
        sums.push_str(&format!("{}  {binary}\n", hex::encode(Sha256::digest(&bytes))));
        println!("{} ({:.1} MB)", to.display(), bytes.len() as f64 / 1e6);
    }
    std::fs::write(dist.join("SHA256SUMS"), &sums)?;
    println!("{sums}check with: cd {} && sha256sum -c SHA256SUMS", dist.display());
    Ok(())
}

fn self_contained(ldd: &str, binary: &str) -> anyhow::Result<()> {
    let extra: Vec<&str> =
        ldd.lines().filter(|line| !SYSTEM_LIBRARIES.iter().any(|known| line.contains(known))).collect();
    if extra.is_empty() {
        Ok(())
    } else {
        bail!("{binary} needs libraries of this machine: {}", extra.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_library_is_noticed() {
        assert!(self_contained("\tlibc.so.6 => /lib/libc.so.6 (0x1)\n", "x").is_ok());
        assert!(self_contained("\tlibssl.so.3 => /lib/libssl.so.3 (0x1)\n", "x").is_err());
    }
}
