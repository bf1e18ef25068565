//! Which room may depend on which. A dependency that is not listed is a failure, so the map stays what it is.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use serde::Deserialize;

use crate::workspace::{Metadata, root};

/// `xtask/arrows.toml`.
#[derive(Deserialize)]
struct Arrows {
    /// package → packages of ours it may depend on.
    normal: BTreeMap<String, BTreeSet<String>>,
    /// package → packages its tests may use besides.
    #[serde(default)]
    dev: BTreeMap<String, BTreeSet<String>>,
}

pub(super) fn check(metadata: &Metadata) -> anyhow::Result<()> {
    let arrows: Arrows = toml::from_str(&std::fs::read_to_string(root().join("xtask/arrows.toml"))?)?;
    let wrong = violations(metadata, &arrows);
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn violations(metadata: &Metadata, arrows: &Arrows) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in metadata.members() {
        let Some(allowed) = arrows.normal.get(&package.name) else {
            wrong.push(format!("{} is not in xtask/arrows.toml: say which rooms it may see", package.name));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.path.is_some()) {
            let fine = allowed.contains(&dependency.name)
                || dependency.kind.as_deref() == Some("dev")
                    && arrows.dev.get(&package.name).is_some_and(|dev| dev.contains(&dependency.name));
            if !fine {
                wrong.push(format!(
                    "{} depends on {}, an arrow the map does not have (xtask/arrows.toml, ARCHITECTURE.md)",
                    package.name, dependency.name
                ));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(dependency: &str, kind: Option<&str>) -> Metadata {
        let kind = kind.map_or("null".to_owned(), |k| format!("\"{k}\""));
        serde_json::from_str(&format!(
            r#"{{"workspace_members":["a 1"],"target_directory":"/t","packages":[{{"id":"a 1","name":"a","version":"1",
            "license":null,"license_file":null,"source":null,"dependencies":[
            {{"name":"{dependency}","kind":{kind},"path":"/x"}}]}}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn only_listed_arrows_pass() {
        let arrows: Arrows = toml::from_str("[normal]\na = ['b']\n[dev]\na = ['c']").unwrap();
        assert!(violations(&metadata("b", None), &arrows).is_empty());
        assert!(violations(&metadata("c", Some("dev")), &arrows).is_empty());
        assert_eq!(violations(&metadata("c", None), &arrows).len(), 1);
        assert_eq!(violations(&metadata("d", Some("dev")), &arrows).len(), 1);
    }
}
