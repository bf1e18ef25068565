//! The contract broker, from what was written to what holds.

use std::path::Path;
use std::time::Duration;

use tracepact_base::Secret;
use tracepact_broker::{AuthConfig, BasicPair, Database, WebhookPolicy};

use super::{Error, http_url, invalid};
use crate::config::raw::{self, Raw};

/// The section with its addresses checked.
pub(crate) fn named(raw: &raw::Broker) -> Result<raw::Broker, Error> {
    for url in &raw.base_urls {
        http_url("broker.base_urls", url)?;
    }
    Ok(raw.clone())
}

/// Where the broker keeps its tables: `url`, else a file in `data_dir`.
pub(crate) fn database(url: Option<&Secret>, data_dir: &str) -> Result<Database, Error> {
    match url.map(Secret::expose).map(str::trim).filter(|url| !url.is_empty()) {
        None => Ok(Path::new(data_dir).join("contracts.db").into()),
        Some(url) => Database::parse(url).map_err(|e| invalid("broker.database_url", e.to_string())),
    }
}

/// The pairs of basic authentication, and which team accepts for whom.
pub(crate) fn auth(raw: &Raw) -> Result<AuthConfig, Error> {
    let pair = |name: &str, username: &Option<String>, password: &Option<Secret>| match (username, password) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) if !username.is_empty() && !password.expose().is_empty() => {
            Ok(Some(BasicPair { username: username.clone(), password: password.clone() }))
        }
        _ => Err(invalid(
            format!("broker.{name}_username"),
            format!("both it and `broker.{name}_password` are needed"),
        )),
    };
    let broker = &raw.broker;
    let teams = raw.services.iter().filter_map(|service| {
        let pacticipant = service.pacticipant.clone().unwrap_or_else(|| service.name.clone());
        Some((pacticipant, service.team.clone()?))
    });
    Ok(AuthConfig {
        writer: pair("basic_auth", &broker.basic_auth_username, &broker.basic_auth_password)?,
        reader: pair(
            "basic_auth_read_only",
            &broker.basic_auth_read_only_username,
            &broker.basic_auth_read_only_password,
        )?,
        allow_public_read: broker.allow_public_read,
        teams: teams.collect(),
    })
}

/// Which targets webhooks may have.
pub(crate) fn webhooks(raw: &raw::Broker) -> Result<WebhookPolicy, Error> {
    if let Some(other) = raw.webhook_schemes.iter().find(|s| !["http", "https"].contains(&s.as_str())) {
        return Err(invalid("broker.webhook_schemes", format!("`{other}` is neither http nor https")));
    }
    let hosts = raw
        .webhook_hosts
        .iter()
        .map(|host| host.parse().map_err(|e: String| invalid("broker.webhook_hosts", e)));
    Ok(WebhookPolicy {
        methods: raw.webhook_methods.iter().map(|method| method.to_ascii_uppercase()).collect(),
        schemes: raw.webhook_schemes.clone(),
        hosts: hosts.collect::<Result<_, _>>()?,
    })
}

/// Pauses between attempts: at most 20 of at most 30 days.
pub(crate) fn pauses(key: &str, seconds: &[u64]) -> Result<Vec<Duration>, Error> {
    if seconds.len() > 20 || seconds.iter().any(|s| *s > 2_592_000) {
        return Err(invalid(key, "at most 20 pauses of at most 2592000 seconds are possible"));
    }
    Ok(seconds.iter().copied().map(Duration::from_secs).collect())
}
