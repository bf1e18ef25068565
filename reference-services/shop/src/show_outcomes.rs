//! `tracepact-shop outcomes`: prints the table that traces are held against.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;

use crate::outcomes::{Expected, Form, Outcome, forms};

/// `tracepact-shop outcomes`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  tracepact-shop outcomes")]
pub struct OutcomesArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Prints every outcome with the trees it may leave.
///
/// # Errors
/// When standard output is closed.
pub fn run(args: &OutcomesArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let table: BTreeMap<Outcome, Vec<Form>> = Outcome::ALL.map(|outcome| (outcome, forms(outcome))).into();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&table)?)?;
        return Ok(());
    }
    for (outcome, forms) in &table {
        for form in forms {
            writeln!(out, "{outcome:?} ({})", form.label)?;
            print(&mut out, &form.root, 1)?;
        }
    }
    Ok(())
}

fn print(out: &mut impl Write, span: &Expected, level: usize) -> std::io::Result<()> {
    writeln!(out, "{:indent$}{} {:?} {}", "", span.service, span.kind, span.name, indent = level * 2)?;
    span.children.iter().try_for_each(|child| print(out, child, level + 1))
}
