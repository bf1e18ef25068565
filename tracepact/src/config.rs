//! The configuration: defaults < file < environment < flags, one raw form, one validated form.
//!
//! Everything that names a key comes from [`raw::Raw`]: the file's keys, the environment's names, the JSON schema,
//! `docs/config.md`, and the nearest valid key of a refusal.

pub(crate) mod docs;
pub(crate) mod keys;
pub(crate) mod layers;
mod pact_broker;
mod pact_broker_names;
pub(crate) mod raw;
pub(crate) mod validate;

use std::path::PathBuf;

pub(crate) use layers::{Environment, Overrides, load, log_filter};
pub(crate) use validate::Config;

/// Why a configuration is refused. Every message names the key or variable and what would be right.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the configuration file {} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {} is not valid TOML", path.display())]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    #[error("there is no configuration key `{key}`{}", did_you_mean(nearest.as_ref()))]
    UnknownKey { key: String, nearest: Option<String> },
    #[error("there is no environment variable {name}{}", did_you_mean(nearest.as_ref()))]
    UnknownVariable { name: String, nearest: Option<String> },
    #[error("the configuration is not valid: {0}")]
    Shape(String),
    #[error("`{key}` is not valid: {reason}")]
    Invalid { key: String, reason: String },
}

fn did_you_mean(nearest: Option<&String>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}
