//! The YAML form of a contract: what people write into `contracts/<consumer>/*.yaml` of a provider's repository.
//!
//! It compiles to a pact of specification 4 and back without loss: what the form has no word for stands under `pact:`,
//! verbatim. The form is described for its users in `docs/contract-files.md`; in short:
//!
//! ```
//! use tracepact_contract_model::ContractFile;
//! let file = ContractFile::from_yaml("
//! contract: 1
//! consumer: orders
//! provider: products
//! interactions:
//!   - description: an item is read
//!     states: [item 1 exists]
//!     request: {method: GET, path: /items/1}
//!     response:
//!       status: 200
//!       headers: {Content-Type: application/json}
//!       body: {id: 1, name: tea}
//!       match: {body: {$.id: integer, $.name: type}}
//!   - description: an order was placed
//!     message:
//!       topic: orders
//!       key: order-7
//!       contents: {id: 7}
//! ").unwrap();
//! assert_eq!(file.pact.interactions.len(), 2);
//! let again = ContractFile::from_yaml(&file.to_yaml()).unwrap();
//! assert_eq!(again.pact.content_id, file.pact.content_id);
//! ```
//!
//! Reading is strict: an unknown key, a key twice, a tag, a value that readers of YAML disagree about (`yes`, `012`)
//! is an error with its line. Limits hold before anything is built: [`YAML_BYTES_MAX`], 64 levels, 100 000 values with
//! what aliases repeat counted each time.

mod emit;
mod matchers;
mod message;
mod part;
mod read;
mod write;
mod yaml;

use crate::{Json, Pact, PactError};

pub use yaml::YAML_BYTES_MAX;

/// The name of our own entry in a pact's metadata.
const OWN_METADATA: &str = "tracepact";

/// A contract file: the pact, and what the file says beside it.
#[derive(Debug, Clone)]
pub struct ContractFile {
    /// The contract.
    pub pact: Pact,
    /// The consumer's branch that needs it, where the file says so.
    pub consumer_branch: Option<String>,
}

/// Why a text is not a contract file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct ContractFileError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

impl ContractFile {
    /// Reads the YAML form.
    ///
    /// # Errors
    /// With the place and what is wrong there.
    pub fn from_yaml(text: &str) -> Result<Self, ContractFileError> {
        let root = yaml::parse(text)?;
        let document = read::pact(&root)?;
        let pact = Pact::parse(document.write(false).as_bytes())
            .map_err(|e| root.error(e.to_string().trim_start_matches("not a pact: ")))?;
        Ok(Self::from_pact(pact))
    }

    /// Reads a pact file of any specification.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PactError> {
        Ok(Self::from_pact(Pact::parse(bytes)?))
    }

    /// A pact as a contract file.
    pub fn from_pact(pact: Pact) -> Self {
        let consumer_branch = pact
            .document()
            .get("metadata")
            .and_then(|m| m.get(OWN_METADATA))
            .and_then(|t| t.get("consumerBranch"))
            .and_then(Json::as_str)
            .map(str::to_owned);
        Self { pact, consumer_branch }
    }

    /// The YAML form. A pact of an older specification is brought to the form of specification 4 first.
    pub fn to_yaml(&self) -> String {
        let document = match &self.pact.specification {
            Some(version) if version.starts_with('4') => self.pact.document().clone(),
            _ => self.in_version_4().unwrap_or_else(|| self.pact.document().clone()),
        };
        emit::emit(&write::file(&document))
    }

    fn in_version_4(&self) -> Option<Json> {
        let items = crate::semantic::version_4(&self.pact).ok()?;
        let items = serde_json::to_string(&items).ok()?;
        let named = |name: &str| Json::Object(vec![("name".into(), Json::String(name.to_owned()))]);
        let version = Json::Object(vec![("version".into(), Json::String("4.0".into()))]);
        Some(Json::Object(vec![
            ("consumer".into(), named(&self.pact.consumer)),
            ("provider".into(), named(&self.pact.provider)),
            ("interactions".into(), Json::parse(items.as_bytes()).ok()?),
            ("metadata".into(), Json::Object(vec![("pactSpecification".into(), version)])),
        ]))
    }
}

/// A file name for a contract: from the text, but only `a-z`, `0-9` and `-`, never empty, at most 80 characters.
pub fn file_stem(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
        if out.len() >= 80 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "contract".into() } else { out.to_owned() }
}

#[cfg(test)]
mod tests;
