//! `tracepact store check`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tracepact_model::DecodeLimits;
use tracepact_store::CheckReport;

use super::TENANT;
use crate::commands::operator::{Failed, bytes, finish, show};

/// Read everything a closed data directory or a snapshot holds and name what is damaged.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact store check --data-dir tracepact-data
  tracepact store check --data-dir /backup/2026-11-21 --json

Every block, index and log record is read and compared with its checksum, every index with its rows. Nothing is changed.
A data directory that a server uses is refused: stop it, or check a snapshot of it.

Exit codes: 0 sound, 1 damage was found, 2 wrong usage, 3 the directory cannot be used.")]
pub(crate) struct Check {
    /// The data directory, or a snapshot.
    #[arg(long, env = "TRACEPACT_DATA_DIR", default_value = "tracepact-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> ExitCode {
        finish(self.check())
    }

    fn check(&self) -> Result<u8, Failed> {
        let report = tracepact_store::check(&self.data_dir, TENANT, &DecodeLimits::default())?;
        show(self.json, &report, &text(&report))?;
        Ok(u8::from(!report.is_sound()))
    }
}

fn text(report: &CheckReport) -> String {
    let mut text = String::new();
    for found in &report.damage {
        text.push_str(&format!("damaged: {}\n  what: {}\n  lost: {}\n", found.file, found.what, found.lost));
    }
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let verdict = match report.damage.len() {
        0 => "sound".to_owned(),
        1 => "1 file is damaged".to_owned(),
        count => format!("{count} places are damaged"),
    };
    text.push_str(&format!(
        "{verdict}: {} blocks with {} span rows, {} log records in {} segments, {} read{}\n",
        report.blocks,
        report.rows,
        report.log_records,
        report.log_segments,
        bytes(report.bytes),
        if report.snapshot { ", compared with the snapshot's list of files" } else { "" },
    ));
    text
}
