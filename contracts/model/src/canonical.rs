//! The identity of a contract's content.
//!
//! Verification results belong to content, not to a consumer's version: two publications whose interactions mean the
//! same must have one id however a client arranged the file. So the id is the SHA-256 of a canonical text: keys sorted,
//! interactions sorted, no `metadata`, no names (they are the pair's), nothing a broker added (`_id`, `_links`,
//! `createdAt`), every number in the text it was written in.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::Json;

/// SHA-256 of canonical content, in hex: 64 characters of `0-9a-f`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId(String);

impl ContentId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of a pact's content.
    pub(crate) fn of(interactions: &[Json], messages: &[Json]) -> Self {
        let mut text = String::from("{");
        let mut first = true;
        for (key, items) in [("interactions", interactions), ("messages", messages)] {
            if items.is_empty() {
                continue;
            }
            let mut lines: Vec<String> = items.iter().map(|item| without_id(item).write(true)).collect();
            lines.sort();
            if !first {
                text.push(',');
            }
            first = false;
            text.push_str(&format!("\"{key}\":[{}]", lines.join(",")));
        }
        text.push('}');
        Self(hex::encode(Sha256::digest(text)))
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of one interaction, which verifiers send back with its result: 40 hex characters, the same for the same
/// interaction in whatever pact it stands.
pub fn interaction_id(interaction: &Json) -> String {
    let mut id = hex::encode(Sha256::digest(without_id(interaction).write(true)));
    id.truncate(40);
    id
}

/// An interaction without the id that a broker gave it.
pub(crate) fn without_id(interaction: &Json) -> Json {
    match interaction {
        Json::Object(fields) => Json::Object(fields.iter().filter(|(k, _)| k != "_id").cloned().collect()),
        other => other.clone(),
    }
}
