//! The configuration as it is written: every key, its default, its meaning.

mod ingest;
mod kafka_spans;

pub(crate) use ingest::{Ingest, Redaction};
pub(crate) use kafka_spans::KafkaSpans;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracepact_base::Secret;

/// Configuration of `tracepact serve`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Raw {
    /// Dashboard, native API, Zipkin's API, OTLP over HTTP, health, metrics. Port 0 picks a free one.
    pub(crate) http_addr: String,
    /// OTLP over gRPC.
    pub(crate) otlp_grpc_addr: String,
    /// OTLP over HTTP.
    pub(crate) otlp_http_addr: String,
    /// Contract broker for Pact clients.
    pub(crate) broker_addr: String,
    /// Folder of everything kept on disk: spans, series, events, the broker's database, the admin token.
    pub(crate) data_dir: String,
    /// Parts to run: `collector`, `broker`, `dashboard`. Empty: all.
    pub(crate) only: Vec<String>,
    /// Who may do what.
    pub(crate) access: Access,
    /// TLS. Off unless `cert_file` and `key_file` are set.
    pub(crate) tls: Tls,
    /// What is taken from senders.
    pub(crate) ingest: Ingest,
    /// Which values of spans are hidden.
    pub(crate) redaction: Redaction,
    /// The contract broker.
    pub(crate) broker: Broker,
    /// What readers get.
    pub(crate) query: Query,
    /// Zipkin's own page, and what it is told.
    pub(crate) zipkin_ui: ZipkinUi,
    /// Spans about our own requests.
    pub(crate) self_tracing: SelfTracing,
    /// How long what is stored is kept.
    pub(crate) retention: Retention,
    /// Kafka, for consumer lag and lost messages. Without it these pages are empty.
    pub(crate) kafka: Kafka,
    /// Spans from Kafka topics.
    pub(crate) kafka_spans: KafkaSpans,
    /// Request and result topics whose messages are followed by their key.
    pub(crate) flows: Vec<Flow>,
    /// What services are called in traces, in Kafka and in contracts, and who owns them.
    pub(crate) services: Vec<Service>,
    /// Hystrix streams that are read for breaker states.
    pub(crate) hystrix: Vec<Hystrix>,
    /// Copy of all series to an InfluxDB v2 server. Off unless `url` is set.
    pub(crate) influxdb: Influxdb,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            http_addr: "127.0.0.1:9411".into(),
            otlp_grpc_addr: "127.0.0.1:4317".into(),
            otlp_http_addr: "127.0.0.1:4318".into(),
            broker_addr: "127.0.0.1:9292".into(),
            data_dir: "./tracepact-data".into(),
            only: Vec::new(),
            access: Access::default(),
            tls: Tls::default(),
            ingest: Ingest::default(),
            redaction: Redaction::default(),
            broker: Broker::default(),
            query: Query::default(),
            zipkin_ui: ZipkinUi::default(),
            self_tracing: SelfTracing::default(),
            retention: Retention::default(),
            kafka: Kafka::default(),
            kafka_spans: KafkaSpans::default(),
            flows: Vec::new(),
            services: Vec::new(),
            hystrix: Vec::new(),
            influxdb: Influxdb::default(),
        }
    }
}

/// Who may do what. On loopback `ingest`, `read` and `publish` are open; elsewhere nothing is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Access {
    /// Scopes that need no token beyond loopback: `ingest`, `read`, `publish`. `admin` always needs one.
    pub(crate) open: Vec<String>,
    /// Host names this server answers to besides `localhost` and addresses in numbers: `tracepact.example.com`,
    /// `*.svc.cluster.local`; `*` for any, where something in front checks them.
    pub(crate) allowed_hosts: Vec<String>,
    /// Tokens and what they allow, besides the admin token in the data directory.
    pub(crate) tokens: Vec<Token>,
}

/// One token; either `token` or `token_file`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Token {
    /// The token, at least 16 characters. Printed as `***`.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Secret>,
    /// File that holds the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<String>,
    /// What its bearer may do: `ingest`, `read`, `publish`, `admin` (everything).
    pub(crate) scopes: Vec<String>,
}

/// TLS of the listeners.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    /// PEM file of the certificate chain, the server's own first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cert_file: Option<String>,
    /// PEM file of its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<String>,
    /// Listeners that speak TLS: `http`, `otlp_grpc`, `otlp_http`, `broker`. Empty: all.
    pub(crate) listeners: Vec<String>,
}

