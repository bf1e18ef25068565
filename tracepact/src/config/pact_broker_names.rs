//! Which variables of the Pact Broker mean something here, and the one that is read before anything else.

use super::keys;
use super::layers::{Environment, FOREIGN, FOREIGN_WITHOUT_MEANING};

/// What all of them begin with.
const PREFIX: &str = "PACT_BROKER_";
/// What is logged; read before anything else.
const LOG_LEVEL: &str = "PACT_BROKER_LOG_LEVEL";
/// What says where the database is, after `PACT_BROKER_DATABASE_`.
const DATABASE_PARTS: [&str; 9] = [
    "URL",
    "URL_ENVIRONMENT_VARIABLE_NAME",
    "ADAPTER",
    "HOST",
    "PORT",
    "NAME",
    "USERNAME",
    "PASSWORD",
    "SSLMODE",
];

/// The level to log at, when one is named.
pub(super) fn log_level(environment: &Environment) -> Option<&'static str> {
    match environment.0.get(LOG_LEVEL)?.trim().to_ascii_lowercase().as_str() {
        "debug" => Some("debug"),
        "info" => Some("info"),
        "warn" => Some("warn"),
        "error" | "fatal" => Some("error"),
        _ => None,
    }
}

/// A note for each variable that looks like one of theirs and means nothing here, and for a level that is none.
pub(super) fn unknown(environment: &Environment) -> Vec<String> {
    let known = || FOREIGN.iter().map(|(name, _)| *name).chain([LOG_LEVEL]);
    let part = |name: &str| {
        name.strip_prefix("PACT_BROKER_DATABASE_").is_some_and(|rest| DATABASE_PARTS.contains(&rest))
    };
    let mut notes = Vec::new();
    for name in environment.0.keys().filter(|name| name.starts_with(PREFIX) && !part(name)) {
        if known().chain(FOREIGN_WITHOUT_MEANING.iter().copied()).all(|known| known != name.as_str()) {
            let nearest = keys::nearest_name(name, known())
                .map(|nearest| format!("; did you mean `{nearest}`?"))
                .unwrap_or_default();
            notes.push(format!("{name} is set and is not known here{nearest}"));
        }
    }
    if let Some(level) = environment.0.get(LOG_LEVEL)
        && log_level(environment).is_none()
    {
        notes.push(format!("{LOG_LEVEL}: `{level}` is no level; there are debug, info, warn, error, fatal"));
    }
    notes
}
