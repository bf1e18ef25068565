//! Licences, bans and sources of every dependency, from `deny.toml`.
//!
//! cargo-deny does this when it is installed. Building it takes minutes, so without it the same three tables are
//! checked over `cargo metadata`. Advisories are not checked here: their database is another download.

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::run::{run, works};
use crate::workspace::{Metadata, Package, cargo, root};

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    name: String,
    reason: String,
}

pub(super) fn check(metadata: &Metadata) -> anyhow::Result<()> {
    if works("cargo-deny", &["--version"]) {
        return run(cargo().args(["deny", "--workspace", "check", "bans", "licenses", "sources"]));
    }
    let text = std::fs::read_to_string(root().join("deny.toml"))?;
    let deny: Deny = toml::from_str(&text).context("deny.toml")?;
    let wrong: Vec<String> = metadata.packages.iter().flat_map(|p| complaints(p, &deny)).collect();
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn complaints(package: &Package, deny: &Deny) -> Vec<String> {
    let named = format!("{} {}", package.name, package.version);
    let mut wrong = Vec::new();
    if let Some(ban) = deny.bans.deny.iter().find(|b| b.name == package.name) {
        wrong.push(format!("{named} is banned: {}", ban.reason));
    }
    // A workspace member has no source; anything else must come from the default registry.
    if let Some(source) = &package.source
        && !(source.starts_with("registry+") && source.contains("crates.io"))
    {
        wrong.push(format!("{named} comes from {source}, not from the default registry"));
    }
    match &package.license {
        Some(expression) if allowed(expression, &deny.licenses.allow) => {}
        Some(expression) => {
            wrong.push(format!("{named} has the licence {expression}, which deny.toml does not allow"))
        }
        None if package.license_file.is_some() => {}
        None => wrong.push(format!("{named} names no licence")),
    }
    wrong
}

/// Evaluates an SPDX expression: `OR` needs one side, `AND` both. The old form `MIT/Apache-2.0` means `OR`.
fn allowed(expression: &str, allow: &[String]) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = expression.split_whitespace().collect();
    let mut at = 0;
    any(&tokens, &mut at, allow) && at == tokens.len()
}

fn any(tokens: &[&str], at: &mut usize, allow: &[String]) -> bool {
    let mut fine = all(tokens, at, allow);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        fine |= all(tokens, at, allow);
    }
    fine
}

fn all(tokens: &[&str], at: &mut usize, allow: &[String]) -> bool {
    let mut fine = one(tokens, at, allow);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        fine &= one(tokens, at, allow);
    }
    fine
}

fn one(tokens: &[&str], at: &mut usize, allow: &[String]) -> bool {
    match tokens.get(*at) {
        Some(&"(") => {
            *at += 1;
            let fine = any(tokens, at, allow);
            let closed = tokens.get(*at) == Some(&")");
            *at += 1;
            fine && closed
        }
        Some(id) => {
            *at += 1;
            let mut name = (*id).to_owned();
            if tokens.get(*at) == Some(&"WITH") {
                name = format!("{name} WITH {}", tokens.get(*at + 1).copied().unwrap_or_default());
                *at += 2;
            }
            allow.contains(&name)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions() {
        let allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Zlib"].map(str::to_owned);
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-3.0) AND Zlib",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(allowed(fine, &allow), "{fine}");
        }
        for wrong in ["GPL-3.0", "MIT AND GPL-3.0", "", "(MIT", "MIT Zlib"] {
            assert!(!allowed(wrong, &allow), "{wrong}");
        }
    }
}