/// The contract broker.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Broker {
    /// Its database: `postgres://user:password@host/name?sslmode=verify-full`, which several brokers may share, or
    /// `sqlite:///folder/file`. Printed as `***`. Unset: `contracts.db` in the data directory.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database_url: Option<Secret>,
    /// Addresses clients reach the broker under, when it is not the one they connect to (a proxy, a path prefix). Links
    /// begin with the one the client used, else with the first; those in webhooks with the first.
    pub(crate) base_urls: Vec<String>,
    /// Believe `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix`. Only behind a proxy that sets them.
    pub(crate) trust_forwarded: bool,
    /// Let the contract of a version change after it was published. The gate's answers are then not reliable.
    pub(crate) allow_contract_changes: bool,
    /// Refuse a new pacticipant whose name is nearly one that is there: `order-service` beside `Order Service`.
    pub(crate) check_similar_names: bool,
    /// The heartbeat needs no token and no user.
    pub(crate) public_heartbeat: bool,
    /// Badges need no token and no user.
    pub(crate) public_badges: bool,
    /// Methods that webhooks may use.
    pub(crate) webhook_methods: Vec<String>,
    /// Schemes that webhooks may use: `https`, `http`.
    pub(crate) webhook_schemes: Vec<String>,
    /// Hosts that webhooks may call: `ci.example.org`, `*.example.org`, `10.0.0.0/8`. Empty: every public address.
    /// Private addresses have to be named here.
    pub(crate) webhook_hosts: Vec<String>,
    /// Pauses in seconds after which a failed webhook is tried again.
    pub(crate) webhook_retry_pauses_s: Vec<u64>,
    /// Pauses in seconds after which a webhook that asked for a verification is fired again while that does not exist.
    pub(crate) webhook_fire_again_pauses_s: Vec<u64>,
    /// User and password for clients that know only basic authentication: may do whatever Pact clients do. With either
    /// pair, or a user in the database, nothing of the broker is open any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basic_auth_username: Option<String>,
    /// Its password. Printed as `***`.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basic_auth_password: Option<Secret>,
    /// A user that may only read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basic_auth_read_only_username: Option<String>,
    /// Its password. Printed as `***`.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basic_auth_read_only_password: Option<Secret>,
    /// Reading needs no user, although there are some.
    pub(crate) allow_public_read: bool,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            database_url: None,
            base_urls: Vec::new(),
            trust_forwarded: false,
            allow_contract_changes: false,
            check_similar_names: true,
            public_heartbeat: true,
            public_badges: false,
            webhook_methods: vec!["POST".into()],
            webhook_schemes: vec!["https".into()],
            webhook_hosts: Vec::new(),
            webhook_retry_pauses_s: vec![10, 60, 120, 300, 600, 1_200],
            webhook_fire_again_pauses_s: vec![1_800, 7_200, 21_600, 86_400],
            basic_auth_username: None,
            basic_auth_password: None,
            basic_auth_read_only_username: None,
            basic_auth_read_only_password: None,
            allow_public_read: false,
        }
    }
}

/// What readers get.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Query {
    /// `false`: traces are looked up and grouped by the low 64 bits of their id, as Zipkin's `STRICT_TRACE_ID=false`.
    pub(crate) strict_trace_id: bool,
    /// The longest time a question may take.
    #[schemars(range(min = 100, max = 600_000))]
    pub(crate) timeout_ms: u64,
    /// How far back is looked when a question names no window.
    #[schemars(range(min = 1_000, max = 31_536_000_000_u64))]
    pub(crate) lookback_ms: u64,
    /// Tag keys whose values Zipkin's page completes. Empty: all that were seen.
    pub(crate) autocomplete_keys: Vec<String>,
    /// `false`: this server takes spans and answers no question about them, as Zipkin's `QUERY_ENABLED=false`.
    pub(crate) enabled: bool,
    /// `false`: traces are found by id only, as Zipkin's `SEARCH_ENABLED=false`.
    pub(crate) search_enabled: bool,
    /// Origins of web pages that may send spans and read Zipkin's API, `https://shop.example`; `*` for all.
    pub(crate) allowed_origins: Vec<String>,
    /// Most rows that one question looks at.
    #[schemars(range(min = 1_000))]
    pub(crate) rows_max: u64,
    /// Most bytes that one question reads from disk.
    #[schemars(range(min = 1_048_576))]
    pub(crate) read_bytes_max: u64,
    /// Most bytes of one answer, roughly.
    #[schemars(range(min = 65_536, max = 1_073_741_824))]
    pub(crate) answer_bytes_max: u64,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            strict_trace_id: true,
            timeout_ms: 11_000,
            lookback_ms: 86_400_000,
            autocomplete_keys: Vec::new(),
            enabled: true,
            search_enabled: true,
            allowed_origins: vec!["*".into()],
            rows_max: 10_000_000,
            read_bytes_max: 1 << 30,
            answer_bytes_max: 64 << 20,
        }
    }
}

