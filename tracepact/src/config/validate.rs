//! From what was written to what holds.

mod broker;
mod ingest;
mod kafka_spans;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracepact_base::{Secret, ServiceName, Topic};
use tracepact_broker::{AuthConfig, Database, WebhookPolicy, WebhookSchedule};
use tracepact_dashboard::{BasePath, PageConfig};
use tracepact_ingest::{KafkaConfig, SelfTracing};
use tracepact_join::{Aliases, ServiceEntry};
use tracepact_listener::{CorsOrigins, HostPattern, Scope, Scopes};

pub(crate) use self::ingest::Ingest;
use super::Error;
use super::raw::{self, Raw};

/// Fewest characters of a token.
const TOKEN_CHARS_MIN: usize = 16;

/// A part of the server that `only` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Collector,
    Broker,
    Dashboard,
}

impl Part {
    const ALL: [(&'static str, Self); 3] =
        [("collector", Self::Collector), ("broker", Self::Broker), ("dashboard", Self::Dashboard)];
}

/// Certificate, key, and which listeners use them.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    listeners: Vec<String>,
}

impl TlsFiles {
    /// Whether the listener of that name speaks TLS.
    pub(crate) fn covers(&self, listener: &str) -> bool {
        self.listeners.is_empty() || self.listeners.iter().any(|name| name == listener)
    }
}

/// A flow of requests and results.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) name: String,
    pub(crate) request_topic: Topic,
    pub(crate) result_topic: Topic,
    pub(crate) dead_letter_topic: Option<Topic>,
    pub(crate) group: String,
    pub(crate) window: Duration,
}

/// Where series are copied to.
#[derive(Debug, Clone)]
pub(crate) struct Influxdb {
    pub(crate) url: String,
    pub(crate) org: String,
    pub(crate) bucket: String,
    pub(crate) token: Secret,
    pub(crate) interval: Duration,
}

/// Zipkin's page.
#[derive(Debug, Clone)]
pub(crate) struct ZipkinUi {
    /// Folder of the unpacked page; without it Zipkin's links lead to ours.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) base_path: BasePath,
    pub(crate) page: PageConfig,
}

/// A configuration that holds together.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) http_addr: SocketAddr,
    pub(crate) otlp_grpc_addr: SocketAddr,
    pub(crate) otlp_http_addr: SocketAddr,
    pub(crate) broker_addr: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) broker: raw::Broker,
    pub(crate) parts: BTreeSet<Part>,
    pub(crate) open: Scopes,
    pub(crate) allowed_hosts: Vec<HostPattern>,
    pub(crate) tokens: Vec<(Secret, Scopes)>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) ingest: Ingest,
    pub(crate) broker_database: Database,
    pub(crate) webhooks: WebhookPolicy,
    pub(crate) webhook_schedule: WebhookSchedule,
    pub(crate) broker_auth: AuthConfig,
    pub(crate) strict_trace_id: bool,
    pub(crate) query_timeout: Duration,
    pub(crate) query_lookback: Duration,
    pub(crate) autocomplete_keys: Vec<String>,
    pub(crate) query_enabled: bool,
    pub(crate) search_enabled: bool,
    pub(crate) cors: CorsOrigins,
    pub(crate) query_rows_max: u64,
    pub(crate) query_read_bytes_max: u64,
    pub(crate) query_answer_bytes_max: usize,
    /// `None`: nothing of Zipkin's page.
    pub(crate) zipkin_ui: Option<ZipkinUi>,
    /// `None`: our own requests are not traced.
    pub(crate) self_tracing: Option<SelfTracing>,
    pub(crate) spans_retention: Duration,
    pub(crate) series_retention: Duration,
    pub(crate) events_retention: Duration,
    pub(crate) disk_bytes_max: Option<u64>,
    pub(crate) kafka_bootstrap: Option<String>,
    pub(crate) kafka_poll_interval: Duration,
    /// Spans from Kafka; `None`: not read.
    pub(crate) kafka_spans: Option<KafkaConfig>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) aliases: Arc<Aliases>,
    pub(crate) hystrix: Vec<(String, ServiceName)>,
    pub(crate) influxdb: Option<Influxdb>,
}

fn invalid(key: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Invalid { key: key.into(), reason: reason.into() }
}

