//! `tracepact contract lint`: contract files, without a broker.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tracepact_verify::lint::{Level, lint};
use tracepact_verify::{Error, contract_files};

use super::super::show_json;

/// Check contract files: that they can be read, and what is rarely meant.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract lint contracts/
  tracepact contract lint contracts/orders/item-price.yaml --json

Exit codes: 0 nothing wrong (warnings are shown), 1 an error was found, 2 wrong usage or a file that cannot be read.")]
pub(super) struct Lint {
    /// Contract files (.yaml, or pacts as .json), or folders that hold them.
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Lint {
    pub(super) fn run(self) -> Result<u8, Error> {
        let (mut text, mut list, mut errors, mut files) = (String::new(), Vec::new(), 0, 0);
        let mut unreadable = None;
        for path in &self.paths {
            for file in contract_files::list(path)? {
                files += 1;
                // Every file is looked at, also behind one that cannot be read.
                let found = match contract_files::read(&file) {
                    Ok(found) => found,
                    Err(error) => {
                        text.push_str(&format!("error    {error}\n"));
                        list.push(json!({ "file": file, "level": "error", "reason": error.to_string() }));
                        unreadable = Some(error);
                        continue;
                    }
                };
                for finding in lint(&found) {
                    errors += usize::from(finding.level == Level::Error);
                    let level = if finding.level == Level::Error { "error   " } else { "warning " };
                    let place = if finding.interaction.is_empty() {
                        String::new()
                    } else {
                        format!(" {:?}:", finding.interaction)
                    };
                    text.push_str(&format!("{level} {}:{place} {}\n", file.display(), finding.reason));
                    list.push(json!({
                        "file": file, "level": finding.level, "interaction": finding.interaction,
                        "reason": finding.reason,
                    }));
                }
            }
        }
        if files == 0 {
            return Err(Error::Usage("no contract files were found".into()));
        }
        let ok = errors == 0 && unreadable.is_none();
        text.push_str(&format!("{files} file(s), {}\n", if ok { "nothing wrong" } else { "errors found" }));
        show_json(self.json, &json!({ "files": files, "ok": ok, "findings": list }), &text);
        Ok(if unreadable.is_some() { 2 } else { u8::from(!ok) })
    }
}
