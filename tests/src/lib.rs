//! The harness of everything that runs the built binaries: the end-to-end tests beside it and `cargo xtask demo`.
//!
//! It starts processes with `--addr-file`, keeps their logs and data, ends them by id, waits on conditions with a
//! deadline, and starts the real servers that tests compare with (Apache Kafka, PostgreSQL, Prometheus).
//!
//! What it deliberately does not do: know anything of tracepact's insides. It sees binaries and HTTP.

pub mod api;
pub mod binaries;
pub mod browser;
pub mod kafka;
pub mod lens;
pub mod postgres;
pub mod processes;
pub mod projects;
pub mod prometheus;
pub mod python;
pub mod wait;
pub mod zipkin;

use std::path::PathBuf;

use anyhow::Context;

pub use api::Api;
pub use processes::{Process, Processes};
pub use wait::{until, until_ok};

/// Where fetched tools are kept: `tools` in cargo's target folder, beside the profile this program was built in.
pub fn tools_folder() -> anyhow::Result<PathBuf> {
    // target/debug/deps/e2e-… or target/debug/check_grafana → target/tools
    let own = std::env::current_exe()?;
    let profile = own.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    let target = profile.and_then(std::path::Path::parent).context("not started from a target folder")?;
    Ok(target.join("tools"))
}