impl Config {
    /// Checks `raw`; relative token files are looked for in `base`.
    pub(crate) fn validate(raw: Raw, base: &Path) -> Result<Self, Error> {
        let config = Self {
            http_addr: addr("http_addr", &raw.http_addr)?,
            otlp_grpc_addr: addr("otlp_grpc_addr", &raw.otlp_grpc_addr)?,
            otlp_http_addr: addr("otlp_http_addr", &raw.otlp_http_addr)?,
            broker_addr: addr("broker_addr", &raw.broker_addr)?,
            data_dir: data_dir(&raw.data_dir)?,
            broker: broker::named(&raw.broker)?,
            parts: parts(&raw.only)?,
            open: open(&raw.access.open)?,
            allowed_hosts: raw.access.allowed_hosts.iter().map(|host| HostPattern::new(host)).collect(),
            tokens: tokens(&raw.access.tokens, base)?,
            tls: tls(&raw.tls, base)?,
            ingest: self::ingest::ingest(
                &raw.ingest,
                &raw.redaction,
                days("retention.spans_days", raw.retention.spans_days)?,
                base,
            )?,
            broker_auth: broker::auth(&raw)?,
            webhooks: broker::webhooks(&raw.broker)?,
            webhook_schedule: WebhookSchedule {
                retry: broker::pauses("broker.webhook_retry_pauses_s", &raw.broker.webhook_retry_pauses_s)?,
                fire_again: broker::pauses(
                    "broker.webhook_fire_again_pauses_s",
                    &raw.broker.webhook_fire_again_pauses_s,
                )?,
            },
            broker_database: broker::database(raw.broker.database_url.as_ref(), &raw.data_dir)?,
            strict_trace_id: raw.query.strict_trace_id,
            query_timeout: within("query.timeout_ms", raw.query.timeout_ms, 100, 600_000)?,
            query_lookback: within("query.lookback_ms", raw.query.lookback_ms, 1_000, 31_536_000_000)?,
            autocomplete_keys: raw.query.autocomplete_keys.clone(),
            query_enabled: raw.query.enabled,
            search_enabled: raw.query.search_enabled,
            cors: CorsOrigins::new(&raw.query.allowed_origins)
                .map_err(|error| invalid("query.allowed_origins", error.to_string()))?,
            query_rows_max: bounded("query.rows_max", raw.query.rows_max, 1_000, u64::MAX)?,
            query_read_bytes_max: bounded(
                "query.read_bytes_max",
                raw.query.read_bytes_max,
                1 << 20,
                u64::MAX,
            )?,
            query_answer_bytes_max: bounded(
                "query.answer_bytes_max",
                raw.query.answer_bytes_max,
                64 << 10,
                1 << 30,
            )? as usize,
            zipkin_ui: zipkin_ui(&raw, base)?,
            self_tracing: self_tracing(&raw.self_tracing)?,
            spans_retention: days("retention.spans_days", raw.retention.spans_days)?,
            series_retention: days("retention.series_days", raw.retention.series_days)?,
            events_retention: days("retention.events_days", raw.retention.events_days)?,
            disk_bytes_max: raw.retention.disk_bytes_max,
            kafka_spans: self::kafka_spans::kafka_spans(&raw.kafka_spans, &PathBuf::from(&raw.data_dir))?,
            kafka_bootstrap: raw.kafka.bootstrap.clone().filter(|text| !text.trim().is_empty()),
            kafka_poll_interval: within(
                "kafka.poll_interval_ms",
                raw.kafka.poll_interval_ms,
                100,
                3_600_000,
            )?,
            flows: flows(&raw)?,
            aliases: Arc::new(aliases(raw.services)?),
            hystrix: hystrix(&raw.hystrix)?,
            influxdb: influxdb(raw.influxdb, base)?,
        };
        config.addresses_differ()?;
        Ok(config)
    }

    /// Whether `part` runs.
    pub(crate) fn runs(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn addresses_differ(&self) -> Result<(), Error> {
        let all = [
            ("http_addr", self.http_addr),
            ("otlp_grpc_addr", self.otlp_grpc_addr),
            ("otlp_http_addr", self.otlp_http_addr),
            ("broker_addr", self.broker_addr),
        ];
        for (index, (name, addr)) in all.iter().enumerate() {
            if let Some((first, _)) = all[..index].iter().find(|(_, other)| other == addr && addr.port() != 0)
            {
                return Err(invalid(*name, format!("{addr} is `{first}` already")));
            }
        }
        Ok(())
    }
}

fn addr(key: &str, text: &str) -> Result<SocketAddr, Error> {
    let text = text.trim().replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        invalid(key, format!("`{text}` is no address and port, such as 127.0.0.1:9411 or [::]:9411"))
    })
}