/// Zipkin's own page (Lens), served as it was published, and what `/zipkin/config.json` tells it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ZipkinUi {
    /// `false`: nothing under `/zipkin` but the API.
    pub(crate) enabled: bool,
    /// Folder of an unpacked zipkin-lens (the one with `index.html`, or the one above it), served under `/zipkin/`.
    /// Unset: Zipkin's links lead to our pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dir: Option<String>,
    /// Path under which a proxy shows the page.
    pub(crate) base_path: String,
    /// A word in the page's corner.
    pub(crate) environment: String,
    /// Traces it asks for unless told otherwise.
    #[schemars(range(min = 1, max = 5_000))]
    pub(crate) query_limit: u64,
    /// How far back it looks unless told otherwise.
    #[schemars(range(min = 1_000, max = 31_536_000_000_u64))]
    pub(crate) default_lookback_ms: u64,
    /// Address of a page with logs, `{traceId}` in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logs_url: Option<String>,
    /// Address of a page with help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) support_url: Option<String>,
    /// Where its archive button posts a trace to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) archive_post_url: Option<String>,
    /// Address of an archived trace, `{traceId}` in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) archive_url: Option<String>,
    /// Whether it shows the dependency graph.
    pub(crate) dependency_enabled: bool,
    /// Share of failed calls from which a link is yellow.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) dependency_low_error_rate: f64,
    /// Share of failed calls from which a link is red.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) dependency_high_error_rate: f64,
}

impl Default for ZipkinUi {
    fn default() -> Self {
        Self {
            enabled: true,
            dir: None,
            base_path: "/zipkin".into(),
            environment: String::new(),
            query_limit: 10,
            default_lookback_ms: 900_000,
            logs_url: None,
            support_url: None,
            archive_post_url: None,
            archive_url: None,
            dependency_enabled: true,
            dependency_low_error_rate: 0.5,
            dependency_high_error_rate: 0.75,
        }
    }
}

/// Spans about our own reading requests, kept beside everyone else's under the service `tracepact`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SelfTracing {
    /// Whether there are any.
    pub(crate) enabled: bool,
    /// Share of requests that are traced. At 1 `traces_per_second` bounds them instead.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) sample_rate: f64,
    /// Most traces of a second; 0 for all.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) traces_per_second: u64,
}

impl Default for SelfTracing {
    fn default() -> Self {
        Self { enabled: false, sample_rate: 1.0, traces_per_second: 1 }
    }
}

/// How long what is stored is kept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retention {
    /// Days that spans are kept, counted from their start.
    #[schemars(range(min = 1, max = 3_650))]
    pub(crate) spans_days: u64,
    /// Days that series are kept.
    #[schemars(range(min = 1, max = 3_650))]
    pub(crate) series_days: u64,
    /// Days that events are kept.
    #[schemars(range(min = 1, max = 3_650))]
    pub(crate) events_days: u64,
    /// Bytes that blocks of spans may take; the oldest days go first. Unset: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_bytes_max: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { spans_days: 7, series_days: 7, events_days: 7, disk_bytes_max: None }
    }
}

/// Kafka, for consumer lag and lost messages.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kafka {
    /// Brokers to begin with: `host:port`, several with commas. Unset: no Kafka.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bootstrap: Option<String>,
    /// Time between two readings of offsets.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub(crate) poll_interval_ms: u64,
}

impl Default for Kafka {
    fn default() -> Self {
        Self { bootstrap: None, poll_interval_ms: 2_000 }
    }
}

/// A request topic, the topic its results come back on, and how long that may take. Messages are matched by record key.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Flow {
    /// Name of the flow; unique.
    pub(crate) name: String,
    /// Topic of the requests.
    pub(crate) request_topic: String,
    /// Topic of the results.
    pub(crate) result_topic: String,
    /// Topic of the requests that were given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead_letter_topic: Option<String>,
    /// Consumer group that reads the requests.
    pub(crate) group: String,
    /// Time a result may take before it is late. Unset: 300000 (5 minutes).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1_000, max = 604_800_000))]
    pub(crate) window_ms: Option<u64>,
}

/// What one service is called everywhere.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Service {
    /// The service's name, as its spans carry it.
    pub(crate) name: String,
    /// Other names its spans may carry.
    pub(crate) aliases: Vec<String>,
    /// Kafka consumer groups it owns.
    pub(crate) consumer_groups: Vec<String>,
    /// Its name in contracts, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pacticipant: Option<String>,
    /// The team that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    /// Address of its repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repository: Option<String>,
}

/// A Hystrix event stream to read.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hystrix {
    /// Address of the stream: `http://host:port/hystrix.stream`.
    pub(crate) url: String,
    /// The service that sends it.
    pub(crate) service: String,
}

/// Copy of all series to an InfluxDB v2 server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Influxdb {
    /// Address of the server. Unset: off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Organisation.
    pub(crate) org: String,
    /// Bucket.
    pub(crate) bucket: String,
    /// Token with write access to the bucket. Printed as `***`.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Secret>,
    /// File that holds the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<String>,
    /// Time between two writes.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub(crate) interval_ms: u64,
}

impl Default for Influxdb {
    fn default() -> Self {
        Self {
            url: None,
            org: String::new(),
            bucket: String::new(),
            token: None,
            token_file: None,
            interval_ms: 10_000,
        }
    }
}
