//! The metadata segment of a link in for-verification: which version and state a pact was selected with. Clients hand
//! it back untouched with their result. Ours is base64url of `cv=<version id>&p=true` or `&w=true`; what cannot be read
//! is taken as nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracepact_contract_model::parse_nested;

/// What a pact was selected with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The consumer version's row.
    pub(crate) version: Option<i64>,
    pub(crate) pending: bool,
    pub(crate) wip: bool,
}

impl Metadata {
    pub(crate) fn encode(self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.version.map(|id| format!("cv={id}")));
        if self.wip {
            parts.push("w=true".into());
        } else if self.pending {
            parts.push("p=true".into());
        } else {
            parts.push("p=false".into());
        }
        URL_SAFE_NO_PAD.encode(parts.join("&"))
    }

    pub(super) fn decode(segment: &str) -> Self {
        let bytes = URL_SAFE_NO_PAD.decode(segment.trim_end_matches('=')).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        let Ok(query) = parse_nested(&text) else { return Self::default() };
        let set = |key: &str| query.text(key) == Some("true");
        Self {
            version: query.text("cv").and_then(|id| id.parse().ok()),
            pending: set("p") || set("w"),
            wip: set("w"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_the_way_through_a_client() {
        for metadata in [
            Metadata { version: Some(7), pending: true, wip: false },
            Metadata { version: None, pending: true, wip: true },
            Metadata { version: Some(1), pending: false, wip: false },
        ] {
            assert_eq!(Metadata::decode(&metadata.encode()), metadata);
        }
        assert_eq!(Metadata::decode("ü%%"), Metadata::default());
    }
}