fn data_dir(text: &str) -> Result<PathBuf, Error> {
    if text.trim().is_empty() {
        return Err(invalid("data_dir", "a folder is wanted"));
    }
    Ok(PathBuf::from(text))
}

fn parts(names: &[String]) -> Result<BTreeSet<Part>, Error> {
    let mut parts = BTreeSet::new();
    for name in names {
        let known = Part::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, part) = known.ok_or_else(|| {
            invalid("only", format!("there is no part `{name}`; there are collector, broker, dashboard"))
        })?;
        parts.insert(*part);
    }
    Ok(if parts.is_empty() { Part::ALL.iter().map(|(_, part)| *part).collect() } else { parts })
}

fn scopes(key: &str, names: &[String]) -> Result<Scopes, Error> {
    names
        .iter()
        .map(|name| {
            Scope::from_name(name).ok_or_else(|| {
                invalid(key, format!("there is no scope `{name}`; there are ingest, read, publish, admin"))
            })
        })
        .collect()
}

fn open(names: &[String]) -> Result<Scopes, Error> {
    let open = scopes("access.open", names)?;
    if open.contains(Scope::Admin) {
        return Err(invalid("access.open", "admin always needs a token; open ingest, read or publish"));
    }
    Ok(open)
}

fn tokens(tokens: &[raw::Token], base: &Path) -> Result<Vec<(Secret, Scopes)>, Error> {
    tokens
        .iter()
        .map(|token| {
            let secret = secret("access.tokens", token.token.clone(), token.token_file.as_deref(), base)?
                .ok_or_else(|| invalid("access.tokens", "each needs a `token` or a `token_file`"))?;
            if secret.expose().chars().count() < TOKEN_CHARS_MIN {
                return Err(invalid(
                    "access.tokens",
                    format!("a token has at least {TOKEN_CHARS_MIN} characters"),
                ));
            }
            let scopes = scopes("access.tokens.scopes", &token.scopes)?;
            if scopes.is_empty() {
                return Err(invalid("access.tokens.scopes", "a token without scopes allows nothing"));
            }
            Ok((secret, scopes))
        })
        .collect()
}

fn secret(
    key: &str,
    inline: Option<Secret>,
    file: Option<&str>,
    base: &Path,
) -> Result<Option<Secret>, Error> {
    match (inline, file) {
        (Some(_), Some(_)) => Err(invalid(key, "either `token` or `token_file`, not both")),
        (Some(secret), None) => Ok(Some(secret)),
        (None, Some(file)) => {
            let path = base.join(file);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                invalid(format!("{key}.token_file"), format!("{}: {error}", path.display()))
            })?;
            Ok(Some(Secret::new(text.trim())))
        }
        (None, None) => Ok(None),
    }
}

fn tls(raw: &raw::Tls, base: &Path) -> Result<Option<TlsFiles>, Error> {
    const LISTENERS: [&str; 4] = ["http", "otlp_grpc", "otlp_http", "broker"];
    if let Some(name) = raw.listeners.iter().find(|name| !LISTENERS.contains(&name.as_str())) {
        return Err(invalid(
            "tls.listeners",
            format!("there is no listener `{name}`; there are {}", LISTENERS.join(", ")),
        ));
    }
    match (&raw.cert_file, &raw.key_file) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles {
            cert: base.join(cert),
            key: base.join(key),
            listeners: raw.listeners.clone(),
        })),
        (Some(_), None) => Err(invalid("tls.key_file", "it is needed beside `tls.cert_file`")),
        (None, Some(_)) => Err(invalid("tls.cert_file", "it is needed beside `tls.key_file`")),
    }
}

fn within(key: &str, value: u64, min: u64, max: u64) -> Result<Duration, Error> {
    if (min..=max).contains(&value) {
        Ok(Duration::from_millis(value))
    } else {
        Err(invalid(key, format!("{value} is not between {min} and {max} milliseconds")))
    }
}

fn bounded(key: &str, value: u64, min: u64, max: u64) -> Result<u64, Error> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(invalid(key, format!("{value} is not between {min} and {max}")))
    }
}

fn share(key: &str, value: f64) -> Result<f64, Error> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(invalid(key, format!("{value} is not between 0 and 1")))
    }
}

