//! Defaults < file < environment < flags, laid over one another before anything is read from them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::raw::Raw;
use super::{Config, Error, keys, pact_broker, pact_broker_names};

/// Variables of other commands that `serve` leaves alone.
const OF_OTHER_COMMANDS: [&str; 3] = ["TRACEPACT_BROKER_URL", "TRACEPACT_TOKEN", "TRACEPACT_TOKEN_FILE"];
/// Variables of `serve` that are no keys of the file.
pub(crate) const NO_KEYS: [(&str, &str); 3] = [
    ("TRACEPACT_CONFIG", "Path of the configuration file, as `--config`."),
    ("TRACEPACT_ADDR_FILE", "File the chosen addresses are written to, as `--addr-file`."),
    ("TRACEPACT_LOG", "What is logged: `info`, `debug`, `tracepact_ingest=debug,warn`, … (default `info`)."),
];

/// Names that Zipkin's and Pact Broker's users already have and that mean something here.
pub(crate) const FOREIGN: &[(&str, &str)] = &[
    ("QUERY_PORT", "http_addr"),
    ("QUERY_ENABLED", "query.enabled"),
    ("SEARCH_ENABLED", "query.search_enabled"),
    ("STRICT_TRACE_ID", "query.strict_trace_id"),
    ("QUERY_TIMEOUT", "query.timeout_ms"),
    ("QUERY_LOOKBACK", "query.lookback_ms"),
    ("AUTOCOMPLETE_KEYS", "query.autocomplete_keys"),
    ("ZIPKIN_QUERY_ALLOWED_ORIGINS", "query.allowed_origins"),
    ("UI_ENABLED", "zipkin_ui.enabled"),
    ("ZIPKIN_UI_ENABLED", "zipkin_ui.enabled"),
    ("ZIPKIN_UI_BASEPATH", "zipkin_ui.base_path"),
    ("ZIPKIN_UI_BASE_PATH", "zipkin_ui.base_path"),
    ("ZIPKIN_UI_ENVIRONMENT", "zipkin_ui.environment"),
    ("ZIPKIN_UI_QUERY_LIMIT", "zipkin_ui.query_limit"),
    ("ZIPKIN_UI_QUERYLIMIT", "zipkin_ui.query_limit"),
    ("ZIPKIN_UI_DEFAULT_LOOKBACK", "zipkin_ui.default_lookback_ms"),
    ("ZIPKIN_UI_DEFAULTLOOKBACK", "zipkin_ui.default_lookback_ms"),
    ("ZIPKIN_UI_LOGS_URL", "zipkin_ui.logs_url"),
    ("ZIPKIN_UI_SUPPORT_URL", "zipkin_ui.support_url"),
    ("ZIPKIN_UI_ARCHIVE_POST_URL", "zipkin_ui.archive_post_url"),
    ("ZIPKIN_UI_ARCHIVE_URL", "zipkin_ui.archive_url"),
    ("ZIPKIN_UI_DEPENDENCY_ENABLED", "zipkin_ui.dependency_enabled"),
    ("ZIPKIN_UI_DEPENDENCY_LOW_ERROR_RATE", "zipkin_ui.dependency_low_error_rate"),
    ("ZIPKIN_UI_DEPENDENCY_HIGH_ERROR_RATE", "zipkin_ui.dependency_high_error_rate"),
    ("SELF_TRACING_ENABLED", "self_tracing.enabled"),
    ("SELF_TRACING_SAMPLE_RATE", "self_tracing.sample_rate"),
    ("SELF_TRACING_TRACES_PER_SECOND", "self_tracing.traces_per_second"),
    ("COLLECTOR_SAMPLE_RATE", "ingest.sample_rate"),
    // The newer of Zipkin's two names comes first, as it wins there.
    ("COLLECTOR_HTTP_ENABLED", "ingest.zipkin_http"),
    ("HTTP_COLLECTOR_ENABLED", "ingest.zipkin_http"),
    ("COLLECTOR_GRPC_ENABLED", "ingest.zipkin_grpc"),
    ("COLLECTOR_KAFKA_ENABLED", "kafka_spans.enabled"),
    ("KAFKA_BOOTSTRAP_SERVERS", "kafka_spans.bootstrap"),
    ("KAFKA_TOPIC", "kafka_spans.zipkin_topics"),
    ("KAFKA_GROUP_ID", "kafka_spans.group"),
    ("KAFKA_STREAMS", "kafka_spans.consumers"),
    ("PACT_BROKER_PORT", "broker_addr"),
    ("PACT_BROKER_DATABASE_URL", "broker.database_url"),
    ("PACT_BROKER_WEBHOOK_HTTP_METHOD_WHITELIST", "broker.webhook_methods"),
    ("PACT_BROKER_WEBHOOK_SCHEME_WHITELIST", "broker.webhook_schemes"),
    ("PACT_BROKER_WEBHOOK_HOST_WHITELIST", "broker.webhook_hosts"),
    ("PACT_BROKER_WEBHOOK_RETRY_SCHEDULE", "broker.webhook_retry_pauses_s"),
    ("PACT_BROKER_BASIC_AUTH_USERNAME", "broker.basic_auth_username"),
    ("PACT_BROKER_BASIC_AUTH_PASSWORD", "broker.basic_auth_password"),
    ("PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME", "broker.basic_auth_read_only_username"),
    ("PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD", "broker.basic_auth_read_only_password"),
    ("PACT_BROKER_ALLOW_PUBLIC_READ", "broker.allow_public_read"),
    ("PACT_BROKER_BASE_URL", "broker.base_urls"),
    ("PACT_BROKER_ALLOW_DANGEROUS_CONTRACT_MODIFICATION", "broker.allow_contract_changes"),
    ("PACT_BROKER_CHECK_FOR_POTENTIAL_DUPLICATE_PACTICIPANT_NAMES", "broker.check_similar_names"),
    ("PACT_BROKER_PUBLIC_HEARTBEAT", "broker.public_heartbeat"),
    ("PACT_BROKER_ENABLE_PUBLIC_BADGE_ACCESS", "broker.public_badges"),
];

