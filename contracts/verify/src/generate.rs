//! Provider tests as source: a contract becomes a test file for Rust (`cargo test`) or Java (JUnit 5), which runs every
//! interaction against the provider with the Pact project's own verifier.
//!
//! A contract is text from somebody else's repository. It reaches source in two ways only: as string literals in which
//! everything but harmless ASCII is escaped, and as identifiers made of `a-z`, `0-9` and `_` behind a number. Never as a
//! comment, a name, a type or a path. (Java decodes `\uXXXX` before it reads a line, so even inside a literal a
//! backslash is never written as one.)

mod java;
mod literal;
mod rust;

use std::path::PathBuf;

use pact_models::pact::Pact as _;
use serde_json::Value;
use tracepact_contract_model::{ContractFile, Pact, file_stem};

use crate::Error;

/// Which tests to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// One file for a crate's `tests` folder; needs the dev-dependencies `pact_verifier` and `tokio`.
    Rust,
    /// A JUnit 5 class and the pact as a resource; needs `au.com.dius.pact.provider:junit5`.
    Java,
}

/// A file to be written, relative to the provider's project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its path; made of derived names only.
    pub path: PathBuf,
    /// Its content.
    pub content: String,
}

/// What the sources are made of.
struct Interaction {
    /// `1_an_item_is_read`: unique within the file, harmless as a part of an identifier.
    name: String,
    description: String,
    is_message: bool,
    /// A pact of this interaction alone.
    pact: String,
}

/// Most interactions in one file.
const INTERACTIONS_MAX: usize = 2_000;

/// The test files of a contract.
///
/// # Errors
/// When the contract has no interactions, or too many for one file.
pub fn generate(contract: &ContractFile, language: Language) -> Result<Vec<Generated>, Error> {
    let pact = &contract.pact;
    let interactions = interactions(pact)?;
    Ok(match language {
        Language::Rust => rust::files(pact, &interactions),
        Language::Java => java::files(pact, &interactions)?,
    })
}

/// The interactions, each with a pact of its own in the form of specification 4.
fn interactions(pact: &Pact) -> Result<Vec<Interaction>, Error> {
    let wrong = |reason: String| Error::Usage(format!("the contract of {}: {reason}", pact.consumer));
    let value: Value = serde_json::from_str(&pact.text()).map_err(|e| wrong(e.to_string()))?;
    let v4 = pact_models::pact::load_pact_from_json("<contract>", &value)
        .and_then(|p| p.as_v4_pact())
        .and_then(|p| p.to_json(pact_models::PactSpecification::V4))
        .map_err(|e| wrong(format!("{e:#}")))?;
    let items = v4.get("interactions").and_then(Value::as_array).cloned().unwrap_or_default();
    if items.is_empty() || items.len() > INTERACTIONS_MAX {
        return Err(wrong(format!("it has {} interactions; 1 to {INTERACTIONS_MAX} fit", items.len())));
    }
    let mut out = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let description = text("description");
        let alone = serde_json::json!({
            "consumer": { "name": pact.consumer },
            "provider": { "name": pact.provider },
            "interactions": [item],
            "metadata": { "pactSpecification": { "version": "4.0" } },
        });
        out.push(Interaction {
            name: format!("{}_{}", index + 1, identifier(&description)),
            is_message: text("type") == "Asynchronous/Messages",
            pact: alone.to_string(),
            description,
        });
    }
    Ok(out)
}

/// A text as the tail of an identifier: `a-z`, `0-9`, `_`.
fn identifier(text: &str) -> String {
    file_stem(text).replace('-', "_")
}

/// A text as a class name: letters and digits, beginning with a letter.
fn class_name(text: &str) -> String {
    let words = file_stem(text);
    let mut out: String = words
        .split('-')
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        })
        .collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert(0, 'C');
    }
    out
}

#[cfg(test)]
mod tests;