fn zipkin_ui(raw: &Raw, base: &Path) -> Result<Option<ZipkinUi>, Error> {
    let ui = &raw.zipkin_ui;
    let set = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let url = |key: &str, text: &Option<String>| set(text).map(|text| http_url(key, &text)).transpose();
    let page = PageConfig {
        environment: ui.environment.clone(),
        query_limit: bounded("zipkin_ui.query_limit", ui.query_limit, 1, 5_000)?,
        default_lookback_ms: bounded(
            "zipkin_ui.default_lookback_ms",
            ui.default_lookback_ms,
            1_000,
            31_536_000_000,
        )?,
        search_enabled: raw.query.search_enabled,
        logs_url: set(&ui.logs_url),
        support_url: set(&ui.support_url),
        archive_post_url: url("zipkin_ui.archive_post_url", &ui.archive_post_url)?,
        archive_url: set(&ui.archive_url),
        dependency_enabled: ui.dependency_enabled,
        low_error_rate: share("zipkin_ui.dependency_low_error_rate", ui.dependency_low_error_rate)?,
        high_error_rate: share("zipkin_ui.dependency_high_error_rate", ui.dependency_high_error_rate)?,
    };
    let base_path =
        BasePath::new(&ui.base_path).map_err(|error| invalid("zipkin_ui.base_path", error.to_string()))?;
    let dir = set(&ui.dir).map(|dir| base.join(dir));
    // A server that answers no questions has no page that asks them.
    Ok((ui.enabled && raw.query.enabled).then_some(ZipkinUi { dir, base_path, page }))
}

fn self_tracing(raw: &raw::SelfTracing) -> Result<Option<SelfTracing>, Error> {
    let sample_rate = share("self_tracing.sample_rate", raw.sample_rate)?;
    let traces_per_second = bounded("self_tracing.traces_per_second", raw.traces_per_second, 0, 1_000_000)?;
    Ok(raw.enabled.then_some(SelfTracing { sample_rate, traces_per_second }))
}

fn days(key: &str, value: u64) -> Result<Duration, Error> {
    if (1..=3_650).contains(&value) {
        Ok(Duration::from_secs(value * 86_400))
    } else {
        Err(invalid(key, format!("{value} is not between 1 and 3650 days")))
    }
}

fn flows(raw: &Raw) -> Result<Vec<Flow>, Error> {
    let mut names = BTreeSet::new();
    if !raw.flows.is_empty() && raw.kafka.bootstrap.is_none() {
        return Err(invalid("flows", "flows are read from Kafka: set `kafka.bootstrap`"));
    }
    raw.flows
        .iter()
        .map(|flow| {
            let key = |name: &str| format!("flows.{name}");
            let topic = |name: &str, text: &str| {
                Topic::new(text).map_err(|error| invalid(key(name), format!("`{text}`: {error}")))
            };
            if flow.name.trim().is_empty() || !names.insert(flow.name.clone()) {
                return Err(invalid(key("name"), format!("`{}` is empty or used twice", flow.name)));
            }
            if flow.group.trim().is_empty() {
                return Err(invalid(
                    key("group"),
                    format!("flow `{}` needs the group that reads its requests", flow.name),
                ));
            }
            Ok(Flow {
                name: flow.name.clone(),
                request_topic: topic("request_topic", &flow.request_topic)?,
                result_topic: topic("result_topic", &flow.result_topic)?,
                dead_letter_topic: flow
                    .dead_letter_topic
                    .as_deref()
                    .map(|text| topic("dead_letter_topic", text))
                    .transpose()?,
                group: flow.group.clone(),
                window: within("flows.window_ms", flow.window_ms.unwrap_or(300_000), 1_000, 604_800_000)?,
            })
        })
        .collect()
}

fn service_name(key: &str, text: &str) -> Result<ServiceName, Error> {
    ServiceName::new(text).map_err(|error| invalid(key, format!("`{text}`: {error}")))
}

fn aliases(services: Vec<raw::Service>) -> Result<Aliases, Error> {
    let entry = |service: raw::Service| {
        Ok(ServiceEntry {
            name: service_name("services.name", &service.name)?,
            aliases: service
                .aliases
                .iter()
                .map(|alias| service_name("services.aliases", alias))
                .collect::<Result<_, _>>()?,
            consumer_groups: service.consumer_groups,
            pacticipant: service.pacticipant,
            team: service.team,
            repository: service.repository,
        })
    };
    let entries = services.into_iter().map(entry).collect::<Result<Vec<_>, Error>>()?;
    Aliases::new(entries).map_err(|error| invalid("services", error.to_string()))
}

fn http_url(key: &str, text: &str) -> Result<String, Error> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(text.to_owned()),
        _ => Err(invalid(key, format!("`{text}` is no http or https address"))),
    }
}

fn hystrix(streams: &[raw::Hystrix]) -> Result<Vec<(String, ServiceName)>, Error> {
    streams
        .iter()
        .map(|stream| {
            Ok((http_url("hystrix.url", &stream.url)?, service_name("hystrix.service", &stream.service)?))
        })
        .collect()
}

