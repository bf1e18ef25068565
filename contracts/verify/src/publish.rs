//! Pact files on their way to the broker.

use std::path::{Path, PathBuf};

use base64::Engine;
use serde_json::{Value, json};
use tracepact_contract_model::ContractFile;

use crate::Error;

/// Largest pact file that is read.
pub const PACT_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// Pacts of one consumer version.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// The consumer.
    pub consumer: String,
    /// Its version.
    pub version: String,
    /// The branch it was built from.
    pub branch: Option<String>,
    /// Tags to put on the version.
    pub tags: Vec<String>,
    /// Address of the build.
    pub build_url: Option<String>,
    /// Add to what this version has already instead of being the same.
    pub merge: bool,
    /// The pacts, parsed.
    pub pacts: Vec<Value>,
    /// The same as they were written: that is what is sent, since the form of a number is part of the content.
    texts: Vec<String>,
}

impl Publication {
    /// Reads pact files of one consumer; `.yaml` and `.yml` are contract files, read as the pacts they compile to.
    pub fn read(files: &[PathBuf], version: &str) -> Result<Self, Error> {
        let mut publication = Self { version: version.to_owned(), ..Self::default() };
        for file in files {
            let (text, pact) = read_pact(file)?;
            let consumer = party(&pact, "consumer", file)?;
            if !publication.consumer.is_empty() && publication.consumer != consumer {
                return Err(Error::Usage(format!(
                    "the files are of two consumers, {:?} and {consumer:?}: publish them one after the other",
                    publication.consumer
                )));
            }
            publication.consumer = consumer;
            publication.pacts.push(pact);
            publication.texts.push(text);
        }
        if publication.pacts.is_empty() {
            Err(Error::Usage("no pact files were given".into()))
        } else {
            Ok(publication)
        }
    }

    /// Adds the pacts of another publication of the same consumer and version.
    pub fn append(&mut self, mut other: Self) {
        self.pacts.append(&mut other.pacts);
        self.texts.append(&mut other.texts);
    }

    /// The body of `POST /contracts/publish`.
    pub(crate) fn body(&self) -> Value {
        let contracts: Vec<Value> = self
            .pacts
            .iter()
            .enumerate()
            .map(|(index, pact)| {
                let text = self.texts.get(index).cloned().unwrap_or_else(|| pact.to_string());
                json!({
                    "consumerName": self.consumer,
                    "providerName": pact.pointer("/provider/name"),
                    "specification": "pact",
                    "contentType": "application/json",
                    "onConflict": if self.merge { "merge" } else { "overwrite" },
                    "content": base64::engine::general_purpose::STANDARD.encode(text),
                })
            })
            .collect();
        json!({
            "pacticipantName": self.consumer,
            "pacticipantVersionNumber": self.version,
            "branch": self.branch,
            "tags": self.tags,
            "buildUrl": self.build_url,
            "contracts": contracts,
        })
    }
}

/// The pact files that the arguments name: files as they are, folders for the `.json` files directly in them.
pub fn pact_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries =
                std::fs::read_dir(path).map_err(|e| Error::Usage(format!("{}: {e}", path.display())))?;
            let mut found: Vec<PathBuf> = entries
                .filter_map(|entry| entry.ok().map(|e| e.path()))
                .filter(|p| p.extension().is_some_and(|e| e == "json"))
                .collect();
            if found.is_empty() {
                return Err(Error::Usage(format!("{} holds no .json files", path.display())));
            }
            found.sort();
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// The files that a pattern such as `target/**/*.json` matches: `?`, `*`, `**`, `[…]`.
///
/// # Errors
/// When the pattern is none, or matches nothing.
pub fn glob_files(pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let found = glob::glob(pattern).map_err(|e| Error::Usage(format!("{pattern:?} is no pattern: {e}")))?;
    let files: Vec<PathBuf> = found.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    if files.is_empty() {
        return Err(Error::Usage(format!("{pattern:?} names no file")));
    }
    Ok(files)
}

fn read_pact(file: &Path) -> Result<(String, Value), Error> {
    let wrong = |reason: String| Error::Usage(format!("{}: {reason}", file.display()));
    let size = std::fs::metadata(file).map_err(|e| wrong(e.to_string()))?.len();
    if size > PACT_BYTES_MAX {
        return Err(wrong(format!("{size} bytes; a pact has at most {PACT_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
    // A contract file is the pact that it compiles to.
    let text = if file.extension().is_some_and(|e| e == "yaml" || e == "yml") {
        ContractFile::from_yaml(&text).map_err(|e| wrong(e.to_string()))?.pact.text()
    } else {
        text
    };
    let pact = serde_json::from_str(&text).map_err(|e| wrong(format!("not JSON: {e}")))?;
    Ok((text, pact))
}

fn party(pact: &Value, which: &str, file: &Path) -> Result<String, Error> {
    pact.pointer(&format!("/{which}/name"))
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| Error::Usage(format!("{}: not a pact, it names no {which}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_file_is_published_as_the_pact_that_it_compiles_to() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("items.yaml");
        let text = "contract: 1\nconsumer: web\nprovider: catalog\ninteractions:\n  - {description: x, request: {path: /}, response: {status: 200, body: {price: 9.50}}}\n";
        std::fs::write(&file, text).unwrap();
        let read = Publication::read(std::slice::from_ref(&file), "1").unwrap();
        assert_eq!(read.consumer, "web");
        assert_eq!(read.pacts[0].pointer("/provider/name"), Some(&Value::from("catalog")));
        assert!(read.texts[0].contains("9.50"), "numbers keep their form: {}", read.texts[0]);
        std::fs::write(&file, text.replace("request:", "requst:")).unwrap();
        let error = Publication::read(&[file], "1").unwrap_err().to_string();
        assert!(error.contains("items.yaml: line 5"), "{error}");
    }
}
