//! Settings that a Pact Broker takes from several variables, brought into the form they have here.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Error;
use super::layers::Environment;

/// What `docs/config.md` says of the parts of an address.
pub(crate) const DATABASE_PARTS_PAGE: &str = "\
    Without `PACT_BROKER_DATABASE_URL` its parts hold, as there: `PACT_BROKER_DATABASE_ADAPTER` (`postgres` or `sqlite`),\n\
    `_HOST`, `_PORT`, `_NAME`, `_USERNAME`, `_PASSWORD`, `_SSLMODE`; `PACT_BROKER_DATABASE_URL_ENVIRONMENT_VARIABLE_NAME` names\n\
    another variable that holds the address.";

/// The address of the database: from its variable, from the one that is named instead, or from its parts.
pub(super) fn database_url(environment: &Environment) -> Result<Option<String>, Error> {
    let get = |part: &str| {
        let name = format!("PACT_BROKER_DATABASE_{part}");
        environment.0.get(&name).map(String::as_str).filter(|text| !text.is_empty())
    };
    if let Some(url) = get("URL") {
        return Ok(Some(url.to_owned()));
    }
    if let Some(name) = get("URL_ENVIRONMENT_VARIABLE_NAME") {
        return match environment.0.get(name) {
            Some(url) => Ok(Some(url.clone())),
            None => Err(Error::Invalid {
                key: "PACT_BROKER_DATABASE_URL_ENVIRONMENT_VARIABLE_NAME".to_owned(),
                reason: format!("it names {name}, which is not set"),
            }),
        };
    }
    let Some(name) = get("NAME") else { return Ok(None) };
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match get("ADAPTER").unwrap_or("postgres") {
        "sqlite" | "sqlite3" => Ok(Some(format!("sqlite://{name}"))),
        "postgres" | "postgresql" => {
            let user = get("USERNAME").map(encoded).unwrap_or_default();
            let password = get("PASSWORD").map(|text| format!(":{}", encoded(text))).unwrap_or_default();
            let at = if user.is_empty() && password.is_empty() { "" } else { "@" };
            let host = get("HOST").unwrap_or("localhost");
            let port = get("PORT").map(|port| format!(":{port}")).unwrap_or_default();
            let mode = get("SSLMODE").map(|mode| format!("?sslmode={mode}")).unwrap_or_default();
            Ok(Some(format!("postgres://{user}{password}{at}{host}{port}/{}{mode}", encoded(name))))
        }
        other => Err(Error::Invalid {
            key: "PACT_BROKER_DATABASE_ADAPTER".to_owned(),
            reason: format!("`{other}` is not supported; `postgres` and `sqlite` are"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(pairs: &[(&str, &str)]) -> Result<Option<String>, Error> {
        let pairs = pairs.iter().map(|(k, v)| (format!("PACT_BROKER_DATABASE_{k}"), (*v).to_owned()));
        database_url(&Environment(pairs.collect()))
    }

    #[test]
    fn the_address_holds_before_its_parts() {
        let set = [("URL", "postgres://h/d"), ("NAME", "other")];
        assert_eq!(url(&set).unwrap().as_deref(), Some("postgres://h/d"));
        assert_eq!(url(&[]).unwrap(), None);
    }

    #[test]
    fn parts_make_an_address_whatever_characters_they_have() {
        let set = [
            ("NAME", "pacts"),
            ("USERNAME", "broker"),
            ("PASSWORD", "p@ss/word"),
            ("HOST", "db.example.org"),
            ("PORT", "5433"),
            ("SSLMODE", "require"),
        ];
        assert_eq!(
            url(&set).unwrap().as_deref(),
            Some("postgres://broker:p%40ss%2Fword@db.example.org:5433/pacts?sslmode=require")
        );
        let set = [("ADAPTER", "sqlite"), ("NAME", "/var/lib/pacts.db")];
        assert_eq!(url(&set).unwrap().as_deref(), Some("sqlite:///var/lib/pacts.db"));
        assert!(url(&[("ADAPTER", "mysql2"), ("NAME", "x")]).unwrap_err().to_string().contains("mysql2"));
    }

    #[test]
    fn another_variable_may_hold_the_address() {
        let mut environment = Environment::default();
        let named = "PACT_BROKER_DATABASE_URL_ENVIRONMENT_VARIABLE_NAME";
        environment.0.insert(named.into(), "OUR_DB".into());
        assert!(database_url(&environment).unwrap_err().to_string().contains("OUR_DB"));
        environment.0.insert("OUR_DB".into(), "postgres://h/d".into());
        assert_eq!(database_url(&environment).unwrap().as_deref(), Some("postgres://h/d"));
    }
}