fn influxdb(raw: raw::Influxdb, base: &Path) -> Result<Option<Influxdb>, Error> {
    let Some(url) = raw.url else { return Ok(None) };
    for (key, value) in [("influxdb.org", &raw.org), ("influxdb.bucket", &raw.bucket)] {
        if value.trim().is_empty() {
            return Err(invalid(key, "it is needed once `influxdb.url` is set"));
        }
    }
    Ok(Some(Influxdb {
        url: http_url("influxdb.url", &url)?,
        org: raw.org,
        bucket: raw.bucket,
        token: secret("influxdb", raw.token, raw.token_file.as_deref(), base)?
            .ok_or_else(|| invalid("influxdb", "a `token` or a `token_file` is needed"))?,
        interval: within("influxdb.interval_ms", raw.interval_ms, 100, 3_600_000)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Config, Error> {
        Config::validate(toml::from_str(text).unwrap(), Path::new(""))
    }

    #[test]
    fn defaults_are_valid_and_run_everything() {
        let config = of("").unwrap();
        assert!(config.runs(Part::Collector) && config.runs(Part::Broker) && config.runs(Part::Dashboard));
        assert!(config.open.is_empty());
    }

    #[test]
    fn refusals_name_the_key() {
        for (text, key) in [
            ("http_addr = \"nowhere\"", "http_addr"),
            ("http_addr = \"127.0.0.1:1\"\nbroker_addr = \"127.0.0.1:1\"", "broker_addr"),
            ("only = [\"collektor\"]", "only"),
            ("access.open = [\"admin\"]", "access.open"),
            ("access.open = [\"everything\"]", "access.open"),
            ("[[access.tokens]]\ntoken = \"short\"\nscopes = [\"read\"]", "access.tokens"),
            ("[[access.tokens]]\ntoken = \"0123456789abcdef\"", "access.tokens.scopes"),
            ("[[access.tokens]]\nscopes = [\"read\"]", "access.tokens"),
            (
                "[[access.tokens]]\ntoken_file = \"/no/such/file\"\nscopes = [\"read\"]",
                "access.tokens.token_file",
            ),
            ("broker.database_url = \"mysql://h/d\"", "broker.database_url"),
            ("broker.webhook_hosts = [\"/x/\"]", "broker.webhook_hosts"),
            ("broker.basic_auth_username = \"u\"", "broker.basic_auth_username"),
            ("broker.webhook_schemes = [\"ftp\"]", "broker.webhook_schemes"),
            ("broker.webhook_retry_pauses_s = [9999999]", "broker.webhook_retry_pauses_s"),
            ("query.timeout_ms = 1", "query.timeout_ms"),
            ("query.rows_max = 1", "query.rows_max"),
            ("query.allowed_origins = [\"shop.example\"]", "query.allowed_origins"),
            ("zipkin_ui.base_path = \"zipkin\"", "zipkin_ui.base_path"),
            ("zipkin_ui.archive_post_url = \"javascript:x\"", "zipkin_ui.archive_post_url"),
            ("zipkin_ui.dependency_low_error_rate = 2", "zipkin_ui.dependency_low_error_rate"),
            ("self_tracing.sample_rate = -0.1", "self_tracing.sample_rate"),
            ("retention.spans_days = 0", "retention.spans_days"),
            ("tls.cert_file = \"x\"", "tls.key_file"),
            ("tls.listeners = [\"https\"]", "tls.listeners"),
            ("[[flows]]\nname = \"a\"", "flows"),
            ("kafka.bootstrap = \"x:1\"\n[[flows]]\nname = \"a\"\ngroup = \"g\"", "flows.request_topic"),
            ("[[services]]\nname = \"a\"\n[[services]]\nname = \"A\"", "services"),
            ("[[hystrix]]\nurl = \"file:///etc/passwd\"\nservice = \"a\"", "hystrix.url"),
            ("influxdb.url = \"http://x\"", "influxdb.org"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{key}`")), "{text}: {error}");
        }
    }

    #[test]
    fn port_zero_may_be_named_often() {
        assert!(of("http_addr = \"127.0.0.1:0\"\nbroker_addr = \"127.0.0.1:0\"").is_ok());
    }

    #[test]
    fn secrets_do_not_print() {
        let config = of("[[access.tokens]]\ntoken = \"0123456789abcdef\"\nscopes = [\"read\"]").unwrap();
        assert!(!format!("{config:?}").contains("0123456789"));
    }
}