/// Names of theirs that mean nothing here; whoever sets them should know.
pub(crate) const FOREIGN_WITHOUT_MEANING: &[&str] = &[
    "STORAGE_TYPE",
    "MEM_MAX_SPANS",
    "AUTOCOMPLETE_TTL",
    "SELF_TRACING_FLUSH_INTERVAL",
    "ZIPKIN_UI_INSTRUMENTED",
    "ZIPKIN_UI_USE_LENS",
    "ES_HOSTS",
    "CASSANDRA_CONTACT_POINTS",
    "MYSQL_HOST",
    "STORAGE_THROTTLE_ENABLED",
];

/// The process environment as data, so that tests never touch the real one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment(pub(crate) BTreeMap<String, String>);

impl Environment {
    /// The real one; names and values that are not text are left out.
    pub(crate) fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }
}

/// What flags set, by key path with dots.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides(pub(crate) Vec<(&'static str, Value)>);

/// What [`load`] read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What holds.
    pub(crate) config: Config,
    /// The same as it would be written, secrets hidden.
    pub(crate) raw: Raw,
    /// What was odd but not wrong.
    pub(crate) notes: Vec<String>,
}

/// Reads everything and says on the way what was odd but not wrong.
///
/// # Errors
/// Everything that is wrong.
pub(crate) fn load(
    file: Option<&Path>,
    environment: &Environment,
    flags: &Overrides,
) -> Result<Loaded, Error> {
    let mut notes = Vec::new();
    let mut table = match file {
        Some(path) => read(path)?,
        None => Table::new(),
    };
    keys::check(&table)?;
    for (path, value) in from_environment(environment, &mut notes)? {
        set(&mut table, &path, value)?;
    }
    for (path, value) in &flags.0 {
        set(&mut table, &path.split('.').map(str::to_owned).collect::<Vec<_>>(), value.clone())?;
    }
    let raw: Raw = table.try_into().map_err(|error: toml::de::Error| {
        Error::Shape(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    })?;
    // Files named in the configuration file are looked for beside it.
    let base = file.and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
    Ok(Loaded { config: Config::validate(raw.clone(), &base)?, raw, notes })
}

fn read(path: &Path) -> Result<Table, Error> {
    let path_buf = || PathBuf::from(path);
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path_buf(), source })?;
    text.parse().map_err(|source| Error::Syntax { path: path_buf(), source: Box::new(source) })
}

