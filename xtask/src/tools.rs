//! What the tests use besides Rust: which of it is missing here, and how it gets here.
//!
//! Programs whose Debian package runs from any folder are unpacked under `target/tools`, which needs no root.
//! The others are installed with apt-get when root, else the one command to run is named.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::run::{run, works};

struct Tool {
    /// What people call it.
    name: &'static str,
    /// A call that exits with 0 when it is there.
    probe: (&'static str, &'static [&'static str]),
    /// Debian package.
    package: &'static str,
    /// Whether the package's files run from any folder.
    unpack: bool,
    /// Whether the demo needs it, too.
    for_demo: bool,
    /// What needs it.
    used_by: &'static str,
}

const TOOLS: [Tool; 10] = [
    Tool {
        name: "C compiler",
        probe: ("cc", &["--version"]),
        package: "build-essential",
        unpack: false,
        for_demo: true,
        used_by: "building",
    },
    Tool {
        name: "Node.js",
        probe: ("node", &["--version"]),
        package: "nodejs",
        unpack: false,
        for_demo: true,
        used_by: "dashboard",
    },
    Tool {
        name: "npm",
        probe: ("npm", &["--version"]),
        package: "npm",
        unpack: false,
        for_demo: true,
        used_by: "dashboard",
    },
    Tool {
        name: "Java",
        probe: ("java", &["-version"]),
        package: "openjdk-17-jdk-headless",
        unpack: false,
        for_demo: false,
        used_by: "Apache Kafka, Java clients",
    },
    Tool {
        name: "Maven",
        probe: ("mvn", &["--version"]),
        package: "maven",
        unpack: false,
        for_demo: false,
        used_by: "fetching Apache Kafka, Java clients, generated Java tests",
    },
    Tool {
        name: "PostgreSQL",
        probe: ("sh", &["-c", "command -v initdb || ls /usr/lib/postgresql/*/bin/initdb"]),
        package: "postgresql",
        unpack: false,
        for_demo: false,
        used_by: "the contract broker's tests",
    },
    Tool {
        name: "Python",
        probe: ("python3", &["-c", "import ensurepip, venv"]),
        package: "python3-venv",
        unpack: false,
        for_demo: false,
        used_by: "Pact and OpenTelemetry clients",
    },
    Tool {
        name: "Go",
        probe: ("go", &["version"]),
        package: "golang-go",
        unpack: false,
        for_demo: false,
        used_by: "OpenTelemetry's Go clients",
    },
    Tool {
        name: "Chromium",
        probe: ("chromium", &["--version"]),
        package: "chromium",
        unpack: false,
        for_demo: false,
        used_by: "dashboard tests",
    },
    Tool {
        name: "Prometheus",
        probe: ("prometheus", &["--version"]),
        package: "prometheus",
        unpack: true,
        for_demo: false,
        used_by: "dashboards and alert rules",
    },
];

/// What the tools are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Building and showing: a C compiler and Node.js.
    Demo,
    /// Every suite.
    Tests,
}

/// Lists what is missing, gets what can be got, and returns the folders to put behind `PATH`.
pub(crate) fn provide(target: &Path, purpose: For) -> anyhow::Result<Vec<PathBuf>> {
    let unpacked = target.join("tools/root/usr/bin");
    let missing: Vec<&Tool> = TOOLS
        .iter()
        .filter(|t| purpose == For::Tests || t.for_demo)
        .filter(|t| !works(t.probe.0, t.probe.1) && !unpacked.join(t.probe.0).is_file())
        .collect();
    if missing.is_empty() {
        println!("tools: all here");
        return Ok(vec![unpacked]);
    }
    for tool in &missing {
        println!("tools: missing {} (Debian package {}, for {})", tool.name, tool.package, tool.used_by);
    }
    let (unpack, install): (Vec<&Tool>, Vec<&Tool>) = missing.into_iter().partition(|t| t.unpack);
    let install: Vec<&str> = install.iter().map(|t| t.package).collect();
    if is_root() {
        run(Command::new("apt-get").args(["-q", "update"]))?;
        if !install.is_empty() {
            run(Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["-q", "install", "-y", "--no-install-recommends"])
                .args(&install))?;
        }
    } else if !install.is_empty() {
        bail!(
            "run this once, then start again:\n  sudo apt-get update && sudo apt-get install -y {}",
            install.join(" ")
        );
    }
    for tool in unpack {
        unpack_package(tool, &target.join("tools"))?;
    }
    Ok(vec![unpacked])
}

fn unpack_package(tool: &Tool, into: &Path) -> anyhow::Result<()> {
    let debs = into.join("debs");
    std::fs::create_dir_all(&debs)?;
    run(Command::new("apt-get").current_dir(&debs).args(["-q", "download", tool.package]))?;
    for entry in std::fs::read_dir(&debs)? {
        let deb = entry?.path();
        let ours =
            deb.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&format!("{}_", tool.package)));
        if ours {
            run(Command::new("dpkg").arg("-x").arg(&deb).arg(into.join("root")))?;
            return Ok(());
        }
    }
    bail!("apt-get download {} left no package in {}", tool.package, debs.display())
}

fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|s| s.lines().any(|l| l.starts_with("Uid:") && l.split_whitespace().nth(2) == Some("0")))
}
