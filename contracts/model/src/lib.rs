//! What a contract *is*, without any input or output: reading a pact, the identity of its content, consumer version
//! selectors, nested queries as Pact clients send them, and the difference between two pacts in words of interactions.
//!
//! Place on the map: `base` below; `gate` and `broker` above (`verify` too). Nothing here knows of databases or HTTP.
//!
//! ```
//! use tracepact_contract_model::Pact;
//! let a = br#"{"consumer":{"name":"orders"},"provider":{"name":"products"},"interactions":[
//!   {"description":"an item","request":{"method":"GET","path":"/item/1"},"response":{"status":200}}]}"#;
//! let b = br#"{"provider":{"name":"products"},"interactions":[
//!   {"response":{"status":200},"request":{"path":"/item/1","method":"GET"},"description":"an item"}],
//!   "metadata":{"pactRust":{"models":"1.3"}},"consumer":{"name":"orders"}}"#;
//! assert_eq!(Pact::parse(a).unwrap().content_id, Pact::parse(b).unwrap().content_id);
//! ```
//!
//! What it deliberately does not do: match requests against interactions (`pact_matching` does, in `verify`), load
//! plugins (a pact that names one is refused), or decide anything about deploys (`gate`).

mod canonical;
mod contract_file;
mod diff;
mod json;
mod names;
mod pact;
mod query;
mod redact;
mod selector;
mod semantic;
mod similar;
mod volatile;

pub use canonical::{ContentId, interaction_id};
pub use contract_file::{ContractFile, ContractFileError, YAML_BYTES_MAX, file_stem};
pub use diff::{ChangedInteraction, FieldChange, PactDiff, diff};
pub use json::{Json, JsonError, MAX_DEPTH};
pub use names::{NAME_BYTES_MAX, NameProblem, check_name};
pub use pact::{Interaction, InteractionKind, Pact, PactError, merge};
pub use query::{QueryError, QueryValue, decode_percent, parse_nested};
pub use redact::{REDACTED, is_secret_header, redact_results, without_credentials};
pub use selector::{Selector, SelectorError, SelectorKind, parse_selectors};
pub use semantic::{Coverage, Effect, Meaning, Meanings, coverage, meanings};
pub use similar::are_similar_names;
pub use volatile::{VolatileValue, volatile_values};

/// Entry points for fuzzing: each takes any bytes and must neither panic nor run away.
#[doc(hidden)]
pub mod fuzzing {
    /// Any bytes as a pact.
    pub fn fuzz_pact(data: &[u8]) {
        if let Ok(pact) = crate::Pact::parse(data) {
            // What was accepted must survive its own written form with the same identity.
            let again = crate::Pact::parse(pact.text().as_bytes());
            assert_eq!(again.map(|p| p.content_id).ok(), Some(pact.content_id.clone()));
            assert!(crate::volatile_values(Some(&pact), &pact, &pact).is_empty());
        }
    }

    /// Any bytes as a text with credentials, then as test results: hiding them twice hides nothing more.
    pub fn fuzz_results(data: &[u8]) {
        let once = crate::without_credentials(&String::from_utf8_lossy(data));
        assert_eq!(crate::without_credentials(&once), once);
        if let Ok(mut results) = serde_json::from_slice::<serde_json::Value>(data) {
            crate::redact_results(&mut results);
        }
    }

    /// Any bytes as a contract file in YAML.
    pub fn fuzz_contract_file(data: &[u8]) {
        let text = String::from_utf8_lossy(data);
        if let Ok(file) = crate::ContractFile::from_yaml(&text) {
            let again = crate::ContractFile::from_yaml(&file.to_yaml());
            assert_eq!(again.map(|f| f.pact.content_id).ok(), Some(file.pact.content_id));
        }
    }

    /// Any bytes as the query of `/matrix`, then as selectors.
    pub fn fuzz_query(data: &[u8]) {
        let text = String::from_utf8_lossy(data);
        if let Ok(value) = crate::parse_nested(&text) {
            let _ = crate::parse_selectors(&value.to_json());
        }
        if let Ok(json) = serde_json::from_slice::<serde_json::Value>(data) {
            let _ = crate::parse_selectors(&json);
        }
    }
}