fn from_environment(
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<Vec<String>, Value>, Error> {
    let leaves = keys::leaves();
    let mut values = BTreeMap::new();
    for (name, text) in environment.0.iter().filter(|(name, _)| name.starts_with("TRACEPACT_")) {
        if OF_OTHER_COMMANDS.contains(&name.as_str()) || NO_KEYS.iter().any(|(known, _)| known == name) {
            continue;
        }
        let Some(leaf) = leaves.get(name) else {
            let known = leaves.keys().map(String::as_str).chain(NO_KEYS.iter().map(|(known, _)| *known));
            return Err(Error::UnknownVariable {
                name: name.clone(),
                nearest: keys::nearest_name(name, known),
            });
        };
        values.insert(leaf.path.clone(), leaf.parse(text)?);
    }
    let mut by: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for (name, key) in FOREIGN.iter().copied() {
        let text = match name {
            "PACT_BROKER_DATABASE_URL" => pact_broker::database_url(environment)?,
            _ => environment.0.get(name).cloned(),
        };
        let Some(text) = text else { continue };
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        let own_name = format!("TRACEPACT_{}", path.join("_").to_uppercase());
        let value = foreign(name, &text, leaves.get(&own_name))?;
        match values.get(&path) {
            Some(held) if *held != value => {
                let holds = by.get(&path).copied().unwrap_or(&own_name);
                notes.push(format!("{holds} and {name} contradict each other; {holds} holds"));
            }
            Some(_) => {}
            None => {
                by.insert(path.clone(), name);
                values.insert(path, value);
            }
        }
    }
    for name in FOREIGN_WITHOUT_MEANING.iter().copied() {
        if environment.0.contains_key(name) {
            notes.push(format!("{name} is set and has no meaning here"));
        }
    }
    notes.extend(pact_broker_names::unknown(environment));
    Ok(values)
}

/// What is to be logged: `TRACEPACT_LOG`, else the level that Pact Broker's users say, else the default (empty).
pub(crate) fn log_filter(environment: &Environment) -> String {
    let own = environment.0.get("TRACEPACT_LOG").cloned();
    own.or_else(|| pact_broker_names::log_level(environment).map(str::to_owned)).unwrap_or_default()
}

/// A value in the form another product's users write it.
fn foreign(name: &str, text: &str, leaf: Option<&keys::Leaf>) -> Result<Value, Error> {
    let invalid = |reason: &str| Error::Invalid { key: name.to_owned(), reason: reason.to_owned() };
    Ok(match name {
        "QUERY_PORT" | "PACT_BROKER_PORT" => {
            let port: u16 = text.trim().parse().map_err(|_| invalid("a port number is wanted"))?;
            Value::String(format!("127.0.0.1:{port}"))
        }
        // As there: items with spaces between.
        "PACT_BROKER_WEBHOOK_RETRY_SCHEDULE" => {
            keys::numbers(text, ' ').ok_or_else(|| invalid("seconds with spaces between are wanted"))?
        }
        name if name.starts_with("PACT_BROKER_WEBHOOK_") => {
            Value::Array(text.split_whitespace().map(|item| Value::String(item.to_owned())).collect())
        }
        // Several are separated by spaces there.
        "PACT_BROKER_BASE_URL" => {
            Value::Array(text.split_whitespace().map(|url| Value::String(url.to_owned())).collect())
        }
        "QUERY_TIMEOUT" | "QUERY_LOOKBACK" => {
            let (number, factor) = match text.trim() {
                ms if ms.ends_with("ms") => (ms.trim_end_matches("ms"), 1),
                s if s.ends_with('s') => (s.trim_end_matches('s'), 1_000),
                m if m.ends_with('m') => (m.trim_end_matches('m'), 60_000),
                plain => (plain, 1),
            };
            let number: i64 = number.trim().parse().map_err(|_| invalid("a time such as `11s` is wanted"))?;
            Value::Integer(number.saturating_mul(factor))
        }
        _ => leaf.ok_or_else(|| invalid("it has no key here"))?.parse_as(name, text)?,
    })
}

fn set(table: &mut Table, path: &[String], value: Value) -> Result<(), Error> {
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let mut place = table;
    for name in parents {
        let inner = place.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        place = inner
            .as_table_mut()
            .ok_or_else(|| Error::Invalid { key: name.clone(), reason: "a table is wanted".to_owned() })?;
    }
    place.insert(last.clone(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    fn config_file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn each_layer_wins_over_the_one_below() {
        let file = config_file(
            "http_addr = \"127.0.0.1:1\"\nbroker_addr = \"127.0.0.1:2\"\notlp_http_addr = \"127.0.0.1:3\"",
        );
        let env = environment(&[
            ("TRACEPACT_HTTP_ADDR", "127.0.0.1:11"),
            ("TRACEPACT_BROKER_ADDR", "127.0.0.1:12"),
        ]);
        let flags = Overrides(vec![("http_addr", Value::String("127.0.0.1:21".into()))]);
        let Loaded { config, notes, .. } = load(Some(file.path()), &env, &flags).unwrap();
        assert_eq!(config.http_addr.port(), 21);
        assert_eq!(config.broker_addr.port(), 12);
        assert_eq!(config.otlp_http_addr.port(), 3);
        assert_eq!(config.otlp_grpc_addr.port(), 4317);
        assert!(notes.is_empty());
    }

    #[test]
    fn names_of_other_products_hold_unless_ours_contradict() {
        let env =
            environment(&[("QUERY_PORT", "9999"), ("STRICT_TRACE_ID", "false"), ("STORAGE_TYPE", "mem")]);
        let Loaded { config, notes, .. } = load(None, &env, &Overrides::default()).unwrap();
        assert_eq!(config.http_addr, "127.0.0.1:9999".parse().unwrap());
        assert!(!config.strict_trace_id);
        assert_eq!(notes, ["STORAGE_TYPE is set and has no meaning here"]);
        let env = environment(&[
            ("QUERY_ENABLED", "true"),
            ("SEARCH_ENABLED", "false"),
            ("AUTOCOMPLETE_KEYS", "env, version"),
            ("ZIPKIN_QUERY_ALLOWED_ORIGINS", "https://a.example,http://b.example:3000"),
            ("ZIPKIN_UI_ENVIRONMENT", "prod"),
            ("ZIPKIN_UI_QUERY_LIMIT", "50"),
            ("ZIPKIN_UI_DEFAULT_LOOKBACK", "3600000"),
            ("ZIPKIN_UI_BASEPATH", "/tools/zipkin"),
            ("ZIPKIN_UI_DEPENDENCY_LOW_ERROR_RATE", "0.25"),
            ("SELF_TRACING_ENABLED", "true"),
            ("SELF_TRACING_TRACES_PER_SECOND", "5"),
            ("QUERY_LOOKBACK", "3600000"),
        ]);
        let Loaded { config, notes, .. } = load(None, &env, &Overrides::default()).unwrap();
        assert!(notes.is_empty(), "{notes:?}");
        assert!(config.query_enabled && !config.search_enabled);
        assert_eq!(config.autocomplete_keys, ["env", "version"]);
        assert_eq!(config.query_lookback.as_secs(), 3_600);
        assert_ne!(config.cors, tracepact_listener::CorsOrigins::Any);
        let ui = config.zipkin_ui.unwrap();
        assert_eq!((ui.page.environment.as_str(), ui.page.query_limit), ("prod", 50));
        assert_eq!((ui.page.default_lookback_ms, ui.page.low_error_rate), (3_600_000, 0.25));
        assert!(!ui.page.search_enabled);
        assert_eq!(config.self_tracing.unwrap().traces_per_second, 5);
        let off = environment(&[("QUERY_ENABLED", "false")]);
        assert!(load(None, &off, &Overrides::default()).unwrap().config.zipkin_ui.is_none());
        let env = environment(&[("QUERY_PORT", "9999"), ("TRACEPACT_HTTP_ADDR", "127.0.0.1:1")]);
        let Loaded { config, notes, .. } = load(None, &env, &Overrides::default()).unwrap();
        assert_eq!(config.http_addr.port(), 1);
        assert_eq!(
            notes,
            ["TRACEPACT_HTTP_ADDR and QUERY_PORT contradict each other; TRACEPACT_HTTP_ADDR holds"]
        );
    }

    #[test]
    fn zipkins_collector_names_hold() {
        let env = environment(&[
            ("COLLECTOR_SAMPLE_RATE", "0.25"),
            ("HTTP_COLLECTOR_ENABLED", "true"),
            ("COLLECTOR_HTTP_ENABLED", "false"),
            ("COLLECTOR_GRPC_ENABLED", "false"),
        ]);
        let Loaded { config, notes, .. } = load(None, &env, &Overrides::default()).unwrap();
        assert_eq!(config.ingest.bounds.sample_rate, 0.25);
        assert!(!config.ingest.zipkin_http && !config.ingest.zipkin_grpc);
        assert_eq!(
            notes,
            [
                "COLLECTOR_HTTP_ENABLED and HTTP_COLLECTOR_ENABLED contradict each other; COLLECTOR_HTTP_ENABLED holds"
            ]
        );
        for (name, text) in [("COLLECTOR_SAMPLE_RATE", "2"), ("COLLECTOR_SAMPLE_RATE", "all")] {
            assert!(load(None, &environment(&[(name, text)]), &Overrides::default()).is_err(), "{text}");
        }
        let own = environment(&[("TRACEPACT_INGEST_SAMPLE_RATE", "0.5")]);
        assert_eq!(load(None, &own, &Overrides::default()).unwrap().config.ingest.bounds.sample_rate, 0.5);
    }

    #[test]
    fn lists_of_the_pact_broker_have_spaces_between() {
        let env = environment(&[
            ("PACT_BROKER_WEBHOOK_HOST_WHITELIST", "ci.example.org 10.0.0.0/8"),
            ("PACT_BROKER_WEBHOOK_RETRY_SCHEDULE", "1 2 3"),
            ("PACT_BROKER_WEBHOOK_SCHEME_WHITELIST", "http https"),
        ]);
        let Loaded { config, .. } = load(None, &env, &Overrides::default()).unwrap();
        assert_eq!(config.webhooks.hosts.len(), 2);
        assert_eq!(config.webhooks.schemes, ["http", "https"]);
        assert_eq!(config.webhook_schedule.retry, [1, 2, 3].map(std::time::Duration::from_secs));
        let env = environment(&[("PACT_BROKER_WEBHOOK_RETRY_SCHEDULE", "soon")]);
        assert!(load(None, &env, &Overrides::default()).unwrap_err().to_string().contains("RETRY_SCHEDULE"));
    }

    #[test]
    fn names_of_the_pact_broker_hold_and_unknown_ones_are_named() {
        let env = environment(&[
            ("PACT_BROKER_PORT", "9999"),
            ("PACT_BROKER_BASE_URL", "https://a.example.org/broker http://b.example.org"),
            ("PACT_BROKER_ALLOW_DANGEROUS_CONTRACT_MODIFICATION", "true"),
            ("PACT_BROKER_CHECK_FOR_POTENTIAL_DUPLICATE_PACTICIPANT_NAMES", "false"),
            ("PACT_BROKER_PUBLIC_HEARTBEAT", "false"),
            ("PACT_BROKER_ENABLE_PUBLIC_BADGE_ACCESS", "true"),
            ("PACT_BROKER_LOG_LEVEL", "LOUD"),
            ("PACT_BROKER_PUBLIC_HEARTBEATS", "true"),
        ]);
        let Loaded { config, notes, .. } = load(None, &env, &Overrides::default()).unwrap();
        assert_eq!(config.broker_addr.port(), 9999);
        assert_eq!(config.broker.base_urls, ["https://a.example.org/broker", "http://b.example.org"]);
        assert!(config.broker.allow_contract_changes && !config.broker.check_similar_names);
        assert!(!config.broker.public_heartbeat && config.broker.public_badges);
        assert_eq!(
            notes[0],
            "PACT_BROKER_PUBLIC_HEARTBEATS is set and is not known here; did you mean `PACT_BROKER_PUBLIC_HEARTBEAT`?"
        );
        assert!(notes[1].contains("`LOUD` is no level"), "{notes:?}");
        let bad = environment(&[("PACT_BROKER_BASE_URL", "ftp://x")]);
        let error = load(None, &bad, &Overrides::default()).unwrap_err().to_string();
        assert!(error.contains("broker.base_urls"), "{error}");
    }

    #[test]
    fn the_log_level_of_the_pact_broker_holds_unless_ours_is_set() {
        let filter = |pairs: &[(&str, &str)]| log_filter(&environment(pairs));
        assert_eq!(filter(&[("PACT_BROKER_LOG_LEVEL", "FATAL")]), "error");
        assert_eq!(filter(&[("PACT_BROKER_LOG_LEVEL", "debug"), ("TRACEPACT_LOG", "warn")]), "warn");
        assert_eq!(filter(&[]), "");
    }

    #[test]
    fn an_unknown_variable_names_the_nearest_one() {
        let error =
            load(None, &environment(&[("TRACEPACT_HTPP_ADDR", "x")]), &Overrides::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no environment variable TRACEPACT_HTPP_ADDR; did you mean `TRACEPACT_HTTP_ADDR`?"
        );
        assert!(load(None, &environment(&[("TRACEPACT_TOKEN", "x")]), &Overrides::default()).is_ok());
    }

    #[test]
    fn wrong_types_name_the_key() {
        let file = config_file("[query]\ntimeout_ms = \"long\"");
        let error = load(Some(file.path()), &Environment::default(), &Overrides::default()).unwrap_err();
        assert!(error.to_string().contains("timeout_ms"), "{error}");
        let file = config_file("[query\n");
        let error = load(Some(file.path()), &Environment::default(), &Overrides::default()).unwrap_err();
        // As `main` prints it: the error and what caused it, in one line.
        let printed = format!("{:#}", anyhow::Error::from(error));
        assert!(printed.contains("is not valid TOML") && printed.contains("line 1"), "{printed}");
    }
}
