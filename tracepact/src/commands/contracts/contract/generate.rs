//! `tracepact contract generate`: provider tests as source.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use tracepact_verify::generate::{Language, generate};
use tracepact_verify::{Error, contract_files};

use super::super::show_json;

/// Write provider tests from contract files, for cargo test or JUnit 5.
///
/// Text of a contract reaches source only as escaped literals and derived names.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact contract generate contracts/ --language rust --out .
  tracepact contract generate contracts/orders/ --language java --out ../products

Exit codes: 0 written, 2 wrong usage or a contract that cannot be read.")]
pub(super) struct Generate {
    /// A contract file, or a folder that holds them.
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// The tests' language.
    #[arg(long)]
    language: Wanted,
    /// The provider's project; files of the same name are overwritten.
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    out: PathBuf,
    /// Print what was written as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    /// tests/contract_CONSUMER.rs
    Rust,
    /// src/test/java/contracts/ConsumerContractTest.java
    Java,
}

impl Generate {
    pub(super) fn run(self) -> Result<u8, Error> {
        let language = match self.language {
            Wanted::Rust => Language::Rust,
            Wanted::Java => Language::Java,
        };
        let mut written = Vec::new();
        for contract in contract_files::by_consumer(&contract_files::read_all(&self.path)?)?.values() {
            for file in generate(contract, language)? {
                let path = self.out.join(&file.path);
                let wrong = |e: std::io::Error| Error::Usage(format!("{}: {e}", path.display()));
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(wrong)?;
                }
                std::fs::write(&path, &file.content).map_err(wrong)?;
                written.push(path);
            }
        }
        let text: String = written.iter().map(|p| format!("wrote {}\n", p.display())).collect();
        show_json(self.json, &json!({ "written": written }), &text);
        Ok(0)
    }
}
