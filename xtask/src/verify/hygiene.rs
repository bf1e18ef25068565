//! Small rules about the tree itself: nothing of one machine in it, lock files without download addresses, files
//! that stay short.

use anyhow::bail;

use crate::workspace::{root, tracked_files};

/// Longest Rust or TypeScript source file.
const LINES_MAX: usize = 600;

pub(super) fn check() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for file in tracked_files()? {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        wrong.extend(complaints(&file, &text));
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn complaints(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if file.ends_with("package-lock.json") && text.contains("\"resolved\":") {
        wrong.push(format!(
            "{file} records download addresses: set omit-lockfile-registry-resolved=true in .npmrc"
        ));
    }
    let source = [".rs", ".ts", ".tsx"].iter().any(|end| file.ends_with(end));
    let generated = file.contains("/generated/") || file.contains("schema.d.ts");
    if source && !generated {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            wrong.push(format!(
                "{file} has {lines} lines; {LINES_MAX} at most: which second thing does it do?"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_fire() {
        assert_eq!(complaints("a/package-lock.json", "{\"resolved\": \"x\"}").len(), 1);
        assert_eq!(complaints("a.rs", &"x\n".repeat(LINES_MAX + 1)).len(), 1);
        assert!(complaints("a.rs", "fn main() {}\n").is_empty());
    }
}
