//! Contract files on disk: `contracts/<consumer>/*.yaml` (our form) or `*.json` (pacts) in a provider's repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tracepact_contract_model::{ContractFile, Pact, YAML_BYTES_MAX, file_stem, merge};

use crate::Error;
use crate::publish::PACT_BYTES_MAX;

/// The folder of a provider's repository that holds contract files.
pub const FOLDER: &str = "contracts";
/// Most files read from one folder.
const FILES_MAX: usize = 5_000;

/// A contract file and where it was found.
#[derive(Debug, Clone)]
pub struct FoundFile {
    /// Its path.
    pub path: PathBuf,
    /// What it says.
    pub file: ContractFile,
}

/// Reads one contract file: `.yaml` and `.yml` are our form, anything else is a pact.
///
/// # Errors
/// With the file, the line and what is wrong.
pub fn read(path: &Path) -> Result<FoundFile, Error> {
    let wrong = |reason: String| Error::Usage(format!("{}: {reason}", path.display()));
    let is_yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    let max = if is_yaml { YAML_BYTES_MAX as u64 } else { PACT_BYTES_MAX };
    let size = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?.len();
    if size > max {
        return Err(wrong(format!("{size} bytes; at most {max} are read")));
    }
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let file = if is_yaml {
        let text = String::from_utf8(bytes).map_err(|e| wrong(format!("not UTF-8: {e}")))?;
        ContractFile::from_yaml(&text).map_err(|e| wrong(e.to_string()))?
    } else {
        ContractFile::from_json(&bytes).map_err(|e| wrong(e.to_string()))?
    };
    Ok(FoundFile { path: path.to_owned(), file })
}

/// Reads a file, or every contract file below a folder, in the order of their paths.
///
/// # Errors
/// When one cannot be read, or nothing is there.
pub fn read_all(path: &Path) -> Result<Vec<FoundFile>, Error> {
    let files = list(path)?;
    if files.is_empty() {
        return Err(Error::Usage(format!("{} holds no .yaml, .yml or .json files", path.display())));
    }
    files.iter().map(|file| read(file)).collect()
}

/// The contract files of a path: itself, or what is below a folder. Links are not followed.
///
/// # Errors
/// When a folder cannot be read, or holds too many.
pub fn list(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let wrong = |path: &Path, e: std::io::Error| Error::Usage(format!("{}: {e}", path.display()));
    if !std::fs::metadata(path).map_err(|e| wrong(path, e))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut folders = vec![(path.to_owned(), 0)];
    let mut files = Vec::new();
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| wrong(&folder, e))? {
            let entry = entry.map_err(|e| wrong(&folder, e))?;
            let kind = entry.file_type().map_err(|e| wrong(&folder, e))?;
            let path = entry.path();
            if kind.is_dir() && depth < 8 {
                folders.push((path, depth + 1));
            } else if kind.is_file()
                && path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
            {
                files.push(path);
            }
            if files.len() > FILES_MAX {
                return Err(Error::Usage(format!("{}: more than {FILES_MAX} files", folder.display())));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// One contract of each consumer: its files together. The branch is that of the first file which names one.
///
/// # Errors
/// When two files of a consumer contradict each other, or are with different providers.
pub fn by_consumer(files: &[FoundFile]) -> Result<BTreeMap<String, ContractFile>, Error> {
    let mut out: BTreeMap<String, ContractFile> = BTreeMap::new();
    for found in files {
        let consumer = found.file.pact.consumer.clone();
        let joined = match out.remove(&consumer) {
            None => found.file.clone(),
            Some(before) => {
                let wrong =
                    |e: &dyn std::fmt::Display| Error::Usage(format!("{}: {e}", found.path.display()));
                if before.pact.provider != found.file.pact.provider {
                    return Err(wrong(&format!(
                        "is with {}, another file of {consumer} is with {}",
                        found.file.pact.provider, before.pact.provider
                    )));
                }
                let pact: Pact = merge(&before.pact, &found.file.pact).map_err(|e| wrong(&e))?;
                let branch = before.consumer_branch.or_else(|| found.file.consumer_branch.clone());
                ContractFile { pact, consumer_branch: branch }
            }
        };
        out.insert(consumer, joined);
    }
    Ok(out)
}

/// Where a contract belongs in its provider's repository: `contracts/<consumer>/<name>.yaml`, both parts made of
/// `a-z`, `0-9` and `-` only.
pub fn place(contract: &ContractFile, name: Option<&str>) -> PathBuf {
    let stem = file_stem(name.unwrap_or(&contract.pact.provider));
    Path::new(FOLDER).join(file_stem(&contract.pact.consumer)).join(format!("{stem}.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(consumer: &str, description: &str) -> String {
        format!(
            "contract: 1\nconsumer: {consumer}\nprovider: p\nbranch: feat\ninteractions:\n  - {{description: {description}, request: {{path: /}}, response: {{status: 200}}}}\n"
        )
    }

    #[test]
    fn the_files_of_a_consumer_are_one_contract() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("contracts/orders");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.yaml"), yaml("orders", "x")).unwrap();
        std::fs::write(folder.join("b.yml"), yaml("orders", "y")).unwrap();
        std::fs::write(folder.join("notes.md"), "no").unwrap();
        let files = read_all(dir.path()).unwrap();
        assert_eq!(files.len(), 2);
        let all = by_consumer(&files).unwrap();
        assert_eq!(all["orders"].pact.interactions.len(), 2);
        assert_eq!(
            place(&all["orders"], Some("../Item price")).display().to_string(),
            "contracts/orders/item-price.yaml"
        );
        std::fs::write(folder.join("c.yaml"), "contract: 1\nconsumer: orders\noops: 1\n").unwrap();
        let error = read_all(dir.path()).unwrap_err().to_string();
        assert!(error.contains("c.yaml: line 1"), "{error}");
    }
}
